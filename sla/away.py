"""When business time stands still for one lead: a pause with its reason, or the absence of its owner.

Decides what a pause and an absence may be. Both only take open time away; they never add any.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sla.clauses import known_instant_only
from sla.errors import BrokenRule, filled_only, refuse_broken

LONGEST_AWAY = timedelta(days=366)
Span = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """A stretch in which a clock does not run, from `since` up to but without `until`, and why."""

    since: datetime
    until: datetime
    reason: str

    def __post_init__(self) -> None:
        refuse_broken("pause", self._broken_rules())

    def _broken_rules(self) -> Iterator[BrokenRule]:
        yield from filled_only(self, ("reason",))
        yield from _bounded_only(self.since, self.until)


@dataclass(frozen=True, slots=True, kw_only=True)
class Absence:
    """A stretch in which a person does not work, from `since` up to but without `until`."""

    person: str
    since: datetime
    until: datetime

    def __post_init__(self) -> None:
        refuse_broken("absence", self._broken_rules())

    def _broken_rules(self) -> Iterator[BrokenRule]:
        yield from filled_only(self, ("person",))
        yield from _bounded_only(self.since, self.until)

    def covers(self, instant: datetime) -> bool:
        """Say whether the person is away at this instant."""
        return self.since <= instant < self.until


def _bounded_only(since: datetime, until: datetime) -> Iterator[BrokenRule]:
    found = (*known_instant_only("since", since), *known_instant_only("until", until))
    yield from found
    if not found and until < since:
        yield BrokenRule("until", "must not lie before since", until.isoformat(), against="since")
    if not found and until - since > LONGEST_AWAY:
        yield BrokenRule("until", f"must be at most {LONGEST_AWAY.days} days after since", until.isoformat())


def away_spans(away: Iterable[Pause | Absence]) -> tuple[Span, ...]:
    """Return what pauses and absences cover together: spans in UTC, in order, apart, none of length zero."""
    merged: list[Span] = []
    for since, until in sorted((one.since.astimezone(UTC), one.until.astimezone(UTC)) for one in away):
        if since == until:
            continue
        if merged and since <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(until, merged[-1][1])
        else:
            merged.append((since, until))
    return tuple(merged)
