"""Random cases of business time against the clock on the wall: `python -m tests.sla.business_cases 100000`.

A calendar is drawn (state, openings with breaks, company days, pauses) for a window around a day on which
something is odd; the oracle reads its clock once a minute; then many starts and durations are judged by it.
"""

import random
import sys
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate

from sla.away import Absence, Pause, away_spans
from sla.business_time import OpenDay, Opening, OpeningHours, add_business_time, business_elapsed
from sla.public_holidays import PublicHolidays
from tests.oracles.business_minutes import every_minute, is_open
from tests.oracles.german_holidays import STATES, holidays_of

MINUTE = timedelta(minutes=1)
WINDOW_DAYS = 8
CASES_PER_CALENDAR = 250
ODD_DAYS = (
    date(2026, 3, 29),  # the clock springs forward
    date(2026, 10, 25),  # the clock falls back
    date(2028, 2, 29),
    date(2026, 12, 31),
    date(2026, 12, 25),
    date(2026, 4, 5),  # Easter
    date(2026, 8, 15),
    date(2026, 10, 31),
)


@dataclass(frozen=True, slots=True)
class Calendar:
    """One drawn calendar, what pauses and absences cover, and the window it is judged in."""

    state: str
    hours: OpeningHours
    away: tuple[Pause | Absence, ...]
    start: datetime


def calendars(chance: random.Random, count: int) -> Iterator[Calendar]:
    """Draw calendars; every state with every odd day comes before any pair comes twice."""
    pairs = [(state, day) for state in STATES for day in ODD_DAYS]
    chance.shuffle(pairs)
    for number in range(count):
        state, day = pairs[number % len(pairs)]
        start = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(days=WINDOW_DAYS / 2)
        yield Calendar(state, _hours(chance, state, day), _away(chance, start), start)


def _hours(chance: random.Random, state: str, around: date) -> OpeningHours:
    years = range(around.year - 1, around.year + 2)
    public = PublicHolidays(
        country="DE",
        region=state,
        public_holidays=frozenset(day for year in years for day in holidays_of(state, year)),
        holiday_years=(years[0], years[-1]),
    )
    near = [around + timedelta(days=days) for days in range(-4, 5)]
    special = chance.sample(near, chance.randint(0, 4))
    closed, opened = special[::2], special[1::2]
    weekdays = [_openings(chance) if chance.random() < 0.8 else () for _ in range(7)]
    weekdays[chance.randrange(7)] = _openings(chance)
    return OpeningHours(
        zone="Europe/Berlin",
        weekdays=tuple(weekdays),
        public=public,
        holidays=frozenset(closed),
        open_days=tuple(OpenDay(date=day, openings=_openings(chance)) for day in opened),
    )


def _openings(chance: random.Random) -> tuple[Opening, ...]:
    """Return one to three openings of a day; the breaks between them may be a minute long."""
    marks = sorted(chance.sample(range(1441), 2 * chance.randint(1, 3)))
    return tuple(Opening(start, end) for start, end in zip(marks[::2], marks[1::2], strict=True))


def _away(chance: random.Random, start: datetime) -> tuple[Pause | Absence, ...]:
    """Return up to three pauses or absences that may touch, overlap or be of length zero."""
    found: list[Pause | Absence] = []
    for _ in range(chance.randint(0, 3)):
        since = start + chance.randrange(WINDOW_DAYS * 1440) * MINUTE
        until = since + chance.choice([0, 1, chance.randrange(2000)]) * MINUTE
        if chance.random() < 0.5:
            found.append(Pause(since=since, until=until, reason="customer asked to wait"))
        else:
            found.append(Absence(person="Sam", since=since, until=until))
    return tuple(found)


def differences(calendar: Calendar, chance: random.Random, count: int) -> Iterator[str]:
    """Yield a line for every case in which a deadline or an elapsed time is not what the clock says."""
    total = WINDOW_DAYS * 1440
    minutes = every_minute(calendar.start, calendar.start + total * MINUTE)
    spans = [(one.since, one.until) for one in calendar.away]
    counted = list(accumulate((is_open(one, calendar.hours, spans) for one in minutes), initial=0))
    away = away_spans(calendar.away)
    for _ in range(count):
        first, last = sorted((chance.randrange(total), chance.randrange(total)))
        start, end = minutes[first], minutes[last]
        elapsed = business_elapsed(start, end, calendar.hours, away)
        if elapsed != (counted[last] - counted[first]) * MINUTE:
            yield f"{calendar.state} {start} to {end}: elapsed {elapsed}"
        wanted = chance.choice([0, 1, counted[last] - counted[first], chance.randint(0, 600)])
        place = bisect_left(counted, counted[first] + max(wanted, 1), lo=first)
        if place < len(counted):
            due = minutes[place - 1] + (MINUTE if wanted else timedelta(0))
            found = add_business_time(start, wanted * MINUTE, calendar.hours, away)
            if found != due:
                yield f"{calendar.state} {start} + {wanted} min: {found}, not {due}"


def run(cases: int, seed: int) -> tuple[int, list[str]]:
    """Return how many cases were judged and a line for each that differs."""
    chance = random.Random(seed)
    count = -(-cases // CASES_PER_CALENDAR)
    found = [
        line
        for calendar in calendars(chance, count)
        for line in differences(calendar, chance, CASES_PER_CALENDAR)
    ]
    return count * CASES_PER_CALENDAR, found


if __name__ == "__main__":
    judged, differing = run(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000, seed=2026)
    sys.stdout.write("\n".join([*differing[:20], f"{judged} cases, {len(differing)} differences\n"]))
    sys.exit(bool(differing))
