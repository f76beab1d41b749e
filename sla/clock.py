"""Clocks of a handover: what is due, met, missed and passed up, computed from events and `now`.

Two clocks are kept apart. The *system* clock runs from the act that made a lead an SQL until a seller has
it; the *seller* clock from then until the seller answers: by a first attempt, or by giving the lead back.
Accepting alone answers nobody. Nothing is counted down and nothing is stored here: the same facts give the
same verdict, so a sweep that comes late, twice or from two workers raises the same events with the same
identity.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from sla.away import Absence, Pause, away_spans
from sla.business_time import OpeningHours, add_business_time, business_elapsed
from sla.clauses import known_instant_only
from sla.errors import AgreementError, BrokenRule, refuse_broken


class ClockKind(StrEnum):
    """Whose time a clock counts."""

    SYSTEM = "system"
    SELLER = "seller"


class ClockStatus(StrEnum):
    """How a clock stands at an instant."""

    RUNNING = "running"
    PAUSED = "paused"
    DUE_SOON = "due_soon"
    MET = "met"
    BREACHED = "breached"
    ESCALATED = "escalated"


class Raised(StrEnum):
    """What a clock can raise; each at most once."""

    DUE_SOON = "due_soon"
    MET = "met"
    BREACHED = "breached"
    ESCALATED = "escalated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """One clock of one handover: what was promised, and when it was kept if it was.

    `within` is open time of `hours`, in which what `away` covers does not count. `policy_version` is the
    version under which the promise was made; it stays with every verdict.
    """

    handover_id: str
    kind: ClockKind
    started_at: datetime
    within: timedelta
    hours: OpeningHours
    policy_version: int
    away: tuple[Pause | Absence, ...] = ()
    due_soon: timedelta | None = None
    escalate_after: timedelta | None = None
    met_at: datetime | None = None

    def __post_init__(self) -> None:
        refuse_broken("clock", self._broken_rules())

    def _broken_rules(self) -> Iterator[BrokenRule]:
        yield from known_instant_only("started_at", self.started_at)
        if self.met_at is not None:
            yield from known_instant_only("met_at", self.met_at)
        if self.within <= timedelta(0):
            yield BrokenRule("within", "must be longer than 0", self.within)
        for name in ("due_soon", "escalate_after"):
            limit = getattr(self, name)
            if limit is not None and limit <= timedelta(0):
                yield BrokenRule(name, "must be longer than 0", limit)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockVerdict:
    """How a clock stands: its deadline, what is left of it, and the version of the promise.

    `left` is open time until the deadline, negative after it; once the promise is kept, what was left then.
    """

    status: ClockStatus
    due_at: datetime
    left: timedelta
    policy_version: int
    met_at: datetime | None = None

    @property
    def is_in_time(self) -> bool | None:
        """True when kept in time, False when late or overdue, None while it can still be kept in time."""
        if self.met_at is not None:
            return self.met_at <= self.due_at
        return False if self.status in (ClockStatus.BREACHED, ClockStatus.ESCALATED) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class RaisedEvent:
    """Something a clock raised: `at` is when it became true, not when somebody looked."""

    event_id: str
    handover_id: str
    clock: ClockKind
    kind: Raised
    at: datetime
    policy_version: int


def judge_clock(clock: Clock, *, now: datetime) -> ClockVerdict:
    """Return how a clock stands at `now`; raises AgreementError for a naive `now`."""
    seen = _known_by(clock, now)
    away = away_spans(clock.away)
    due_at = add_business_time(clock.started_at, clock.within, clock.hours, away)
    left = business_elapsed(seen or now, due_at, clock.hours, away)
    return ClockVerdict(
        status=_status(clock, seen, now),
        due_at=due_at,
        left=left,
        policy_version=clock.policy_version,
        met_at=seen,
    )


def raised_events(clock: Clock, *, now: datetime) -> tuple[RaisedEvent, ...]:
    """Return everything the clock has raised up to `now`, in order of time.

    Looking later returns the same events and perhaps more, as long as no earlier fact becomes known.
    """
    ends = _known_by(clock, now)
    found = [(at, kind) for kind, at in _moments(clock) if at < (now if ends is None else ends)]
    if ends is not None:
        found.append((ends, Raised.MET))
    return tuple(_event(clock, kind, at) for at, kind in found)


def next_moment(clock: Clock, *, now: datetime) -> datetime | None:
    """Return when the clock will next raise something if nobody acts; None when nothing is left to raise."""
    if _known_by(clock, now) is not None:
        return None
    return min((at for _kind, at in _moments(clock) if at >= now), default=None)


def event_id(handover_id: str, clock: ClockKind, kind: Raised) -> str:
    """Return the identity of what a clock raises: who computes it again computes the same."""
    parts = (handover_id.encode(), clock.value.encode(), kind.value.encode())
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()[:32]


def _moments(clock: Clock) -> Iterator[tuple[Raised, datetime]]:
    """Yield after which instant each reminder and warning holds if nobody answers, in order."""
    away = away_spans(clock.away)
    due_at = add_business_time(clock.started_at, clock.within, clock.hours, away)
    if clock.due_soon is not None and clock.due_soon < clock.within:
        soon = clock.within - clock.due_soon
        yield Raised.DUE_SOON, add_business_time(clock.started_at, soon, clock.hours, away)
    yield Raised.BREACHED, due_at
    if clock.escalate_after is not None:
        late = clock.within + clock.escalate_after
        yield Raised.ESCALATED, add_business_time(clock.started_at, late, clock.hours, away)


def _known_by(clock: Clock, now: datetime) -> datetime | None:
    """Return when the promise was kept, as known at `now`; kept before the start counts as then."""
    if now.utcoffset() is None:
        raise AgreementError(f"now must have a time zone; got {now.isoformat()}")
    if clock.met_at is None or clock.met_at > now:
        return None
    return max(clock.met_at, clock.started_at).astimezone(UTC)


def _status(clock: Clock, met_at: datetime | None, now: datetime) -> ClockStatus:
    if met_at is not None:
        return ClockStatus.MET
    latest = max((kind for kind, at in _moments(clock) if at < now), default=None, key=tuple(Raised).index)
    if latest in (Raised.BREACHED, Raised.ESCALATED):
        return ClockStatus(latest)
    if any(one.since <= now < one.until for one in clock.away):
        return ClockStatus.PAUSED
    return ClockStatus.DUE_SOON if latest is Raised.DUE_SOON else ClockStatus.RUNNING


def _event(clock: Clock, kind: Raised, at: datetime) -> RaisedEvent:
    return RaisedEvent(
        event_id=event_id(clock.handover_id, clock.kind, kind),
        handover_id=clock.handover_id,
        clock=clock.kind,
        kind=kind,
        at=at,
        policy_version=clock.policy_version,
    )
