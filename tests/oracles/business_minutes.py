"""Business time by looking at the clock on the wall once a minute: slow, and too simple to be wrong.

Judges `sla.business_time`; shares nothing with it but the description of opening hours.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from sla.business_time import OpeningHours

ONE_MINUTE = timedelta(minutes=1)


def is_open(instant: datetime, hours: OpeningHours, away: Sequence[tuple[datetime, datetime]] = ()) -> bool:
    """Say whether the wall clock reads an opening time in the minute that begins at `instant`.

    `away` are stretches that do not count, in any order; they may overlap.
    """
    if any(since <= instant < until for since, until in away):
        return False
    wall = instant.astimezone(ZoneInfo(hours.zone))
    openings = hours.weekdays[wall.weekday()]
    if wall.date() in hours.holidays or (hours.public is not None and wall.date() in hours.public.dates):
        openings = ()
    for day in hours.open_days:
        openings = day.openings if day.date == wall.date() else openings
    minute = wall.hour * 60 + wall.minute
    return any(one.start_minute <= minute < one.end_minute for one in openings)


def minutes_open(start: datetime, end: datetime, hours: OpeningHours) -> int:
    """Count the open minutes between two whole minutes."""
    return sum(is_open(minute, hours) for minute in every_minute(start, end))


def after_open_minutes(
    start: datetime, minutes: int, hours: OpeningHours, *, most_days: int
) -> datetime | None:
    """Return when so many open minutes have passed since a whole minute; None when not within `most_days`.

    For zero minutes it is the first open minute.
    """
    passed = 0
    for minute in every_minute(start, start + timedelta(days=most_days)):
        if is_open(minute, hours):
            if minutes == 0:
                return minute
            passed += 1
            if passed == minutes:
                return minute + ONE_MINUTE
    return None


def every_minute(start: datetime, end: datetime) -> list[datetime]:
    """Return the instants one minute apart, from `start` up to but without `end`, in UTC."""
    first = start.astimezone(UTC)
    count = (end.astimezone(UTC) - first) // ONE_MINUTE
    return [first + step * ONE_MINUTE for step in range(count)]
