"""Past leads out of time: who counts, what they were worth then, what became of them, and who is left out."""

from dataclasses import replace
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest

from features.tables import DEALS_SCHEMA, CanonicalTables
from serving.answers import ScoreAnswer
from serving.champion import Champion, load_champion, read_pointer
from serving.operations.active_policy import ActivePolicy, read_stored
from serving.operations.ask_what_if import ask_what_if, prepare_past
from serving.operations.compare_stages import compare_stages
from serving.past_scores import NoPastScoresError, matured_leads, taught_until_us
from serving.scorer import Scorer, ScoreRequest
from serving.settings import Settings
from sla.policy import Policy
from sla.policy_file import policy_hash
from sla.what_if import Effort, ThresholdPair
from tests.builders_features import ATTRIBUTE_TYPES
from tests.builders_serving import NOW, install_champion, policy_version, random_request, small_history

N_LEADS = 150
HORIZON = timedelta(days=90)
STORED = ("lead_id", "created_at", *ATTRIBUTE_TYPES)
"""What the history of the tests keeps of a request's lead."""

FIRST = read_stored(policy_version(1), 1)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Return a workspace with a champion taught until the end of 2025."""
    root = tmp_path_factory.mktemp("past") / "workspace"
    made = Settings(workspace_root=root, database_url=None, mlflow_tracking_uri=None)
    install_champion(made)
    return made


@pytest.fixture(scope="module")
def champion(settings: Settings) -> Champion:
    """Return that champion."""
    pointer = read_pointer(settings.workspace.models_dir)
    assert pointer is not None
    return load_champion(settings.workspace.models_dir, pointer)


@pytest.fixture(scope="module")
def tables(settings: Settings) -> CanonicalTables:
    """Return random leads of 200 days with deals: every third won, every fifth lost, at odd delays."""
    history = small_history(settings, N_LEADS)
    deals = []
    for place, lead in enumerate(history.leads.select(["lead_id", "created_at"]).to_pylist()):
        if place % 3 == 0 or place % 5 == 0:
            closed = lead["created_at"] + timedelta(days=(place * 7) % 130, hours=1)
            deals.append(
                {
                    "deal_id": f"D{place}",
                    "lead_id": lead["lead_id"],
                    "closed_at": min(closed, NOW),
                    "outcome": "won" if place % 3 == 0 else "lost",
                }
            )
    rows = [{name: deal.get(name) for name in DEALS_SCHEMA.names} for deal in deals]
    return replace(history, deals=pa.Table.from_pylist(rows, DEALS_SCHEMA))


def expected_rows(tables: CanonicalTables, champion: Champion) -> dict[str, tuple[float, bool]]:
    """Return, lead by lead and with the service's own scorer, who counts, probability and outcome."""
    until = datetime.fromtimestamp((tables.known_until_us or 0) / 1e6, tz=NOW.tzinfo)
    deals: dict[str, tuple[datetime, str]] = {
        row["lead_id"]: (row["closed_at"], row["outcome"]) for row in tables.deals.to_pylist()
    }
    found = {}
    for seed in range(N_LEADS):
        request = random_request(seed)
        lead_id, created = request["lead"]["lead_id"], datetime.fromisoformat(request["lead"]["created_at"])
        if created + timedelta(days=7) + HORIZON > until:
            continue
        closed, outcome = deals.get(lead_id, (None, ""))
        as_of = created + timedelta(days=7)
        if closed is not None:
            as_of = min(as_of, max(closed - timedelta(microseconds=1), created))
        won = outcome == "won" and closed is not None and as_of < closed <= as_of + HORIZON
        found[lead_id] = (scored(champion, FIRST, request, as_of).probability, won)
    return found


def scored(champion: Champion, policy: Policy, request: dict[str, Any], as_of: datetime) -> ScoreAnswer:
    """Return what the service says of a lead at an instant."""
    lead = {
        name: datetime.fromisoformat(value) if name in ("created_at", "trial_at") else value
        for name, value in request["lead"].items()
        if name in STORED
    }
    activities = tuple(
        {**each, "occurred_at": datetime.fromisoformat(each["occurred_at"])} for each in request["activities"]
    )
    asked = ScoreRequest(lead_id="x", lead=lead, activities=activities, as_of=as_of, lang="en")
    return Scorer(champion, active(policy)).score(asked).answer


def active(policy: Policy) -> ActivePolicy:
    """Return a policy as if it were in force."""
    return ActivePolicy(policy=policy, version=policy.version, policy_hash=policy_hash(policy))


def test_past_leads_are_scored_as_they_were(tables: CanonicalTables, champion: Champion) -> None:
    """The same leads, probabilities and outcomes as the service gives one by one."""
    found = matured_leads(champion, tables)
    rows = dict(zip(found.lead_ids, zip(found.probabilities, found.won, strict=True), strict=True))
    assert rows == expected_rows(tables, champion)
    assert len(rows) > 40
    assert 0 < sum(found.won) < len(rows)
    assert found.trained_on == 0
    assert found.still_open == N_LEADS - len(rows)


