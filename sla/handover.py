"""Handovers: who in sales gets a lead, how often it must be tried, and when it goes back to marketing.

Decides the owner from the agreed routing and the present load, and judges the attempts against the agreed
least and most, spacing and channels. A violation is a value that both sides can see; it stops nobody.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sla.clauses import AttemptRule, known_instant_only
from sla.clauses_work import Overflow, RouteBy, RoutingRule
from sla.errors import filled_only, refuse_broken


class Direction(StrEnum):
    """Which way a lead is passed."""

    TO_SALES = "to_sales"
    TO_MARKETING = "to_marketing"


class HandoverStatus(StrEnum):
    """How far a handover is."""

    HELD = "held"
    OPEN = "open"
    ACCEPTED = "accepted"
    RETURNED = "returned"
    DONE = "done"
    WITHDRAWN = "withdrawn"


RUNNING = frozenset({HandoverStatus.HELD, HandoverStatus.OPEN, HandoverStatus.ACCEPTED})
"""The statuses in which somebody in sales still owes something."""


class ReasonGroup(StrEnum):
    """The groups in which reasons for giving a lead back are counted."""

    TARGETING = "targeting"
    TIMING = "timing"
    DATA = "data"
    OFFER = "offer"
    CONTENT = "content"
    MODEL = "model"


class AttemptResult(StrEnum):
    """What came of one attempt."""

    REACHED = "reached"
    REPLIED = "replied"
    NO_ANSWER = "no_answer"
    LEFT_MESSAGE = "left_message"
    WRONG_CONTACT = "wrong_contact"


CONTACT = frozenset({AttemptResult.REACHED, AttemptResult.REPLIED})
"""The results that mean the lead was spoken to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try to reach a lead."""

    attempt_id: str
    at: datetime
    channel: str
    result: AttemptResult

    def __post_init__(self) -> None:
        refuse_broken("attempt", filled_only(self, ("attempt_id", "channel")))
        refuse_broken("attempt", known_instant_only("at", self.at))


class Violation(StrEnum):
    """A promise about attempts that was not kept."""

    ABOVE_MOST = "above_most"
    TOO_SOON = "too_soon"
    OTHER_CHANNEL = "other_channel"
    GAVE_UP_EARLY = "gave_up_early"


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptViolation:
    """One broken promise: which attempt (None: the end of trying), the value and the limit it breaks."""

    kind: Violation
    attempt_id: str | None
    value: str
    limit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SellerLoad:
    """What one person in sales has at the moment."""

    person: str
    open_handovers: int = 0
    last_assigned_at: datetime | None = None
    is_absent: bool = False


class Route(StrEnum):
    """How an owner was found, or why there is none."""

    PERSONA_OWNER = "persona_owner"
    LEAST_LOAD = "least_load"
    IN_TURN = "in_turn"
    NOT_AGREED = "not_agreed"
    NO_ROOM = "no_room"


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """Who gets a lead, and why; without an owner, `overflow` says what becomes of it."""

    owner: str | None
    route: Route
    overflow: Overflow | None = None


def choose_owner(
    rule: RoutingRule | None, loads: Iterable[SellerLoad], *, persona_owner: str | None = None
) -> Assignment:
    """Return who gets the next lead; nobody who is absent or has the agreed most of open handovers.

    `loads` of people who are not in the rule do not count, except for the persona's owner. A person without a
    load has nothing. Equal candidates are taken in the order of the policy.
    """
    if rule is None:
        return Assignment(owner=None, route=Route.NOT_AGREED)
    known = {load.person: load for load in loads}
    if rule.by is RouteBy.PERSONA and persona_owner is not None:
        load = known.get(persona_owner, SellerLoad(person=persona_owner))
        if _has_room(load, rule):
            return Assignment(owner=persona_owner, route=Route.PERSONA_OWNER)
    people = [known.get(person, SellerLoad(person=person)) for person in rule.people]
    free = [load for load in people if _has_room(load, rule)]
    if not free:
        return Assignment(owner=None, route=Route.NO_ROOM, overflow=rule.overflow)
    if rule.by is RouteBy.LOAD:
        least = min(load.open_handovers for load in free)
        free = [load for load in free if load.open_handovers == least]
        return Assignment(owner=min(free, key=_last_turn).person, route=Route.LEAST_LOAD)
    return Assignment(owner=min(free, key=_last_turn).person, route=Route.IN_TURN)


def _has_room(load: SellerLoad, rule: RoutingRule) -> bool:
    return not load.is_absent and (rule.most_open is None or load.open_handovers < rule.most_open)


def _last_turn(load: SellerLoad) -> tuple[bool, float]:
    """Sort by who waits longest; whoever never had a turn comes first."""
    last = load.last_assigned_at
    return (False, 0.0) if last is None else (True, last.timestamp())


def in_order(attempts: Iterable[Attempt]) -> tuple[Attempt, ...]:
    """Return attempts once each, by time, then by id."""
    unique = {attempt.attempt_id: attempt for attempt in attempts}
    return tuple(sorted(unique.values(), key=lambda one: (one.at, one.attempt_id)))


def has_contact(attempts: Iterable[Attempt]) -> bool:
    """Say whether any attempt reached the lead."""
    return any(attempt.result in CONTACT for attempt in attempts)


def is_exhausted(attempts: Iterable[Attempt], rule: AttemptRule) -> bool:
    """Say whether the agreed most has been tried without contact: then the lead goes back to marketing."""
    tried = in_order(attempts)
    return len(tried) >= rule.most and not has_contact(tried[: rule.most])


def judge_attempts(
    attempts: Iterable[Attempt], rule: AttemptRule, *, gave_up: bool = False
) -> tuple[AttemptViolation, ...]:
    """Return every broken promise about attempts, in their order.

    Attempts after the lead was reached are conversations and are not judged. `gave_up` says that the lead was
    given back as not reached.
    """
    tried = in_order(attempts)
    ends = next((place + 1 for place, one in enumerate(tried) if one.result in CONTACT), len(tried))
    found = list(_broken_by_attempts(tried[:ends], rule))
    if gave_up and not has_contact(tried) and len(tried) < rule.least:
        found.append(_violation(Violation.GAVE_UP_EARLY, None, len(tried), rule.least))
    return tuple(found)


def _broken_by_attempts(tried: tuple[Attempt, ...], rule: AttemptRule) -> Iterator[AttemptViolation]:
    spacing = timedelta(hours=rule.spacing_hours)
    for place, attempt in enumerate(tried):
        if attempt.channel not in rule.channels:
            channels = ", ".join(rule.channels)
            yield _violation(Violation.OTHER_CHANNEL, attempt, attempt.channel, channels)
        if place > 0 and attempt.at - tried[place - 1].at < spacing:
            waited = (attempt.at - tried[place - 1].at) // timedelta(minutes=1)
            yield _violation(Violation.TOO_SOON, attempt, waited, rule.spacing_hours)
        if place >= rule.most:
            yield _violation(Violation.ABOVE_MOST, attempt, place + 1, rule.most)


def _violation(kind: Violation, attempt: Attempt | None, value: object, limit: object) -> AttemptViolation:
    attempt_id = None if attempt is None else attempt.attempt_id
    return AttemptViolation(kind=kind, attempt_id=attempt_id, value=str(value), limit=str(limit))
