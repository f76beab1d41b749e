"""Scores made again though nothing happened: as often as agreed, kept where changed, within hysteresis."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event

import pytest
from sqlalchemy import Engine, select, update

from features.history.store import History
from serving.db.migrate import prepare_database
from serving.db.session import read_transaction, write_transaction
from serving.db.tables import ScoreRow
from serving.db.tables_leads import LeadRow, StageEventRow
from serving.decided_from import read_decided_from
from serving.lead_events import lead_event
from serving.lead_marks import UNKEYED
from serving.operations.object_to_scoring import object_to_scoring
from serving.operations.put_lead import put_lead
from serving.operations.read_lead import read_lead_to_score
from serving.operations.read_score import record_of_row
from serving.operations.record_activities import NewActivity, record_activities
from serving.operations.rescore_leads import NOTHING_DUE, Rescored, rescore_leads
from serving.operations.verify_audit import verify_audit
from serving.rescorer import Rescorer
from serving.score_changes import points_of
from serving.scorer import Scorer, ScoreRequest
from serving.scorer_loading import load_scorer
from serving.settings import Settings
from sla.decision import Rule
from sla.lifecycle import fold_events
from sla.personas import match_persona
from sla.stages import Stage, rank
from tests.builders_serving import (
    NOW,
    TestClock,
    first_policy,
    install_champion,
    install_policy,
    random_request,
)

DAY = timedelta(days=1)
STEP = 1


@pytest.fixture
def workspace(tmp_path: Path, database_url: str) -> Settings:
    """Return a workspace over either database that can score."""
    settings = Settings(workspace_root=tmp_path, database_url=database_url, mlflow_tracking_uri=None)
    install_champion(settings)
    install_policy(settings)
    return settings


@pytest.fixture
def scorer(workspace: Settings, database: Engine) -> Scorer:
    """Return the scorer of the workspace."""
    return load_scorer(workspace, now=NOW)


def history_of(workspace: Settings) -> History:
    """Return the history, which is empty."""
    return History(workspace.workspace.history_dir)


def fill(database: Engine, history: History, scorer: Scorer, count: int) -> None:
    """Put leads with activities, each scored as of now."""
    for number in range(count):
        request = random_request(number)
        lead_id, lead = request["lead"]["lead_id"], request["lead"]
        attributes = {name: value for name, value in lead.items() if name not in ("lead_id", "created_at")}
        put_lead(
            database,
            lead_id,
            attributes,
            created_at=datetime.fromisoformat(lead["created_at"]),
            changed_at=NOW - DAY,
            history=history,
            scorer=None,
            by="x",
            now=NOW,
        )
        done = [
            NewActivity(
                activity_id=one["activity_id"],
                lead_id=lead_id,
                occurred_at=datetime.fromisoformat(one["occurred_at"]),
                kind=one["kind"],
                asset=one["asset"],
            )
            for one in request["activities"]
        ]
        record_activities(database, done, history=history, scorer=scorer, by="x", now=NOW)


def scores(database: Engine) -> dict[str, list[ScoreRow]]:
    """Return the stored scores of each lead, the oldest first."""
    found: dict[str, list[ScoreRow]] = {}
    with read_transaction(database) as session:
        for row in session.scalars(select(ScoreRow).order_by(ScoreRow.as_of)):
            found.setdefault(row.lead_id, []).append(row)
    return found


def now_and_then(
    database: Engine, history: History, scorer: Scorer, lead_id: str, at: datetime
) -> tuple[float, Stage]:
    """Return the points and the stage a score of a stored lead would have at an instant, storing nothing."""
    stored = read_lead_to_score(database, history, lead_id)
    request = ScoreRequest(
        lead_id=lead_id,
        lead=stored.known.as_of(at),
        activities=stored.known.activities,
        as_of=at,
        attribute_changes=stored.known.attribute_changes,
        current_stage=stored.stage,
        stage_since=stored.stage_since,
    )
    judged = scorer.score(request).judged
    return judged.predicted.points, judged.decision.stage


def test_what_changed_enough_is_stored_and_nothing_else(
    workspace: Settings, database: Engine, scorer: Scorer
) -> None:
    """Each lead is looked at once in the agreed hours; a score is kept when it moved by more than a point."""
    history = history_of(workspace)
    fill(database, history, scorer, 14)
    later = NOW + 12 * DAY
    before = {lead_id: rows[-1] for lead_id, rows in scores(database).items()}
    ids = sorted({f"L{number}" for number in range(14)})
    wanted = {one: now_and_then(database, history, scorer, one, later) for one in ids}
    stages = {one: read_lead_to_score(database, history, one).stage for one in ids}
    first = rescore_leads(database, history=history, scorer=scorer, now=later, most=9)
    second = rescore_leads(database, history=history, scorer=scorer, now=later, most=9)
    assert (first.looked_at, second.looked_at) == (9, 5)
    assert rescore_leads(database, history=history, scorer=scorer, now=later + DAY / 2) == NOTHING_DUE
    after = scores(database)
    kept = {lead_id for lead_id in ids if after[lead_id][-1].as_of == later}
    assert first.changed + second.changed == len(kept)
    for lead_id in ids:
        points, stage = wanted[lead_id]
        moved = lead_id not in before or abs(points - points_of(record_of_row(before[lead_id]))) > STEP
        assert (lead_id in kept) == (moved or stage is not stages[lead_id])
    assert 0 < len(kept) < len(ids)
    assert verify_audit(database).is_whole


def test_no_stage_moves_outside_hysteresis(workspace: Settings, database: Engine, scorer: Scorer) -> None:
    """Forty days, scored again every day: up only from the entry on, down only below the exit."""
    history = history_of(workspace)
    fill(database, history, scorer, 12)
    for day in range(1, 41):
        rescore_leads(database, history=history, scorer=scorer, now=NOW + day * DAY)
    with read_transaction(database) as session:
        events = session.scalars(select(StageEventRow)).all()
        leads = {row.lead_id: row for row in session.scalars(select(LeadRow))}
    found = {row.score_id: row for rows in scores(database).values() for row in rows}
    moves = 0
    for lead_id, lead in leads.items():
        own = [lead_event(event) for event in events if event.lead_id == lead_id]
        for step in fold_events(own, created_at=lead.created_at).steps:
            score = found[step.event.event_id.removeprefix("1-scored-")]
            if not step.moved or score.rule in (Rule.OVERRIDE, Rule.DISQUALIFIER):
                continue
            moves += 1
            persona = read_decided_from(score.decided_from or "")
            match = match_persona(scorer.active.policy.personas, dict(persona.attributes))
            threshold = scorer.active.policy.threshold_for
            name = None if match is None else match.name
            if rank(step.after) > rank(step.before):
                limit = threshold(step.after, name)
                assert limit is not None
                assert score.probability >= limit.enter
            else:
                limit = threshold(step.before, name)
                assert limit is not None
                assert score.probability < limit.exit
    assert moves > 0


def test_two_workers_store_each_change_once(workspace: Settings, database: Engine, scorer: Scorer) -> None:
    """Four at the same time over one database, and each looks at its share or at nothing."""
    history, later = history_of(workspace), NOW + 30 * DAY
    fill(database, history, scorer, 10)
    before = {lead_id: len(rows) for lead_id, rows in scores(database).items()}
    with ThreadPoolExecutor(4) as pool:
        done = list(
            pool.map(lambda _: rescore_leads(database, history=history, scorer=scorer, now=later), range(4))
        )
    assert sum(one.looked_at for one in done) == 10
    assert max(len(rows) - before.get(lead_id, 0) for lead_id, rows in scores(database).items()) == 1


def test_who_objects_is_not_looked_at(workspace: Settings, database: Engine, scorer: Scorer) -> None:
    """Neither scored again nor due for ever."""
    history = history_of(workspace)
    fill(database, history, scorer, 2)
    objecting = min(scores(database))
    object_to_scoring(database, objecting, objects=True, history=history, marks=UNKEYED, by="x", now=NOW)
    before = scores(database)[objecting]
    looked = rescore_leads(database, history=history, scorer=scorer, now=NOW + 9 * DAY)
    assert looked.looked_at == 1
    assert len(scores(database)[objecting]) == len(before)


def test_a_policy_that_says_nothing_rescoring_nothing(settings: Settings) -> None:
    """Without the section nothing is due; with it, the worker follows policy and champion by itself."""
    install_champion(settings)
    text = first_policy()
    start, end = text.index("[rescoring]"), text.index("# Who gets a handover")
    install_policy(settings, text[:start] + text[end:])
    database = prepare_database(settings.database)
    history = history_of(settings)
    fill(database, history, load_scorer(settings, now=NOW), 3)
    clock = TestClock(now=NOW + 2 * DAY)
    rescorer = Rescorer(settings, lambda: database, clock.tell)
    assert rescorer.turn(Event()) == Rescored(looked_at=0, changed=0)
    install_policy(settings, text.replace("version = 1 ", "version = 2 ", 1))
    assert rescorer.turn(Event()).looked_at == 3
    assert rescorer.turn(Event()) == Rescored(looked_at=0, changed=0)
    install_champion(settings, version="8", seed=5)
    clock.advance(2 * 86_400)
    assert rescorer.turn(Event()) == Rescored(looked_at=3, changed=3)
    assert {rows[-1].model_version for rows in scores(database).values()} == {"8"}
    database.dispose()


def test_what_was_certain_has_changed_once_it_is_not(database: Engine, workspace: Settings) -> None:
    """A stored probability of one has no end of points; any other score is another."""
    scorer, history = load_scorer(workspace, now=NOW), history_of(workspace)
    fill(database, history, scorer, 2)
    with write_transaction(database) as session:
        session.execute(update(LeadRow).values(probability=1.0))
    done = rescore_leads(database, history=history, scorer=scorer, now=NOW + 2 * DAY)
    assert done == Rescored(looked_at=2, changed=2)
