"""The life of a lead: one table of moves between stages, and a fold over events that gives the present state.

Events are put in order of the time they happened, then of their id; one that comes late or twice therefore
ends in the same state. What an event may move is a row of `MOVES`; what no row names moves nothing and is
kept with the reason. Scores move a lead only as far as hysteresis was decided in `sla.policy`; here three
more rules hold: a recycled lead rests, a lead that a seller works on is not taken away by a score, and
nobody sinks because model or policy changed, but only by a lower score under the versions that confirmed
the stage.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from sla.clauses import known_instant_only
from sla.errors import BrokenRule, filled_only, refuse_broken
from sla.stages import Stage, rank


class EventKind(StrEnum):
    """What can happen to a lead that concerns its stage."""

    SCORED = "scored"
    ACCEPTED = "accepted"
    ATTEMPTED = "attempted"
    REJECTED = "rejected"
    RECYCLED = "recycled"
    NO_CONTACT = "no_contact"
    OPENED = "opened"
    WON = "won"
    LOST = "lost"
    RELEASED = "released"


GIVEN_BACK = frozenset({EventKind.REJECTED, EventKind.RECYCLED, EventKind.NO_CONTACT, EventKind.LOST})
"""The events after which marketing has the lead again."""

_OPEN_FUNNEL = (Stage.LEAD, Stage.MQL, Stage.SQL, Stage.RECYCLED)
_ALL_BUT_CUSTOMER = tuple(stage for stage in Stage if stage is not Stage.CUSTOMER)

MOVES: tuple[tuple[EventKind, tuple[Stage, ...], Stage | None], ...] = (
    (EventKind.SCORED, _OPEN_FUNNEL, None),
    (EventKind.ACCEPTED, (Stage.SQL,), Stage.SQL),
    (EventKind.ATTEMPTED, (Stage.SQL,), Stage.SQL),
    (EventKind.REJECTED, (Stage.SQL,), Stage.RECYCLED),
    (EventKind.RECYCLED, (Stage.SQL, Stage.OPPORTUNITY), Stage.RECYCLED),
    (EventKind.NO_CONTACT, (Stage.SQL,), Stage.RECYCLED),
    (EventKind.OPENED, (*_OPEN_FUNNEL, Stage.DISQUALIFIED), Stage.OPPORTUNITY),
    (EventKind.WON, _ALL_BUT_CUSTOMER, Stage.CUSTOMER),
    (EventKind.LOST, (Stage.LEAD, Stage.MQL, Stage.SQL, Stage.OPPORTUNITY), Stage.RECYCLED),
    (EventKind.RELEASED, tuple(Stage), None),
)
"""What happens -> the stages it applies in -> the stage it leads to (None: the event says)."""


class Hold(StrEnum):
    """Why an event moved nothing."""

    NO_MOVE = "no_move"
    RESTS = "rests"
    DWELLS = "dwells"
    WORKED_ON = "worked_on"
    OTHER_BASIS = "other_basis"


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadEvent:
    """Something that happened to one lead.

    A score says the `stage` the policy gave, the `basis` (versions of model and policy) and how many days
    that policy lets a lead dwell and rest; `lifts` says that an agreed action did it, which needs no rest.
    """

    event_id: str
    occurred_at: datetime
    kind: EventKind
    stage: Stage | None = None
    basis: str = ""
    dwell_days: int = 0
    rest_days: int = 0
    lifts: bool = False

    def __post_init__(self) -> None:
        refuse_broken("event", self._broken_rules())

    def _broken_rules(self) -> Iterator[BrokenRule]:
        yield from filled_only(self, ("event_id",))
        yield from known_instant_only("occurred_at", self.occurred_at)
        if (self.kind is EventKind.SCORED) != (self.stage is not None):
            yield BrokenRule("stage", "must be given for a score and for nothing else", self.stage)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One event as it was taken: the stage before and after, and why it moved nothing if it did not."""

    event: LeadEvent
    before: Stage
    after: Stage
    cycle: int
    hold: Hold | None = None

    @property
    def moved(self) -> bool:
        """True when the stage is another than before."""
        return self.before is not self.after


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadState:
    """Where a lead stands.

    `cycle` counts its runs through the funnel from 1, `entries` how often it became an SQL in this one;
    `held` is the lower stage that another model or policy would give it.
    """

    stage: Stage = Stage.LEAD
    since: datetime | None = None
    cycle: int = 1
    entries: int = 0
    basis: str = ""
    is_worked_on: bool = False
    held: Stage | None = None
    last_move: EventKind | None = None
    steps: tuple[Step, ...] = ()


def fold_events(events: Iterable[LeadEvent], *, created_at: datetime | None = None) -> LeadState:
    """Return the state all events lead to, whatever order they come in and however often each comes.

    Two events of one id and different content are one: the later one, then the one that is greater as text.
    """
    state = LeadState(since=created_at)
    for event in in_order(events):
        state = _take(state, event)
    return state


