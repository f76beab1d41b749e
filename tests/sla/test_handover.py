"""Who gets a lead, and what is promised about trying to reach it."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sla.clauses import AttemptRule
from sla.clauses_work import Overflow, RouteBy, RoutingRule
from sla.clock import ClockKind, ClockStatus, ClockVerdict
from sla.errors import BrokenRulesError
from sla.handover import (
    Assignment,
    Attempt,
    AttemptResult,
    Route,
    SellerLoad,
    Violation,
    choose_owner,
    has_contact,
    is_exhausted,
    judge_attempts,
)
from sla.lifecycle import Hold
from sla.words_work import assignment_text, clock_text, hold_text, violation_text
from tests.builders_policy import NOW

HOUR = timedelta(hours=1)
TURN = RoutingRule(by=RouteBy.ROUND_ROBIN, people=("Sam", "Sue", "Sol"), most_open=2)
RULE = AttemptRule(least=2, most=3, spacing_hours=24, channels=("phone", "email"))
BUSY = (
    SellerLoad(person="Sam", open_handovers=1, last_assigned_at=NOW),
    SellerLoad(person="Sue", open_handovers=1, last_assigned_at=NOW - HOUR),
    SellerLoad(person="Sol", open_handovers=2, last_assigned_at=NOW - 2 * HOUR),
)


@pytest.mark.parametrize(
    ("rule", "loads", "persona_owner", "owner", "route"),
    [
        pytest.param(None, (), None, None, Route.NOT_AGREED, id="nothing-agreed"),
        pytest.param(TURN, (), None, "Sam", Route.IN_TURN, id="first-turn"),
        pytest.param(TURN, BUSY[:1], None, "Sue", Route.IN_TURN, id="never-had-a-turn"),
        pytest.param(TURN, BUSY, None, "Sue", Route.IN_TURN, id="full-is-passed-over"),
        pytest.param(
            TURN, (*BUSY, replace(BUSY[1], is_absent=True)), None, "Sam", Route.IN_TURN, id="absent-is-too"
        ),
        pytest.param(
            replace(TURN, by=RouteBy.LOAD), BUSY[:2], None, "Sol", Route.LEAST_LOAD, id="least-load"
        ),
        pytest.param(
            replace(TURN, by=RouteBy.LOAD), BUSY, None, "Sue", Route.LEAST_LOAD, id="least-load-in-turn"
        ),
        pytest.param(
            replace(TURN, by=RouteBy.PERSONA), BUSY, "Pia", "Pia", Route.PERSONA_OWNER, id="persona"
        ),
        pytest.param(
            replace(TURN, by=RouteBy.PERSONA), BUSY, "Sol", "Sue", Route.IN_TURN, id="persona-owner-is-full"
        ),
        pytest.param(
            replace(TURN, by=RouteBy.PERSONA), BUSY, None, "Sue", Route.IN_TURN, id="without-persona"
        ),
        pytest.param(replace(TURN, most_open=1), BUSY, None, None, Route.NO_ROOM, id="nobody-has-room"),
    ],
)
def test_who_gets_a_lead(
    rule: RoutingRule | None,
    loads: tuple[SellerLoad, ...],
    persona_owner: str | None,
    owner: str | None,
    route: Route,
) -> None:
    """By the agreed way, never to somebody absent or full."""
    found = choose_owner(rule, loads, persona_owner=persona_owner)
    assert (found.owner, found.route) == (owner, route)
    assert (found.overflow is Overflow.HOLD) == (route is Route.NO_ROOM)


@given(st.sampled_from(RouteBy), st.integers(1, 4), st.lists(st.sampled_from("SM"), max_size=30))
def test_nobody_is_forgotten_and_nobody_overfull(by: RouteBy, most_open: int, people: list[str]) -> None:
    """Leads go round until everybody is full, and the next one is told what becomes of it."""
    rule = RoutingRule(by=by, people=("S", "M", "T"), most_open=most_open, overflow=Overflow.MQL)
    loads = {person: SellerLoad(person=person) for person in rule.people}
    for number in range(3 * most_open):
        owner = choose_owner(rule, loads.values()).owner
        assert owner is not None
        load = loads[owner]
        loads[owner] = replace(
            load, open_handovers=load.open_handovers + 1, last_assigned_at=NOW + number * HOUR
        )
        counts = [one.open_handovers for one in loads.values()]
        assert max(counts) - min(counts) <= 1
    assert choose_owner(rule, loads.values()) == Assignment(
        owner=None, route=Route.NO_ROOM, overflow=Overflow.MQL
    )


def tried(*hours_and_results: tuple[int, AttemptResult], channel: str = "phone") -> tuple[Attempt, ...]:
    """Return attempts so many hours after the handover."""
    return tuple(
        Attempt(attempt_id=f"a{place}", at=NOW + hours * HOUR, channel=channel, result=result)
        for place, (hours, result) in enumerate(hours_and_results)
    )


NO, YES = AttemptResult.NO_ANSWER, AttemptResult.REACHED


@pytest.mark.parametrize(
    ("attempts", "gave_up", "expected"),
    [
        pytest.param(tried((0, NO), (24, NO), (48, NO)), True, [], id="as-agreed"),
        pytest.param(tried((0, NO)), True, [Violation.GAVE_UP_EARLY], id="gave-up-early"),
        pytest.param(tried((0, NO)), False, [], id="still-trying"),
        pytest.param(tried((0, YES)), True, [], id="reached-at-once"),
        pytest.param(tried((0, NO), (23, NO)), False, [Violation.TOO_SOON], id="too-soon"),
        pytest.param(
            tried((0, NO), (24, NO), (48, NO), (72, NO)), True, [Violation.ABOVE_MOST], id="above-most"
        ),
        pytest.param(tried((0, NO), channel="fax"), False, [Violation.OTHER_CHANNEL], id="other-channel"),
        pytest.param(tried((0, YES), (1, NO), (2, NO), (3, NO)), False, [], id="conversations-are-free"),
        pytest.param((*tried((0, NO)), *tried((0, NO))), False, [], id="sent-twice-counts-once"),
    ],
)
def test_what_was_not_kept(attempts: tuple[Attempt, ...], gave_up: bool, expected: list[Violation]) -> None:
    """Least, most, spacing and channels: each broken promise once, and only until the lead is reached."""
    assert [one.kind for one in judge_attempts(attempts, RULE, gave_up=gave_up)] == expected


def test_after_the_most_without_contact_it_goes_back() -> None:
    """Not before, and not when somebody was reached."""
    assert not is_exhausted(tried((0, NO), (24, NO)), RULE)
    assert is_exhausted(tried((0, NO), (24, NO), (48, NO)), RULE)
    reached = tried((0, NO), (24, YES), (48, NO))
    assert has_contact(reached)
    assert not is_exhausted(reached, RULE)


def test_words_of_work() -> None:
    """Numbers and names of the values, in both languages."""
    above = judge_attempts(tried((0, NO), (23, NO), (48, NO), (72, NO)), RULE)
    assert [violation_text(one, "en") for one in above] == [
        "1380 minutes after the attempt before, agreed at least 24 hours",
        "attempt 4, agreed at most 3",
    ]
    assert violation_text(above[1], "de") == "Versuch 4, vereinbart höchstens 3"
    assert assignment_text(choose_owner(TURN, BUSY), "de") == "Sue ist an der Reihe"
    full = choose_owner(replace(TURN, most_open=1, overflow=Overflow.MQL), BUSY)
    assert assignment_text(full, "en") == "nobody has room: it stays MQL"
    assert hold_text(Hold.OTHER_BASIS, "en") == "only model or policy changed, nobody sinks for that"
    verdict = ClockVerdict(status=ClockStatus.DUE_SOON, due_at=NOW, left=HOUR, policy_version=3)
    assert clock_text(ClockKind.SELLER, verdict, "en") == "first answer of sales is due soon"
    met = replace(verdict, status=ClockStatus.MET, met_at=NOW)
    assert clock_text(ClockKind.SYSTEM, met, "de") == "Übergabe kam rechtzeitig"
    late = replace(met, met_at=NOW + HOUR)
    assert clock_text(ClockKind.SYSTEM, late, "en") == "handing over came late"


def test_an_attempt_says_how() -> None:
    """An attempt without channel is none."""
    with pytest.raises(BrokenRulesError, match="channel must not be empty"):
        Attempt(attempt_id="a", at=NOW, channel=" ", result=NO)
