"""The life of a lead: every move of the table, the rules that hold a score, and any order of arrival."""

import random
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sla.errors import BrokenRulesError
from sla.lifecycle import (
    GIVEN_BACK,
    MOVES,
    EventKind,
    Hold,
    LeadEvent,
    LeadState,
    fold_events,
    stage_at,
)
from sla.stages import Stage
from tests.builders_policy import NOW

DAY = timedelta(days=1)
SEQUENCES = 10_000


def event(kind: EventKind, days: float, stage: Stage | None = None, **changes: object) -> LeadEvent:
    """Return an event so many days after the beginning; scores of one model and policy unless said."""
    made = LeadEvent(
        event_id=f"{kind}-{days}",
        occurred_at=NOW + days * DAY,
        kind=kind,
        stage=stage,
        basis="m1/p1" if kind is EventKind.SCORED else "",
        dwell_days=3,
        rest_days=30,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def scored(days: float, stage: Stage, **changes: object) -> LeadEvent:
    """Return a score that gives this stage."""
    return event(EventKind.SCORED, days, stage, **changes)


SQL = scored(0, Stage.SQL)


@pytest.mark.parametrize(
    ("events", "stage", "cycle", "hold"),
    [
        pytest.param((), Stage.LEAD, 1, None, id="nothing-happened"),
        pytest.param((SQL,), Stage.SQL, 1, None, id="becomes-sql"),
        pytest.param((SQL, scored(1, Stage.MQL)), Stage.SQL, 1, Hold.DWELLS, id="dwells"),
        pytest.param((SQL, scored(4, Stage.MQL)), Stage.MQL, 1, None, id="sinks-after-the-dwell"),
        pytest.param(
            (SQL, event(EventKind.ACCEPTED, 1), scored(4, Stage.MQL)),
            Stage.SQL,
            1,
            Hold.WORKED_ON,
            id="worked-on",
        ),
        pytest.param(
            (SQL, scored(4, Stage.MQL, basis="m2/p1")), Stage.SQL, 1, Hold.OTHER_BASIS, id="new-model"
        ),
        pytest.param(
            (SQL, scored(4, Stage.SQL, basis="m2/p1"), scored(5, Stage.MQL, basis="m2/p1")),
            Stage.MQL,
            1,
            None,
            id="new-model-that-confirmed-the-stage",
        ),
        pytest.param(
            (SQL, event(EventKind.RELEASED, 3.5, basis="m2/p1"), scored(4, Stage.MQL, basis="m2/p1")),
            Stage.MQL,
            1,
            None,
            id="new-model-released",
        ),
        pytest.param((SQL, event(EventKind.REJECTED, 1)), Stage.RECYCLED, 2, None, id="rejected"),
        pytest.param((SQL, event(EventKind.NO_CONTACT, 9)), Stage.RECYCLED, 2, None, id="never-reached"),
        pytest.param(
            (SQL, event(EventKind.REJECTED, 1), scored(20, Stage.SQL)),
            Stage.RECYCLED,
            2,
            Hold.RESTS,
            id="rests",
        ),
        pytest.param(
            (SQL, event(EventKind.REJECTED, 1), scored(20, Stage.SQL, lifts=True)),
            Stage.SQL,
            2,
            None,
            id="an-action-needs-no-rest",
        ),
        pytest.param(
            (SQL, event(EventKind.REJECTED, 1), scored(31, Stage.SQL)), Stage.SQL, 2, None, id="second-cycle"
        ),
        pytest.param(
            (SQL, event(EventKind.REJECTED, 1), scored(31, Stage.LEAD)),
            Stage.RECYCLED,
            2,
            Hold.NO_MOVE,
            id="recycled-is-no-lead-again",
        ),
        pytest.param((event(EventKind.REJECTED, 1),), Stage.LEAD, 1, Hold.NO_MOVE, id="nothing-to-reject"),
        pytest.param(
            (SQL, event(EventKind.OPENED, 1), scored(9, Stage.LEAD)),
            Stage.OPPORTUNITY,
            1,
            Hold.NO_MOVE,
            id="no-score-moves-an-opportunity",
        ),
        pytest.param((SQL, event(EventKind.WON, 1)), Stage.CUSTOMER, 1, None, id="won"),
        pytest.param(
            (SQL, event(EventKind.OPENED, 1), event(EventKind.LOST, 2)), Stage.RECYCLED, 2, None, id="lost"
        ),
        pytest.param((SQL, scored(1, Stage.DISQUALIFIED)), Stage.DISQUALIFIED, 1, None, id="disqualified"),
        pytest.param(
            (scored(0, Stage.DISQUALIFIED), event(EventKind.WON, 1)), Stage.CUSTOMER, 1, None, id="won-anyway"
        ),
    ],
)
def test_a_life(events: tuple[LeadEvent, ...], stage: Stage, cycle: int, hold: Hold | None) -> None:
    """Where the events end, in which cycle, and what held the last one back."""
    state = fold_events(events)
    assert (state.stage, state.cycle) == (stage, cycle)
    if events:
        assert state.steps[-1].hold is hold


def test_a_held_demotion_is_in_sight_until_released() -> None:
    """The lower stage of a new model is shown; released, the lead sinks, unless a seller works on it."""
    held = fold_events((SQL, scored(4, Stage.MQL, basis="m2/p1")))
    assert held.held is Stage.MQL
    released = event(EventKind.RELEASED, 5, basis="m2/p1")
    fallen = fold_events((SQL, scored(4, Stage.MQL, basis="m2/p1"), released))
    assert (fallen.held, fallen.stage, fallen.basis) == (None, Stage.MQL, "m2/p1")
    accepted = event(EventKind.ACCEPTED, 4.5)
    kept = fold_events((SQL, scored(4, Stage.MQL, basis="m2/p1"), accepted, released))
    assert (kept.held, kept.stage) == (None, Stage.SQL)


def test_becoming_sql_is_counted_per_cycle() -> None:
    """Twice in the first cycle, once in the second."""
    first = (SQL, scored(4, Stage.MQL), scored(8, Stage.SQL))
    assert fold_events(first).entries == 2
    second = (*first, event(EventKind.REJECTED, 9), scored(50, Stage.SQL))
    assert (fold_events(second).cycle, fold_events(second).entries) == (2, 1)


def test_the_table_is_whole() -> None:
    """Each kind has a row; whatever happens in whichever stage, the fold keeps the step."""
    assert {kind for kind, _stages, _to in MOVES} == set(EventKind)
    for kind, before in product(EventKind, Stage):
        target = Stage.MQL if kind is EventKind.SCORED else None
        start = LeadState(stage=before, since=NOW)
        state = _after(start, event(kind, 100, target))
        assert state.cycle - start.cycle == (state.stage is Stage.RECYCLED and before is not Stage.RECYCLED)
        if kind in GIVEN_BACK and state.steps[-1].moved:
            assert state.stage is Stage.RECYCLED


def _after(state: LeadState, happened: LeadEvent) -> LeadState:
    from sla.lifecycle import _take

    return _take(state, happened)


def random_life(chance: random.Random) -> list[LeadEvent]:
    """Return a dozen events, some of them at the same instant, some with the id of another."""
    found = []
    for number in range(chance.randint(2, 12)):
        kind = chance.choice(list(EventKind))
        stage = chance.choice(list(Stage)) if kind is EventKind.SCORED else None
        found.append(
            LeadEvent(
                event_id=f"e{chance.randint(0, number)}",
                occurred_at=NOW + chance.randint(0, 60) * DAY / 2,
                kind=kind,
                stage=stage,
                basis=chance.choice(["m1/p1", "m2/p1"]),
                dwell_days=chance.choice([0, 3]),
                rest_days=chance.choice([0, 10]),
                lifts=chance.random() < 0.2,
            )
        )
    return found


def test_any_order_and_any_repetition_ends_the_same() -> None:
    """Ten thousand lives, each shuffled and with events sent again."""
    chance = random.Random(11)
    for _ in range(SEQUENCES):
        life = random_life(chance)
        arrived = life + chance.sample(life, chance.randint(0, len(life)))
        chance.shuffle(arrived)
        assert fold_events(arrived) == fold_events(life)


@given(st.randoms(use_true_random=False))
def test_no_score_of_other_versions_takes_anybody_down(chance: random.Random) -> None:
    """A lead sinks only by a score of the versions that last confirmed its stage, after the dwell."""
    basis, since = "", NOW
    for step in fold_events(random_life(chance)).steps:
        happened = step.event
        if step.hold is None and happened.kind in (EventKind.SCORED, EventKind.RELEASED):
            sinks = (step.before, step.after) in {
                (Stage.SQL, Stage.MQL),
                (Stage.SQL, Stage.LEAD),
                (Stage.MQL, Stage.LEAD),
            }
            sinks = sinks and happened.kind is EventKind.SCORED
            assert not sinks or happened.basis == basis
            assert not sinks or happened.occurred_at - since >= happened.dwell_days * DAY
            basis = happened.basis
        since = happened.occurred_at if step.moved else since


@given(st.randoms(use_true_random=False), st.integers(-1, 61))
def test_the_stage_at_an_instant_is_where_events_led_until_then(chance: random.Random, half: int) -> None:
    """What happens later does not change where a lead was."""
    state, instant = fold_events(random_life(chance)), NOW + half * DAY / 2
    known = [step.event for step in state.steps if step.event.occurred_at <= instant]
    assert stage_at(state, instant) is fold_events(known).stage


def test_an_event_has_an_id_a_time_and_a_stage_only_when_scored() -> None:
    """All broken rules at once."""
    with pytest.raises(BrokenRulesError, match=r"event_id must not.*occurred_at must.*stage must be given"):
        LeadEvent(event_id=" ", occurred_at=datetime(2026, 1, 1), kind=EventKind.WON, stage=Stage.SQL)  # noqa: DTZ001