def in_order(events: Iterable[LeadEvent]) -> tuple[LeadEvent, ...]:
    """Return events once each, by the time they happened, then by id."""
    unique: dict[str, LeadEvent] = {}
    for event in events:
        known = unique.get(event.event_id)
        if known is None or _precedence(known) < _precedence(event):
            unique[event.event_id] = event
    return tuple(sorted(unique.values(), key=lambda one: (one.occurred_at, one.event_id)))


def _precedence(event: LeadEvent) -> tuple[datetime, str]:
    return event.occurred_at.astimezone(UTC), repr(event)


def _take(state: LeadState, event: LeadEvent) -> LeadState:
    """Return the state after one event; the event is kept as a step, also when it moves nothing."""
    target = _target(state, event)
    hold = Hold.NO_MOVE if target is None else _hold(state, event, target)
    after = state.stage if target is None or hold is not None else target
    step = Step(event=event, before=state.stage, after=after, cycle=state.cycle, hold=hold)
    return replace(_moved(state, step), steps=(*state.steps, step))


def stage_at(state: LeadState, instant: datetime) -> Stage:
    """Return the stage a lead was in at an instant, as far as is known now; before its first event a lead."""
    steps = [step for step in state.steps if step.event.occurred_at <= instant]
    return steps[-1].after if steps else Stage.LEAD


def _target(state: LeadState, event: LeadEvent) -> Stage | None:
    """Return the stage the table leads to, None when no row fits; a release leads to the one held so far."""
    released = state.held if event.kind is EventKind.RELEASED and not state.is_worked_on else None
    for kind, stages, to in MOVES:
        if kind is event.kind and state.stage in stages:
            return to or event.stage or released or state.stage
    return None


def _hold(state: LeadState, event: LeadEvent, target: Stage) -> Hold | None:
    """Return the first rule that keeps a score from moving the lead."""
    if event.kind is EventKind.SCORED and target is not Stage.DISQUALIFIED:
        return next((hold for hold, applies in _HOLDS if applies(state, event, target)), None)
    return None


def _is_resting(state: LeadState, event: LeadEvent, target: Stage) -> bool:
    leaves = state.stage is Stage.RECYCLED and target is not Stage.RECYCLED
    return leaves and not event.lifts and _time_here(state, event) < timedelta(days=event.rest_days)


def _falls_below_recycled(state: LeadState, _event: LeadEvent, target: Stage) -> bool:
    return state.stage is Stage.RECYCLED and target is Stage.LEAD


def _is_worked_on(state: LeadState, _event: LeadEvent, target: Stage) -> bool:
    return state.is_worked_on and rank(target) < rank(state.stage)


def _dwells(state: LeadState, event: LeadEvent, target: Stage) -> bool:
    sinks = rank(target) < rank(state.stage)
    return sinks and _time_here(state, event) < timedelta(days=event.dwell_days)


def _has_other_basis(state: LeadState, event: LeadEvent, target: Stage) -> bool:
    return rank(target) < rank(state.stage) and event.basis != state.basis


def _time_here(state: LeadState, event: LeadEvent) -> timedelta:
    return event.occurred_at - (state.since or event.occurred_at)


def _moved(state: LeadState, step: Step) -> LeadState:
    """Return the state with what follows from a step, besides the step itself."""
    event = step.event
    if step.hold is Hold.OTHER_BASIS:
        return replace(state, held=event.stage)
    if step.hold is not None:
        return state
    if event.kind in (EventKind.SCORED, EventKind.RELEASED):
        state = replace(state, basis=event.basis, held=None)
    if event.kind in (EventKind.ACCEPTED, EventKind.ATTEMPTED):
        state = replace(state, is_worked_on=True)
    return _entered(state, step) if step.moved else state


def _entered(state: LeadState, step: Step) -> LeadState:
    """Return the state in a new stage: being given back ends a cycle, becoming an SQL is counted."""
    ends_cycle = step.after is Stage.RECYCLED
    entries = 0 if ends_cycle else state.entries + (step.after is Stage.SQL)
    return replace(
        state,
        stage=step.after,
        since=step.event.occurred_at,
        cycle=state.cycle + ends_cycle,
        entries=entries,
        is_worked_on=False,
        held=None,
        last_move=step.event.kind,
    )


_HOLDS: tuple[tuple[Hold, Callable[[LeadState, LeadEvent, Stage], bool]], ...] = (
    (Hold.NO_MOVE, _falls_below_recycled),
    (Hold.RESTS, _is_resting),
    (Hold.WORKED_ON, _is_worked_on),
    (Hold.DWELLS, _dwells),
    (Hold.OTHER_BASIS, _has_other_basis),
)
"""The rules that hold a score back, in the order they are asked."""