def test_leads_the_champion_knew_are_left_out_and_counted(
    tables: CanonicalTables, champion: Champion
) -> None:
    """Taught until a later day, fewer leads count, and how many do not is said."""
    everybody = matured_leads(champion, tables)
    later = taught(champion, until=NOW - timedelta(days=150))
    found = matured_leads(later, tables)
    assert len(found.lead_ids) + found.trained_on == len(everybody.lead_ids)
    assert set(found.lead_ids) < set(everybody.lead_ids)
    assert found.since == NOW - timedelta(days=150)


def taught(champion: Champion, *, until: datetime, split: str = "forward") -> Champion:
    """Return the champion as if it had been taught until another day."""
    us = float(int(until.timestamp() * 1e6))
    manifest = replace(champion.model.manifest, split=split, metrics=(("test_from_position", us),))
    model: Any = SimpleNamespace(
        manifest=manifest, feature_set=champion.model.feature_set, predict=champion.model.predict
    )
    return replace(champion, model=model)


@pytest.mark.parametrize(
    ("until", "split", "rule"),
    [
        pytest.param(NOW, "forward", "until when the champion was taught", id="taught-until-now"),
        pytest.param(NOW, "order", "was tested order, not forward in time", id="no-times"),
    ],
)
def test_without_such_leads_nothing_is_counted(
    tables: CanonicalTables, champion: Champion, until: datetime, split: str, rule: str
) -> None:
    """A number from scores the model had seen the answers of would flatter every threshold."""
    with pytest.raises(NoPastScoresError, match=rule):
        matured_leads(taught(champion, until=until, split=split), tables)


def test_a_history_without_times_has_no_past(tables: CanonicalTables, champion: Champion) -> None:
    """Said as such."""
    nothing = pa.nulls(tables.leads.num_rows, tables.leads.schema.field("created_at").type)
    leads = tables.leads.set_column(1, "created_at", nothing)
    with pytest.raises(NoPastScoresError, match="no times"):
        matured_leads(champion, replace(tables, leads=leads))


def test_the_manifest_says_when_teaching_ended(champion: Champion) -> None:
    """The position of the test part, else the last instant of a label."""
    assert taught_until_us(champion.model) == 1_767_139_200_000_000
    assert taught_until_us(taught(champion, until=NOW).model) == int(NOW.timestamp() * 1e6)


def test_the_answer_counts_the_past(tables: CanonicalTables, champion: Champion) -> None:
    """Leads, wins and moves are those of the rows; ids lead back to the leads."""
    past = prepare_past(matured_leads(champion, tables))
    median = sorted(past.leads.probabilities)[len(past.leads.probabilities) // 2]
    pair = ThresholdPair(mql=median / 2, sql=median)
    answer = ask_what_if(
        past, pair, effort=Effort(capacity_hours=1), current=ThresholdPair(mql=0.001, sql=0.99)
    )
    rows = expected_rows(tables, champion)
    assert answer.sql.leads == sum(p >= median for p, _ in rows.values())
    assert answer.sql.wins_kept == sum(won for p, won in rows.values() if p >= median)
    assert answer.wins == sum(won for _, won in rows.values())
    moved = {one: move for move in answer.moves for one in move.lead_ids}
    assert all(pair.stage_of(rows[one][0]).value == move.after for one, move in moved.items())


def test_stages_are_compared_lead_by_lead(tables: CanonicalTables, champion: Champion) -> None:
    """Open leads of the last 90 days under both policies, as the service decides them."""
    before = FIRST
    after = read_stored(policy_version(2).replace("enter = 0.30", "enter = 0.60"), 2)
    found = compare_stages(champion, tables, before, after)
    until = datetime.fromtimestamp((tables.known_until_us or 0) / 1e6, tz=NOW.tzinfo)
    expected: dict[tuple[str, str], int] = {}
    closed = {row["lead_id"] for row in tables.deals.to_pylist() if row["closed_at"] <= until}
    leads = 0
    for seed in range(N_LEADS):
        request = random_request(seed)
        created = datetime.fromisoformat(request["lead"]["created_at"])
        if request["lead"]["lead_id"] in closed or created < until - timedelta(days=90) or created > until:
            continue
        leads += 1
        one, other = (scored(champion, policy, request, until).stage for policy in (before, after))
        pair = (one, other)
        if pair[0] != pair[1]:
            expected[pair] = expected.get(pair, 0) + 1
    assert {(move.before, move.after): move.leads for move in found.moves} == expected
    assert (found.leads, found.trained_on) == (leads, 0)
    assert found.changing == sum(expected.values()) > 0
    left = compare_stages(taught(champion, until=NOW - timedelta(days=30)), tables, before, after)
    assert left.leads + left.trained_on == leads
    assert left.trained_on > 0
