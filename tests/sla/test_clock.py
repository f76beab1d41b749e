"""Clocks: computed from facts and now; the same however often, late or by how many they are swept."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sla.away import Pause
from sla.business_time import OpeningHours
from sla.clock import (
    Clock,
    ClockKind,
    ClockStatus,
    Raised,
    RaisedEvent,
    event_id,
    judge_clock,
    next_moment,
    raised_events,
)
from sla.errors import AgreementError, BrokenRulesError
from tests.builders_policy import NOW, OFFICE_HOURS, opening_hours

HOUR = timedelta(hours=1)
CLOCK = Clock(
    handover_id="H1",
    kind=ClockKind.SELLER,
    started_at=NOW,
    within=4 * HOUR,
    hours=OFFICE_HOURS,
    policy_version=3,
    due_soon=HOUR,
    escalate_after=2 * HOUR,
)
DUE = NOW + 4 * HOUR
"""Monday ten o'clock in Berlin, and two in the afternoon."""


@pytest.mark.parametrize(
    ("after", "met_after", "status", "in_time"),
    [
        pytest.param(HOUR, None, ClockStatus.RUNNING, None, id="running"),
        pytest.param(3 * HOUR, None, ClockStatus.RUNNING, None, id="not-yet-soon"),
        pytest.param(3.5 * HOUR, None, ClockStatus.DUE_SOON, None, id="due-soon"),
        pytest.param(4 * HOUR, None, ClockStatus.DUE_SOON, None, id="on-the-deadline"),
        pytest.param(5 * HOUR, None, ClockStatus.BREACHED, False, id="breached"),
        pytest.param(24 * HOUR, None, ClockStatus.ESCALATED, False, id="escalated"),
        pytest.param(5 * HOUR, 4 * HOUR, ClockStatus.MET, True, id="met-on-the-deadline"),
        pytest.param(9 * HOUR, 5 * HOUR, ClockStatus.MET, False, id="met-late"),
        pytest.param(2 * HOUR, 3 * HOUR, ClockStatus.RUNNING, None, id="met-in-the-future-is-not-known"),
        pytest.param(HOUR, -HOUR, ClockStatus.MET, True, id="met-before-it-started"),
    ],
)
def test_a_clock_at_an_instant(
    after: timedelta, met_after: timedelta | None, status: ClockStatus, in_time: bool | None
) -> None:
    """Status and whether the promise was kept, each on its own side of the deadline."""
    clock = replace(CLOCK, met_at=None if met_after is None else NOW + met_after)
    verdict = judge_clock(clock, now=NOW + after)
    assert (verdict.status, verdict.is_in_time) == (status, in_time)
    assert (verdict.due_at, verdict.policy_version) == (DUE, 3)


def test_a_pause_moves_the_deadline() -> None:
    """While it is paused a clock says so, and what is left stays."""
    pause = Pause(since=NOW + HOUR, until=NOW + 3 * HOUR, reason="customer asked to wait")
    verdict = judge_clock(replace(CLOCK, away=(pause,)), now=NOW + 2 * HOUR)
    assert verdict.status is ClockStatus.PAUSED
    assert verdict.left == 3 * HOUR
    assert verdict.due_at == DUE + 2 * HOUR


def kinds(events: tuple[RaisedEvent, ...]) -> list[Raised]:
    """Return what was raised."""
    return [event.kind for event in events]


def test_everything_is_raised_at_its_own_time() -> None:
    """A sweep a week late raises what an early one would have, at the same instants."""
    late = raised_events(CLOCK, now=NOW + 200 * HOUR)
    assert kinds(late) == [Raised.DUE_SOON, Raised.BREACHED, Raised.ESCALATED]
    assert [event.at for event in late] == [NOW + 3 * HOUR, DUE, DUE + 2 * HOUR]
    answered = replace(CLOCK, met_at=NOW + 5 * HOUR)
    assert kinds(raised_events(answered, now=NOW + 200 * HOUR)) == [
        Raised.DUE_SOON,
        Raised.BREACHED,
        Raised.MET,
    ]
    assert kinds(raised_events(replace(CLOCK, met_at=DUE), now=NOW + 200 * HOUR))[-1] is Raised.MET
    assert next_moment(CLOCK, now=NOW) == NOW + 3 * HOUR
    assert next_moment(CLOCK, now=NOW + 200 * HOUR) is None
    assert next_moment(answered, now=NOW + 6 * HOUR) is None


def test_a_reminder_as_long_as_the_promise_is_none() -> None:
    """It would come before the clock starts; and without limits only the deadline is raised."""
    short = replace(CLOCK, due_soon=4 * HOUR, escalate_after=None)
    assert kinds(raised_events(short, now=NOW + 200 * HOUR)) == [Raised.BREACHED]
    bare = replace(CLOCK, due_soon=None)
    assert judge_clock(bare, now=NOW + 3.5 * HOUR).status is ClockStatus.RUNNING


moments = st.integers(-100, 20_000).map(lambda minutes: NOW + timedelta(minutes=minutes))


@given(opening_hours(), moments, st.one_of(st.none(), moments), st.lists(moments, min_size=1, max_size=5))
def test_however_it_is_swept_each_is_raised_once(
    hours: OpeningHours, started_at: datetime, met_at: datetime | None, sweeps: list[datetime]
) -> None:
    """The union of sweeps at any times, in any order, is what the last one alone raises."""
    clock = replace(
        CLOCK, hours=hours, started_at=started_at, within=timedelta(minutes=9), due_soon=timedelta(minutes=5),
        escalate_after=timedelta(minutes=3), met_at=met_at,
    )  # fmt: skip
    together = {event for now in sweeps for event in raised_events(clock, now=now)}
    assert together == set(raised_events(clock, now=max(sweeps)))
    assert len({event.event_id for event in together}) == len(together)
    final = raised_events(clock, now=max(sweeps))
    assert [event.at for event in final] == sorted(event.at for event in final)
    coming = next_moment(clock, now=max(sweeps))
    if coming is not None:
        assert len(raised_events(clock, now=coming + timedelta(microseconds=1))) == len(final) + 1


def test_identities_do_not_collide() -> None:
    """Another handover, clock or kind is another event."""
    ids = {event_id(h, clock, kind) for h in ("a", "b") for clock in ClockKind for kind in Raised}
    assert len(ids) == 16


def test_a_clock_needs_a_promise_and_a_zone() -> None:
    """All broken rules at once; a naive now is refused."""
    naive = datetime(2026, 1, 1)  # noqa: DTZ001
    with pytest.raises(BrokenRulesError, match=r"started_at.*met_at.*within must be.*due_soon must"):
        replace(CLOCK, started_at=naive, met_at=naive, within=timedelta(0), due_soon=-HOUR)
    with pytest.raises(AgreementError, match="now must have a time zone"):
        judge_clock(CLOCK, now=naive)
    assert judge_clock(CLOCK, now=datetime(2026, 11, 23, 9, tzinfo=UTC)).left == 4 * HOUR
