"""Batch scores are the service's scores, whatever they come from and however they are cut into blocks."""

import csv
import io
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import csv as arrow_csv
from pyarrow import parquet

from features.errors import InputError
from features.history.store import History
from features.tables import CanonicalTables
from serving.answers import ScoreAnswer
from serving.batch import plan_batch, score_blocks
from serving.batch_input import read_batch
from serving.batch_output import COLUMNS, csv_row_writer, open_output
from serving.scorer import Scorer
from serving.scorer_loading import load_scorer
from serving.settings import Settings
from tests.builders_features import crm_tables
from tests.builders_serving import (
    NOW,
    Desk,
    first_policy,
    install_champion,
    install_policy,
    open_desk,
    small_history,
)

N_LEADS = 40
IGNORED = ("warnings",)


@pytest.fixture
def scorer(desk: Desk) -> Scorer:
    """Return the scorer of the desk's workspace."""
    return load_scorer(desk.settings, now=NOW)


def batch_answers(
    scorer: Scorer, tables: CanonicalTables, *, as_of: datetime = NOW, block: int = 7
) -> dict[str, dict[str, Any]]:
    """Score a table and return the answers by lead, as JSON would show them."""
    plan = plan_batch(scorer, tables, as_of=as_of, lang="en")
    answers = [each for part in score_blocks(scorer, plan, leads_per_block=block) for each in part]
    return {answer.lead_id: plain(answer) for answer in answers}


def plain(answer: ScoreAnswer) -> dict[str, Any]:
    """Return an answer as its JSON, without what depends on how it was asked."""
    decoded: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(answer))
    return {name: value for name, value in decoded.items() if name not in IGNORED}


def service_answers(desk: Desk, lead_ids: list[str], *, as_of: datetime = NOW) -> dict[str, dict[str, Any]]:
    """Ask the service for the same stored leads."""
    items = [{"lead_id": lead_id, "as_of": as_of.isoformat()} for lead_id in lead_ids]
    body = desk.post("/v1/score/batch", {"items": items}).json()
    return {item["lead_id"]: {k: v for k, v in item.items() if k not in IGNORED} for item in body["items"]}


@pytest.mark.parametrize("changes", [False, True], ids=["plain", "with-attribute-changes"])
@pytest.mark.parametrize("days_ago", [0, 1.5, 20])
def test_the_history_gets_the_numbers_of_the_service(
    desk: Desk, scorer: Scorer, changes: bool, days_ago: float
) -> None:
    """Every field of every lead is equal, bit for bit, at any instant."""
    tables = small_history(desk.settings, N_LEADS, changes=changes)
    as_of = NOW - timedelta(days=days_ago)
    found = batch_answers(scorer, tables, as_of=as_of)
    existing = [row["lead_id"] for row in tables.leads.to_pylist() if row["created_at"] <= as_of]
    assert list(found) == existing
    assert found == service_answers(desk, existing, as_of=as_of)


def test_an_attribute_only_the_policy_reads_has_its_type_after_a_change(tmp_path: Path) -> None:
    """A change is recorded as text; a rule on a number must meet a number, offline as in the service."""
    settings = Settings(workspace_root=tmp_path)
    install_champion(settings)
    rule = '{ attribute = "job_level", in = ["c_level", "director"] }'
    assert rule in first_policy()
    install_policy(settings, first_policy().replace(rule, '{ attribute = "seats", at_least = 100 }'))
    created, changed = NOW - timedelta(days=9), NOW - timedelta(days=5)
    tables = crm_tables(
        [{"lead_id": "L1", "created_at": created, "seats": 20.0}],
        changes=[{"lead_id": "L1", "changed_at": changed, "attribute": "seats", "value": "250"}],
        attribute_types={"seats": pa.float64()},
    )
    History(settings.workspace.history_dir).merge(tables)
    answers = batch_answers(load_scorer(settings, now=NOW), tables)
    assert answers["L1"]["persona"] == "economic_buyer"
    assert 0.5 <= answers["L1"]["persona_confidence"] <= 1.0
    assert answers == service_answers(open_desk(settings, ready=False), ["L1"])


