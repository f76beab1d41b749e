"""The period of a report: whole days in the zone of the agreement, and the period it is held against.

Decides which instants belong to a period, and which period came before it: as many whole calendar months
where it is made of those, else as many days.
"""

from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

LONGEST_DAYS = 1100
FIRST_DAY, LAST_DAY = date(1970, 1, 1), date(2199, 12, 31)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportPeriod:
    """Whole days from `first` to `last`, both included, as the clocks on the walls of `zone` count them."""

    first: date
    last: date
    zone: str

    @property
    def since(self) -> datetime:
        """The first instant that belongs to it, UTC."""
        return _midnight(self.first, self.zone)

    @property
    def until(self) -> datetime:
        """The first instant that no longer belongs to it, UTC."""
        return _midnight(self.last + timedelta(days=1), self.zone)

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.last - self.first).days + 1

    @property
    def before(self) -> "ReportPeriod":
        """The period that ends where this one begins: as many calendar months, else as many days."""
        last = self.first - timedelta(days=1)
        first = last - timedelta(days=self.days - 1)
        if self.first.day == 1 and self.last == last_of_month(self.last):
            months = _month_number(self.last) - _month_number(self.first) + 1
            year, month = divmod(_month_number(self.first) - months, 12)
            first = date(year, month + 1, 1)
        return ReportPeriod(first=first, last=last, zone=self.zone)

    def holds(self, instant: datetime) -> bool:
        """Say whether an instant belongs to it."""
        return self.since <= instant < self.until


def last_of_month(day: date) -> date:
    """Return the last day of the calendar month of a day."""
    return day.replace(day=monthrange(day.year, day.month)[1])


def period_of(first: date | None, last: date | None, zone: str, *, now: datetime) -> ReportPeriod:
    """Return the period asked for; an end that is left out is that of the other's calendar month.

    Without both it is the calendar month of `now`. What an asker may ask for is checked at the edges.
    """
    known = first or last or now.astimezone(ZoneInfo(zone)).date()
    return ReportPeriod(first=first or known.replace(day=1), last=last or last_of_month(known), zone=zone)


def _midnight(day: date, zone: str) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)


def _month_number(day: date) -> int:
    return day.year * 12 + day.month - 1
