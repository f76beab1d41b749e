"""Business time: how opening hours, a time zone and holidays turn a duration into a deadline.

One rule decides everything: an instant is open when the clock on the wall of the zone reads an opening
time on a day that is no holiday. So a clock change needs no rule of its own: an hour that the clock skips
is never open, one that it shows twice is open twice. A day agreed as open has its own openings, whatever the
weekday and the holidays say. What pauses and absence cover (`sla.away`) is taken out of the open time.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from sla.errors import AgreementError, BrokenRule, refuse_broken
from sla.public_holidays import PublicHolidays

MINUTES_PER_DAY = 24 * 60
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
FIRST_YEAR, LAST_YEAR = 1900, 9900
"""Instants outside have no room left for a deadline in the calendar of the standard library."""

MOST_HOLIDAYS = 366
SEARCH_DAYS = 3660
"""How far ahead an open instant is looked for: ten years. A year of weeks, one week more for each holiday and
each clock change is less than that, so a policy that could be built always finds its deadline."""

_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)
_LAST_INSTANT = datetime(9990, 1, 1, tzinfo=UTC)
Span = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True, order=True)
class Opening:
    """One stretch of opening hours of a day, in minutes after midnight on the wall clock; end excluded."""

    start_minute: int
    end_minute: int

    def __post_init__(self) -> None:
        refuse_broken("opening", self._broken_rules())

    def _broken_rules(self) -> Iterator[BrokenRule]:
        if not 0 <= self.start_minute < MINUTES_PER_DAY:
            yield BrokenRule("start_minute", "must lie in [0, 1439]", self.start_minute)
        if self.end_minute > MINUTES_PER_DAY:
            yield BrokenRule("end_minute", "must be at most 1440", self.end_minute)
        if self.end_minute <= self.start_minute:
            yield BrokenRule("end_minute", "must lie after the start", self.end_minute)

    @property
    def text(self) -> str:
        """The opening as people write it: "09:00-12:30"."""
        return f"{_clock_face(self.start_minute)}-{_clock_face(self.end_minute)}"

    @property
    def minutes(self) -> int:
        """Length on a day without a clock change."""
        return self.end_minute - self.start_minute


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenDay:
    """One date on which a team works by agreement, with the openings of that day."""

    date: date
    openings: tuple[Opening, ...]

    def __post_init__(self) -> None:
        refuse_broken("open_day", self._broken_rules())

    def _broken_rules(self) -> Iterator[BrokenRule]:
        if not self.openings:
            yield BrokenRule("openings", "must have at least one opening", "none")
        yield from _in_order_only("openings", self.openings)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningHours:
    """When a team works: openings for Monday to Sunday in the wall time of `zone`, and the exceptions.

    `holidays` and `open_days` are the company's own calendar, days closed and days open by agreement;
    `public` are the public holidays of where the team is. An open day wins over everything.
    """

    zone: str
    weekdays: tuple[tuple[Opening, ...], ...]
    holidays: frozenset[date] = frozenset()
    public: PublicHolidays | None = None
    open_days: tuple[OpenDay, ...] = ()

    def __post_init__(self) -> None:
        refuse_broken("hours", self._broken_rules())

    def _broken_rules(self) -> Iterator[BrokenRule]:
        if not is_known_zone(self.zone):
            yield BrokenRule("zone", "must be an IANA time zone such as Europe/Berlin", self.zone)
        if len(self.weekdays) != len(WEEKDAYS):
            yield BrokenRule("weekdays", "must name Monday to Sunday", len(self.weekdays))
        for name, openings in zip(WEEKDAYS, self.weekdays, strict=False):
            yield from _in_order_only(name, openings)
        if self.minutes_per_week == 0:
            yield BrokenRule("weekdays", "must have at least one opening in the week", "none")
        if len(self.closed_dates) > MOST_HOLIDAYS:
            rule = f"must list at most {MOST_HOLIDAYS} dates, public ones included"
            yield BrokenRule("holidays", rule, len(self.closed_dates))
        dates = [one.date for one in self.open_days]
        if len(dates) > MOST_HOLIDAYS:
            yield BrokenRule("open_days", f"must list at most {MOST_HOLIDAYS} days", len(dates))
        for day in sorted(day for day in set(dates) if dates.count(day) > 1 or day in self.holidays):
            rule = "must name a date once, and none that is closed by agreement"
            yield BrokenRule("open_days", rule, day, against="holidays")

    @property
    def closed_dates(self) -> frozenset[date]:
        """The dates closed by agreement or by law."""
        return self.holidays if self.public is None else self.holidays | self.public.dates

    @property
    def minutes_per_week(self) -> int:
        """Open minutes in a week without holidays and clock changes."""
        return sum(opening.minutes for openings in self.weekdays for opening in openings)

    def openings_on(self, day: date) -> tuple[Opening, ...]:
        """Return the openings of one local date; none on a holiday, unless the day was agreed as open."""
        for one in self.open_days:
            if one.date == day:
                return one.openings
        if day in self.holidays or (self.public is not None and day in self.public.dates):
            return ()
        return self.weekdays[day.weekday()]


def _in_order_only(name: str, openings: tuple[Opening, ...]) -> Iterator[BrokenRule]:
    """Yield a broken rule when openings of a day are not in order or overlap."""
    if any(later.start_minute < earlier.end_minute for earlier, later in pairwise(openings)):
        written = ", ".join(opening.text for opening in openings)
        yield BrokenRule(name, "must list openings in order and without overlap", written)


def _clock_face(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def is_known_zone(name: str) -> bool:
    """Say whether the time zone database of this machine knows the name."""
    try:
        ZoneInfo(name)
    except (OSError, ValueError, KeyError):  # a folder, a malformed name, ZoneInfoNotFoundError
        return False
    return True


def add_business_time(
    start: datetime, duration: timedelta, hours: OpeningHours, away: tuple[Span, ...] = ()
) -> datetime:
    """Return the instant (UTC) at which `duration` of open time has passed since `start`.

    `away` are spans in which no time passes, as `sla.away.away_spans` gives them. A duration of zero gives
    the first open instant at or after `start`. A deadline that falls on the end of an opening is that end,
    not the start of the next. Raises AgreementError when `start` is naive, the duration is negative, or no
    such instant lies within ten years, `away` not counted.
    """
    if duration < timedelta(0):
        raise AgreementError(f"a business duration must not be negative; got {duration}")
    begin, left = _to_utc(start), duration
    missed = sum((until - since for since, until in away), timedelta(0))
    end = min(begin + SEARCH_DAYS * _DAY + missed, _LAST_INSTANT)
    for opens, closes in _without(_open_spans(begin, end, hours), away):
        if left <= closes - opens:
            return opens + left
        left -= closes - opens
    raise AgreementError(f"{duration} of open time after {begin.isoformat()} is more than ten years away")


def business_elapsed(
    start: datetime, end: datetime, hours: OpeningHours, away: tuple[Span, ...] = ()
) -> timedelta:
    """Return the open time between two instants; negative when `end` lies before `start`.

    Raises AgreementError when one of them is naive.
    """
    first, last = _to_utc(start), _to_utc(end)
    if last < first:
        return -business_elapsed(last, first, hours, away)
    spans = _without(_open_spans(first, last, hours), away)
    return sum((closes - opens for opens, closes in spans), timedelta(0))


def _to_utc(instant: datetime) -> datetime:
    if instant.utcoffset() is None:
        raise AgreementError(f"business time needs an instant with a time zone; got {instant.isoformat()}")
    if not FIRST_YEAR <= instant.year <= LAST_YEAR:
        raise AgreementError(f"business time knows the years {FIRST_YEAR} to {LAST_YEAR}; got {instant.year}")
    return instant.astimezone(UTC)


def _open_spans(begin: datetime, end: datetime, hours: OpeningHours) -> Iterator[Span]:
    """Yield the open stretches inside [begin, end) in order, none of length zero.

    Within one stretch of constant offset, wall time is UTC shifted by it, so plain arithmetic is exact.
    """
    for since, until, offset in _constant_offsets(begin, end, ZoneInfo(hours.zone)):
        wall_since, wall_until = since + offset, until + offset
        day = wall_since.replace(hour=0, minute=0, second=0, microsecond=0)
        while day < wall_until:
            for opening in hours.openings_on(day.date()):
                opens = max(wall_since, day + timedelta(minutes=opening.start_minute))
                closes = min(wall_until, day + timedelta(minutes=opening.end_minute))
                if opens < closes:
                    yield opens - offset, closes - offset
            day += _DAY


def _without(spans: Iterator[Span], away: tuple[Span, ...]) -> Iterator[Span]:
    """Yield what is left of open stretches when others (in order, apart) are taken out."""
    for opens, closes in spans:
        at = opens
        for since, until in away:
            if since < closes and until > at:
                if at < since:
                    yield at, since
                at = until
        if at < closes:
            yield at, closes


def _constant_offsets(
    begin: datetime, end: datetime, zone: ZoneInfo
) -> Iterator[tuple[datetime, datetime, timedelta]]:
    """Cut [begin, end) into stretches of at most a day in which the zone's offset does not change."""
    since = begin
    while since < end:
        until = min(since + _DAY, end)
        offset = _offset(since, zone)
        if _offset(until, zone) != offset:
            until = _clock_change(since, until, zone)
        yield since, until, offset
        since = until


def _clock_change(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """Return the first whole second after `before` at which the offset differs, by bisection."""
    old = _offset(before, zone)
    low, high = before.replace(microsecond=0), after.replace(microsecond=0) + _SECOND
    while high - low > _SECOND:
        middle = low + (high - low) // _SECOND // 2 * _SECOND
        low, high = (middle, high) if _offset(middle, zone) == old else (low, middle)
    return min(high, after)


def _offset(instant: datetime, zone: ZoneInfo) -> timedelta:
    offset = instant.astimezone(zone).utcoffset()
    return offset if offset is not None else timedelta(0)
