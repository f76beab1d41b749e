"""How full sales is: hours of work that lie there now, those expected in the next week, and the capacity.

Decides how work is turned into hours. Holidays and absences shorten the capacity of a week, by open time.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sla.away import Absence, away_spans
from sla.business_time import OpeningHours, business_elapsed
from sla.clauses_pledges import CapacityRule

WEEK = timedelta(weeks=1)
RATE_WEEKS = 4
"""New SQLs are expected as often as they came in so many weeks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SellerLoad:
    """The work of a team: SQLs that run and attempts they still owe, new SQLs expected within a week.

    Hours are None where no capacity is agreed. `capacity_hours` are those of the next seven days.
    """

    open_sqls: int
    attempts_owed: int
    new_sqls_expected: float
    hours_now: float | None
    hours_next_week: float | None
    capacity_hours: float | None

    @property
    def share(self) -> float | None:
        """How much of the capacity is needed; None where none is agreed or nobody is there."""
        if self.hours_next_week is None or not self.capacity_hours:
            return None
        return self.hours_next_week / self.capacity_hours


def seller_load(
    rule: CapacityRule | None,
    *,
    open_sqls: int,
    attempts_owed: int,
    new_sqls: int,
    weeks: float = RATE_WEEKS,
    attempts_per_sql: int,
    presence: float = 1.0,
) -> SellerLoad:
    """Return the load of a team to which `new_sqls` came in the last `weeks`.

    A new SQL is expected to need the agreed least of attempts. `presence` is the part of a normal week that
    the team will be there.
    """
    expected = new_sqls / weeks
    now = next_week = capacity = None
    if rule is not None:
        now = open_sqls * rule.hours_per_sql + attempts_owed * rule.hours_per_attempt
        each = rule.hours_per_sql + attempts_per_sql * rule.hours_per_attempt
        next_week, capacity = now + expected * each, rule.hours_per_week * presence
    return SellerLoad(
        open_sqls=open_sqls,
        attempts_owed=attempts_owed,
        new_sqls_expected=expected,
        hours_now=now,
        hours_next_week=next_week,
        capacity_hours=capacity,
    )


def presence_of(
    hours: OpeningHours, absences: Iterable[Absence], *, people: tuple[str, ...], now: datetime
) -> float:
    """Return the open time of the next seven days in parts of a normal week, over all people.

    Without named people it is that of the team, which nobody's absence shortens.
    """
    known = tuple(absences)
    names = people or ("",)
    there = (
        business_elapsed(
            now, now + WEEK, hours, away_spans(one for one in known if people and one.person == name)
        )
        for name in names
    )
    normal = timedelta(minutes=hours.minutes_per_week) * len(names)
    return sum(there, timedelta(0)) / normal
