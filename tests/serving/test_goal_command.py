"""`leadpact goal`: cases are counted day by day in the teams' zone, and the command says what is missing."""

from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.history.store import History
from features.tables import CanonicalTables
from serving.goal_cases import closed_cases, imported_deals, imported_leads, matured_cases
from serving.periods import ReportPeriod
from serving.settings import Settings
from sla.always_valid import Share
from sla.goal import Period
from tests.builders_policy import SOUND_TEXT
from tests.builders_serving import install_policy
from tests.builders_training import crm_tables, day, finished_cases
from tests.flows.command_line import Leadpact

BERLIN = "Europe/Berlin"
PERIOD = Period(date(2025, 2, 1), date(2025, 3, 31))
deals = st.lists(
    st.tuples(st.integers(0, 3), st.floats(0.0, 200.0), st.sampled_from(["won", "lost"])), max_size=12
)
BASELINE, GOAL_PERIOD = "first = 2026-01-01, last = 2026-01-31", "first = 2026-02-01, last = 2026-03-31"
GOAL_TEXT = f"""
[goal]
en = "More deals"
de = "Mehr Abschlüsse"
metric = "close_rate"
baseline = {{ {BASELINE} }}
period = {{ {GOAL_PERIOD} }}
target_relative = 0.1
reward_en = "Cake"
reward_de = "Kuchen"
"""


def local_day(number: float, zone: str = BERLIN) -> date:
    """Return the day on which an instant of the builders lies for the teams."""
    return day(number).astimezone(ZoneInfo(zone)).date()


def in_zone(zone: str) -> ReportPeriod:
    """Return the period of these tests, its days begun at midnight somewhere."""
    return ReportPeriod(first=PERIOD.first, last=PERIOD.last, zone=zone)


@given(deals, st.sampled_from([BERLIN, "Pacific/Auckland", "America/Los_Angeles"]))
def test_closed_deals_are_counted_by_local_days(found: list[tuple[int, float, str]], zone: str) -> None:
    """A deal counts for the day on which the teams saw it close, daylight saving and all."""
    tables = crm_tables([0.0] * 4, found)
    inside = [
        outcome for _, number, outcome in found if PERIOD.first <= local_day(number, zone) <= PERIOD.last
    ]
    counted = closed_cases(imported_deals(tables.deals).values(), in_zone(zone))
    assert counted.share == Share(inside.count("won"), len(inside))


@given(st.lists(st.floats(0.0, 200.0), min_size=1, max_size=6), deals)
def test_leads_count_once_their_horizon_is_over(
    created: list[float], found: list[tuple[int, float, str]]
) -> None:
    """Only leads of the period that were followed for a whole horizon count, and only wins within it.

    A deal closes at the earliest just after its lead was created (decision 0008).
    """
    found = [(lead, number, outcome) for lead, number, outcome in found if lead < len(created)]
    tables = crm_tables(created, found, exported_day=120.0, horizon_days=30)
    leads = [
        lead
        for lead, number in enumerate(created)
        if PERIOD.first <= local_day(number) <= PERIOD.last and day(number) + timedelta(days=30) <= day(120.0)
    ]
    won = {
        lead
        for lead, number, outcome in found
        if outcome == "won" and day(number) <= day(created[lead]) + timedelta(days=30)
    }
    known = imported_leads(tables.leads, known_until=day(120.0)).values()
    ends = imported_deals(tables.deals).values()
    counted = matured_cases(known, ends, in_zone(BERLIN), horizon=timedelta(days=30))
    assert counted.share == Share(len(won & set(leads)), len(leads))


def keep(tmp_path: Path, tables: CanonicalTables, policy: str | None) -> Leadpact:
    """Return a workspace that holds these tables, with a policy in force."""
    settings = Settings(workspace_root=tmp_path / "workspace", database_url=None, mlflow_tracking_uri=None)
    History(settings.workspace.history_dir).merge(tables)
    if policy is not None:
        install_policy(settings, policy.replace("valid_from = 2026-01-01", 'valid_from = "signed"'))
    return Leadpact(settings.workspace.root)


def test_both_teams_read_how_the_goal_stands(tmp_path: Path) -> None:
    """The counts of the history, in words and as JSON."""
    first = (datetime(2026, 1, 1, tzinfo=ZoneInfo(BERLIN)) - day(0.0)).days
    found = [(0, first + 3.0, "won"), (1, first + 5.0, "lost"), (2, first + 40.0, "won")]
    leadpact = keep(tmp_path, crm_tables([0.0] * 3, found), SOUND_TEXT + GOAL_TEXT)
    answer = leadpact.ask("goal")
    assert answer["progress"]["baseline"] == {"won": 1, "cases": 2}
    assert answer["progress"]["period"] == {"won": 1, "cases": 1}
    assert answer["goal"]["baseline"] == {"first": "2026-01-01", "last": "2026-01-31"}
    assert "Basiszeitraum, 1. Januar 2026 bis 31. Januar 2026: 50 % (1 von 2)" in leadpact.run(
        "goal", "--lang", "de"
    )


@pytest.mark.parametrize(
    ("policy", "exit_code", "message"),
    [
        (None, 1, "policy"),
        (SOUND_TEXT, 2, "policy version 1 has no section [goal]; add one and sign the new version"),
        (SOUND_TEXT + GOAL_TEXT, 2, "the history has no times (created_at)"),
    ],
)
def test_what_is_missing_is_said(tmp_path: Path, policy: str | None, exit_code: int, message: str) -> None:
    """No policy, a policy without a goal, a history without times: one sentence each."""
    leadpact = keep(tmp_path, finished_cases(n_leads=20), policy)
    assert message in leadpact.run("goal", expect=exit_code)
