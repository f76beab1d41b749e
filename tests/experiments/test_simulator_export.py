"""What the simulator writes: deterministic, clean, and without a trace of what happened later."""

import csv
import subprocess
import sys
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.simulator.rhythm import Rhythm, office_rhythm, to_us, web_rhythm
from experiments.simulator.simulate import simulate
from features.history.store import History
from features.importing.import_export import import_export
from sla.business_time import Opening, OpeningHours, business_elapsed
from tests.builders_experiments import UNTIL, world

FILES = ("leads.csv", "activities.csv", "deals.csv", "attribute_changes.csv", "crm.toml")
KINDS = {
    "page_view", "form_submit", "email_open", "email_click", "webinar_attended", "content_download",
    "pricing_view", "demo_request", "call", "meeting",
}  # fmt: skip
START, END = datetime(2025, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of one export; its truth is beside it."""
    root = tmp_path_factory.mktemp("simulated")
    world().write(root / "export", root / "truth.csv")
    return root / "export"


def rows(folder: Path, table: str) -> list[dict[str, str]]:
    """Read one table of an export as text."""
    with (folder / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_same_seed_writes_the_same_bytes(export: Path, tmp_path: Path) -> None:
    """An export can be made again anywhere from its seed and its end."""
    again = simulate(leads=3000, months=18, until=UNTIL, seed=7)
    again.write(tmp_path / "export", tmp_path / "truth.csv")
    for name in FILES:
        assert (tmp_path / "export" / name).read_bytes() == (export / name).read_bytes(), name


def test_another_seed_writes_other_leads(export: Path, tmp_path: Path) -> None:
    """The seed decides, not the code."""
    world(seed=8).write(tmp_path / "export", tmp_path / "truth.csv")
    assert (tmp_path / "export" / "leads.csv").read_bytes() != (export / "leads.csv").read_bytes()


@pytest.mark.parametrize(
    ("table", "column"),
    [("leads", "created_at"), ("activities", "occurred_at"), ("deals", "closed_at"), ("deals", "opened_at"),
     ("attribute_changes", "changed_at")],
)  # fmt: skip
def test_nothing_that_happened_after_the_export_is_in_it(export: Path, table: str, column: str) -> None:
    """The future stays with the truth."""
    times = [datetime.fromisoformat(row[column]) for row in rows(export, table) if row[column]]
    assert max(times) <= UNTIL


def test_a_deal_is_opened_and_closed_after_its_lead_came(export: Path) -> None:
    """Created <= opened <= closed, for every deal."""
    created = {row["lead_id"]: row["created_at"] for row in rows(export, "leads")}
    for deal in rows(export, "deals"):
        assert created[deal["lead_id"]] <= (deal["opened_at"] or deal["closed_at"]) <= deal["closed_at"]


def test_every_won_deal_has_an_amount_and_every_lost_one_a_reason(export: Path) -> None:
    """Reports count euros and reasons; the groups of reasons are those of the agreement."""
    groups = set()
    for deal in rows(export, "deals"):
        assert bool(deal["loss_reason"]) == (deal["outcome"] == "lost")
        assert deal["outcome"] == "lost" or float(deal["amount"]) > 0
        groups.add(deal["loss_reason"].split("_")[0])
    assert groups == {"", "targeting", "timing", "data", "offer", "content", "model"}


def test_all_ten_kinds_of_activities_occur(export: Path) -> None:
    """Every channel of the demo CRM is there."""
    assert {row["kind"] for row in rows(export, "activities")} == KINDS


def test_what_made_the_lead_happened_at_its_creation(export: Path) -> None:
    """The form that made the lead carries the lead's own time, so a score at creation knows it."""
    drawn = world()
    created = {row["lead_id"]: row["created_at"] for row in rows(export, "leads")}
    acts = {
        (row["lead_id"], row["kind"])
        for row in rows(export, "activities")
        if row["occurred_at"] == created[row["lead_id"]]
    }
    for lead_id, act in zip(drawn.people.lead_id.tolist(), drawn.behaviour.act.tolist(), strict=True):
        assert not act or (lead_id, act) in acts


def test_the_log_up_to_creation_shows_the_drawn_behaviour() -> None:
    """Truth and log agree: pages and prices seen before creation are those that were weighed."""
    drawn = world()
    before = drawn.log.keep(drawn.log.occurred_us <= drawn.people.created_us[drawn.log.lead])
    count = len(drawn.people.lead_id)
    pages = np.bincount(before.lead[before.kind == "page_view"], minlength=count)
    prices = np.bincount(before.lead[before.kind == "pricing_view"], minlength=count)
    assert np.array_equal(pages, drawn.behaviour.visits + drawn.behaviour.extra_pages)
    assert np.array_equal(prices, drawn.behaviour.pricing_visits)


def test_sellers_call_in_business_time_only(export: Path) -> None:
    """A minute around every call is open: Monday to Friday, nine to half past five in Berlin."""
    weekday = (Opening(9 * 60, 17 * 60 + 30),)
    hours = OpeningHours(zone="Europe/Berlin", weekdays=(weekday,) * 5 + ((),) * 2)
    calls = [
        datetime.fromisoformat(row["occurred_at"])
        for row in rows(export, "activities")
        if row["kind"] == "call"
    ]
    minute = timedelta(minutes=1)
    assert len(calls) > 1000
    assert all(business_elapsed(call - minute, call + minute, hours) >= minute for call in calls)


def test_leads_show_the_attributes_as_they_are_at_the_export(export: Path) -> None:
    """The last change of an attribute is the value in the table of leads."""
    last: dict[tuple[str, str], str] = {}
    for change in rows(export, "attribute_changes"):
        last[change["lead_id"], change["attribute"]] = change["value"]
    leads = {row["lead_id"]: row for row in rows(export, "leads")}
    assert {attribute for _, attribute in last} == {"job_level", "employees", "product_interest"}
    assert all(leads[lead_id][attribute] == value for (lead_id, attribute), value in last.items())


def test_leakage_columns_are_named_with_their_reason(export: Path) -> None:
    """Owner and status tell how the case went, and the export says so."""
    settings = tomllib.loads((export / "crm.toml").read_text(encoding="utf-8"))
    assert set(settings["attributes"]["never"]) == {"owner", "status"}
    assert {"owner", "status"} <= set(rows(export, "leads")[0])


def test_the_export_imports_without_a_problem(export: Path, tmp_path: Path) -> None:
    """Canonical form means that nothing is set aside, even under --strict."""
    report = import_export(
        export,
        mapping_file=None,
        history=History(tmp_path / "history"),
        strict=True,
        rejects_dir=tmp_path / "rejects",
    )
    assert report.problems == ()
    assert report.rejects_file is None


RHYTHMS: dict[str, Rhythm] = {"web": web_rhythm(START, END), "office": office_rhythm(START, END)}


@pytest.mark.parametrize("name", ["web", "office"])
@given(start_hours=st.floats(0, 300 * 24), busy_days=st.floats(0, 50))
def test_going_forward_takes_as_long_as_it_says(name: str, start_hours: float, busy_days: float) -> None:
    """`advance` and `elapsed` are inverse to each other, up to the full second."""
    rhythm = RHYTHMS[name]
    start_us = np.array([to_us(START) + round(start_hours * 3600) * 1_000_000])
    there_us = rhythm.advance(start_us, np.array([busy_days]))
    assert there_us[0] >= start_us[0]
    most_per_second = np.diff(rhythm.busy_days).max() / 3600
    assert abs(rhythm.elapsed(start_us, there_us)[0] - busy_days) <= most_per_second * 1.01


def test_the_office_sleeps_at_night_and_on_sundays() -> None:
    """No deal is signed when nobody is there."""
    saturday = datetime(2025, 3, 29, 0, tzinfo=UTC)
    night, week_end = to_us(saturday + timedelta(hours=3)), to_us(saturday + timedelta(days=1))
    assert RHYTHMS["office"].elapsed(np.array([night]), np.array([week_end]))[0] == 0.0


def run_simulator(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the simulator as the demo does."""
    return subprocess.run(
        [sys.executable, "-m", "experiments.simulator", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_command_writes_the_export_and_keeps_the_truth_apart(tmp_path: Path) -> None:
    """`python -m experiments.simulator OUT` writes canonical files, and the truth outside of OUT."""
    done = run_simulator(str(tmp_path / "export"), "--until", "2026-11-23T00:00:00Z", "--leads", "200")
    assert done.returncode == 0, done.stderr
    assert {path.name for path in (tmp_path / "export").iterdir()} == set(FILES)
    assert (tmp_path / "truth" / "truth.csv").is_file()
    assert "200 leads" in done.stdout


@pytest.mark.parametrize(
    ("until", "said"),
    [("2026-11-23T00:00:00", "zone"), ("yesterday", "ISO")],
    ids=["naive", "no time"],
)
def test_the_command_refuses_a_time_it_cannot_place(tmp_path: Path, until: str, said: str) -> None:
    """Exit code 2 and a sentence, and nothing is written."""
    done = run_simulator(str(tmp_path / "export"), "--until", until)
    assert done.returncode == 2
    assert said in done.stderr
    assert not (tmp_path / "export").exists()