def test_a_file_of_leads_gets_the_numbers_of_the_service(desk: Desk, scorer: Scorer, tmp_path: Path) -> None:
    """A CSV of leads alone is scored as the same leads sent inline without activities."""
    leads = small_history(desk.settings, N_LEADS).leads.drop_columns(["created_order"])
    file = tmp_path / "leads.csv"
    arrow_csv.write_csv(leads, file)
    found = batch_answers(scorer, read_batch(str(file), desk.settings.workspace, timezone="UTC").tables)
    sent = [{name: _as_json(value) for name, value in row.items()} for row in leads.to_pylist()]
    items = [{"lead": lead, "as_of": NOW.isoformat()} for lead in sent]
    body = desk.post("/v1/score/batch", {"items": items}).json()
    assert len(found) == N_LEADS
    assert found == {
        item["lead_id"]: {k: v for k, v in item.items() if k not in IGNORED} for item in body["items"]
    }


def _as_json(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value


@pytest.mark.parametrize("block", [1, 3, 40, 1000])
def test_blocks_change_nothing(desk: Desk, scorer: Scorer, block: int) -> None:
    """Where the table is cut decides nothing."""
    tables = small_history(desk.settings, N_LEADS, changes=True)
    assert batch_answers(scorer, tables, block=block) == batch_answers(scorer, tables, block=N_LEADS + 1)


def test_leads_of_the_future_are_left_out_and_counted(desk: Desk, scorer: Scorer) -> None:
    """A lead that did not exist at as_of has no score for it."""
    tables = small_history(desk.settings, N_LEADS)
    as_of = NOW - timedelta(days=60)
    plan = plan_batch(scorer, tables, as_of=as_of, lang="en")
    created = [row["created_at"] for row in tables.leads.to_pylist()]
    assert plan.left_out == sum(each > as_of for each in created) > 0
    assert len(batch_answers(scorer, tables, as_of=as_of)) == N_LEADS - plan.left_out


def test_columns_that_do_not_fit_are_missing_and_named(desk: Desk, scorer: Scorer, tmp_path: Path) -> None:
    """As online: text where the model reads a number is no number; and an unused column is said."""
    file = tmp_path / "leads.csv"
    file.write_text("lead_id,created_at,employees,industri\nL1,2026-11-01T00:00:00Z,many,Retail\n")
    read = read_batch(str(file), desk.settings.workspace, timezone="UTC")
    plan = plan_batch(scorer, read.tables, as_of=NOW, lang="en")
    assert "column 'employees' holds texts, the model reads numbers: scored as missing" in plan.notes
    assert "there is no column 'industry': scored as missing" in plan.notes
    assert any(
        "'industri' is used by neither model nor policy; did you mean 'industry'?" in n for n in plan.notes
    )
    lead = {"lead_id": "L1", "created_at": "2026-11-01T00:00:00Z"}
    online = desk.post("/v1/score", {"lead": lead}).json()
    assert batch_answers(scorer, read.tables)["L1"]["probability"] == online["probability"]


def test_a_flat_file_needs_no_times(desk: Desk, scorer: Scorer, tmp_path: Path) -> None:
    """Leads without created_at are scored; what depends on it is missing."""
    file = tmp_path / "leads.csv"
    file.write_text("lead_id,employees\nL1,240\nL2,5\n")
    found = batch_answers(scorer, read_batch(str(file), desk.settings.workspace, timezone="UTC").tables)
    online = desk.post("/v1/score", {"lead": {"lead_id": "L1", "employees": 240}}).json()
    assert list(found) == ["L1", "L2"]
    assert found["L1"]["probability"] == online["probability"]


def test_broken_rows_are_set_aside_and_named(desk: Desk, tmp_path: Path) -> None:
    """The rest is scored; the rejects are in a readable file."""
    file = tmp_path / "leads.csv"
    file.write_text("lead_id,created_at\nL1,2026-11-01T00:00:00Z\nL2,soon\n")
    read = read_batch(str(file), desk.settings.workspace, timezone="UTC")
    assert read.tables.leads["lead_id"].to_pylist() == ["L1"]
    assert any("soon" in problem.text() for problem in read.problems)
    assert read.rejects_file is not None
    assert "soon" in read.rejects_file.read_text()


@pytest.mark.parametrize("source", ["nowhere", "leads.txt"])
def test_an_unknown_source_is_named(desk: Desk, source: str) -> None:
    """The message says what IN can be."""
    with pytest.raises(InputError, match="IN must be a folder, a file of leads"):
        read_batch(source, desk.settings.workspace, timezone="UTC")


@pytest.mark.parametrize("name", ["scores.parquet", "scores.csv"])
def test_both_formats_hold_every_flat_field(desk: Desk, scorer: Scorer, tmp_path: Path, name: str) -> None:
    """Numbers in full precision, times as times, one row per lead in the order of the leads."""
    tables = small_history(desk.settings, 9)
    plan = plan_batch(scorer, tables, as_of=NOW, lang="de")
    out = tmp_path / name
    with open_output(out) as write:
        for answers in score_blocks(scorer, plan, leads_per_block=4):
            write(answers)
    rows = parquet.read_table(out).to_pylist() if name.endswith(".parquet") else _read_csv(out)
    expected = [each for part in score_blocks(scorer, plan) for each in part]
    assert list(rows[0]) == list(COLUMNS)
    assert [row["lead_id"] for row in rows] == [answer.lead_id for answer in expected]
    assert [float(row["probability"]) for row in rows] == [answer.probability for answer in expected]
    assert [row["reason_1"] for row in rows] == [answer.reason_1 for answer in expected]
    assert list(tmp_path.glob(".*")) == []


def _read_csv(file: Path) -> list[dict[str, Any]]:
    with file.open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def test_a_failure_leaves_the_old_file(tmp_path: Path) -> None:
    """OUT is complete under its name or untouched."""
    out = tmp_path / "scores.csv"
    out.write_text("yesterday's")
    with pytest.raises(ZeroDivisionError, match="division"), open_output(out):
        _ = 1 / 0
    assert out.read_text() == "yesterday's"
    assert [path.name for path in tmp_path.iterdir()] == ["scores.csv"]


@pytest.mark.parametrize(
    ("out", "rule"),
    [
        pytest.param("scores.xlsx", "OUT must end in .parquet or .csv", id="ending"),
        pytest.param("nowhere/scores.csv", "the folder of OUT must exist", id="folder"),
    ],
)
def test_wrong_outputs_are_named(tmp_path: Path, out: str, rule: str) -> None:
    """Before anything is scored."""
    with pytest.raises(InputError, match=rule), open_output(tmp_path / out):
        pass


@given(st.text())
def test_no_cell_is_a_formula(text: str) -> None:
    """No spreadsheet runs a cell, and taking the quote away gives the text back."""
    file = io.BytesIO()
    csv_row_writer(file)([text, 0.1])
    (row,) = csv.reader(io.StringIO(file.getvalue().decode(), newline=""))
    assert not row[0].startswith(("=", "+", "-", "@", "\t", "\r"))
    assert row in ([text, "0.1"], [f"'{text}", "0.1"])


def test_parquet_columns_are_typed(desk: Desk, scorer: Scorer, tmp_path: Path) -> None:
    """A reader need not guess: probabilities are doubles, points whole, deadlines UTC."""
    plan = plan_batch(scorer, small_history(desk.settings, 2), as_of=NOW, lang="en")
    with open_output(tmp_path / "s.parquet") as write:
        for answers in score_blocks(scorer, plan):
            write(answers)
    schema = parquet.read_schema(tmp_path / "s.parquet")
    types = [schema.field(name).type for name in ("probability", "points", "respond_by", "reason_1")]
    assert types == [pa.float64(), pa.int64(), pa.timestamp("us", tz="UTC"), pa.string()]
