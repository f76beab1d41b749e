"""`leadpact score` as its users run it."""

import csv
import json
from pathlib import Path

import pytest
from pyarrow import parquet

from serving.settings import Settings
from tests.builders_import import write_export
from tests.builders_serving import Desk, small_history
from tests.serving.processes import run_leadpact

AS_OF = "2026-11-23T09:00:00Z"


def test_the_history_as_parquet(desk: Desk) -> None:
    """One row per lead, equal to the service; JSON says what was done, progress goes to standard error."""
    small_history(desk.settings, 12)
    root = desk.settings.workspace.root
    out = root / "scores.parquet"
    done = run_leadpact(root, "score", "history", str(out), "--as-of", AS_OF, "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert (said["scored"], said["model_version"], said["policy_version"]) == (12, "7", "1")
    assert "Scoring: 12 of 12 leads" in done.stderr
    rows = {row["lead_id"]: row for row in parquet.read_table(out).to_pylist()}
    online = desk.post("/v1/score", {"lead_id": "L5", "as_of": AS_OF}).json()
    for name in ("probability", "points", "stage", "reason_1", "score_id", "base_points", "stage_reason"):
        assert rows["L5"][name] == online[name]


def test_a_folder_as_german_csv(desk: Desk, tmp_path: Path) -> None:
    """A canonical folder needs no import; the texts are in the language asked for."""
    write_export(tmp_path / "export")
    root, out = desk.settings.workspace.root, tmp_path / "scores.csv"
    done = run_leadpact(root, "score", str(tmp_path / "export"), str(out), "--lang", "de")
    assert done.returncode == 0, done.stderr
    with out.open(newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    assert rows
    assert all("Schwelle" in row["stage_reason"] or row["stage"] == "sql" for row in rows)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        pytest.param(("history", "x.csv"), "there is no history", id="no-history"),
        pytest.param(("nowhere", "x.csv"), "IN must be a folder", id="no-source"),
        pytest.param(
            ("history", "x.csv", "--as-of", "2026-01-01"), "must carry a time zone", id="naive-as-of"
        ),
        pytest.param(("history", "x.csv", "--as-of", "now"), "must be an ISO 8601 time", id="odd-as-of"),
    ],
)
def test_what_is_wrong_is_one_sentence(
    desk: Desk, tmp_path: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    """No traceback, no OUT."""
    source, out, *options = arguments
    done = run_leadpact(desk.settings.workspace.root, "score", source, str(tmp_path / out), *options)
    assert done.returncode in (1, 2)
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.glob("*.csv")) == []


def test_without_a_model_it_says_how_to_get_one(settings: Settings, tmp_path: Path) -> None:
    """The sentences of /readyz, one line each, exit code 1."""
    done = run_leadpact(settings.workspace.root, "score", "history", str(tmp_path / "x.csv"))
    assert done.returncode == 1
    first, model, policy = done.stderr.splitlines()
    assert first == "leadpact: not ready for this yet"
    assert model == "  there is no champion model: run `leadpact train`, then `leadpact promote`"
    assert policy.startswith("  there is no policy: write one")


def test_an_out_that_cannot_be_written_is_one_sentence(desk: Desk, tmp_path: Path) -> None:
    """A folder of that name, or a full disk: nothing is left behind."""
    small_history(desk.settings, 1)
    out = tmp_path / "scores.csv"
    out.mkdir()
    done = run_leadpact(desk.settings.workspace.root, "score", "history", str(out), "--as-of", AS_OF)
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last == f"leadpact: cannot write to {out}: Is a directory; no scores were written"
    assert list(tmp_path.glob(".scores*")) == []


def test_an_instant_is_the_same_in_every_zone(desk: Desk, tmp_path: Path) -> None:
    """The same score has the same id, wherever the caller's clock hangs."""
    small_history(desk.settings, 1)
    root, found = desk.settings.workspace.root, []
    for as_of in (AS_OF, "2026-11-23T10:00:00+01:00"):
        out = tmp_path / "scores.csv"
        assert run_leadpact(root, "score", "history", str(out), "--as-of", as_of).returncode == 0
        found.append(out.read_text(encoding="utf-8"))
    assert found[0] == found[1]
    assert desk.post("/v1/score", {"lead_id": "L0", "as_of": AS_OF}).json()["score_id"] in found[0]
