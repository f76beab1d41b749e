"""The clauses about work on a lead: limits of the clocks, who gets a handover, how a lead comes back.

Each checks its own meaning when it is built; a policy may leave each out, and then nothing is promised.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from sla.clauses import MOST_RESPONSE, ONE_MINUTE, whole_number_only
from sla.errors import BrokenRule, refuse_broken

MOST_PEOPLE = 200
MOST_RESCORING_HOURS = 720


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockRule:
    """Limits beside the response times, all in open time of sales; None: nothing is agreed.

    `system_within`: from the act that made a lead an SQL until a seller has it. `due_soon`: so long before
    the deadline a seller is reminded. `escalate_after`: so long after a missed one the lead is passed up.
    """

    system_within: timedelta | None = None
    due_soon: timedelta | None = None
    escalate_after: timedelta | None = None

    def __post_init__(self) -> None:
        refuse_broken("clocks", self._broken_rules())

    def _broken_rules(self) -> Iterator[BrokenRule]:
        for name in ("system_within", "due_soon", "escalate_after"):
            limit = getattr(self, name)
            if limit is None:
                continue
            if not timedelta(0) < limit <= MOST_RESPONSE:
                yield BrokenRule(name, "must be longer than 0 and at most 1000 h", limit)
            if limit % ONE_MINUTE:
                yield BrokenRule(name, "must be whole minutes", limit)


class RouteBy(StrEnum):
    """How the owner of a handover is found."""

    ROUND_ROBIN = "round_robin"
    LOAD = "load"
    PERSONA = "persona"


class Overflow(StrEnum):
    """What becomes of an SQL for which nobody has room: it stays with marketing as MQL, or waits in sight."""

    MQL = "mql"
    HOLD = "hold"


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingRule:
    """Who in sales gets a handover, and what happens when nobody has room.

    `most_open` is how many open handovers one person has at most; None: no limit. By persona, the persona's
    owner in sales comes first; without one, or without room there, the turn goes round.
    """

    by: RouteBy
    people: tuple[str, ...]
    most_open: int | None = None
    overflow: Overflow = Overflow.HOLD

    def __post_init__(self) -> None:
        refuse_broken("routing", self._broken_rules())

    def _broken_rules(self) -> Iterator[BrokenRule]:
        if not self.people or not all(person.strip() for person in self.people):
            yield BrokenRule("people", "must list at least one person, none empty", self.people)
        if len(set(self.people)) < len(self.people):
            yield BrokenRule("people", "must not repeat a person", self.people)
        if len(self.people) > MOST_PEOPLE:
            yield BrokenRule("people", f"must list at most {MOST_PEOPLE} people", len(self.people))
        if self.most_open is not None:
            yield from whole_number_only("most_open", self.most_open, 1, 10_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class RescoringRule:
    """How often open leads are scored again though nothing happened, and which change is worth telling.

    A change of `step_points` or less, in whole points of the score, is neither stored nor sent.
    """

    every_hours: int
    step_points: int

    def __post_init__(self) -> None:
        refuse_broken("rescoring", self._broken_rules())

    def _broken_rules(self) -> Iterator[BrokenRule]:
        yield from whole_number_only("every_hours", self.every_hours, 1, MOST_RESCORING_HOURS)
        yield from whole_number_only("step_points", self.step_points, 0, 50)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecyclingRule:
    """How long a lead that came back from sales rests before a score may lift it again."""

    cool_off_days: int

    def __post_init__(self) -> None:
        refuse_broken("recycling", whole_number_only("cool_off_days", self.cool_off_days, 0, 3650))
