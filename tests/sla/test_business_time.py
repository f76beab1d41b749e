"""Business time against a clock on the wall that is read once a minute."""

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sla.away import Absence, Pause, away_spans
from sla.business_time import (
    OpenDay,
    Opening,
    OpeningHours,
    add_business_time,
    business_elapsed,
    is_known_zone,
)
from sla.errors import AgreementError, BrokenRulesError
from tests.builders_policy import AROUND_THE_CLOCK, OFFICE_DAY, OFFICE_HOURS, opening_hours
from tests.oracles.business_minutes import after_open_minutes, every_minute, is_open, minutes_open
from tests.sla.business_cases import run

BERLIN = ZoneInfo("Europe/Berlin")
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
NIGHT = (Opening(0, 5 * 60),)
NIGHT_HOURS = OpeningHours(zone="Europe/Berlin", weekdays=(NIGHT,) * 7)

CLOCK_CHANGES = {
    "berlin-spring": ("Europe/Berlin", date(2026, 3, 29)),
    "berlin-autumn": ("Europe/Berlin", date(2026, 10, 25)),
    "newfoundland-spring": ("America/St_Johns", date(2026, 3, 8)),
    "newfoundland-autumn-at-midnight": ("America/St_Johns", date(2010, 11, 7)),
    "lord-howe-half-hour-autumn": ("Australia/Lord_Howe", date(2026, 4, 5)),
    "lord-howe-half-hour-spring": ("Australia/Lord_Howe", date(2026, 10, 4)),
    "chatham-three-quarters": ("Pacific/Chatham", date(2026, 4, 5)),
    "casablanca-before-ramadan": ("Africa/Casablanca", date(2026, 2, 15)),
    "sao-paulo-gap-at-midnight": ("America/Sao_Paulo", date(2018, 11, 4)),
    "apia-drops-a-day": ("Pacific/Apia", date(2011, 12, 30)),
    "leap-day": ("Europe/Berlin", date(2028, 2, 29)),
    "year-end": ("Asia/Kathmandu", date(2026, 12, 31)),
}


def berlin(day: int, hour: int, minute: int = 0, *, month: int = 11, fold: int = 0) -> datetime:
    """Return a wall time in Berlin in 2026."""
    return datetime(2026, month, day, hour, minute, tzinfo=BERLIN, fold=fold)


@pytest.mark.parametrize(
    ("start", "duration", "expected"),
    [
        pytest.param(berlin(20, 16, 30), HOUR, berlin(23, 9, 30), id="friday-evening-to-monday"),
        pytest.param(berlin(23, 9), 8 * HOUR, berlin(23, 17), id="ends-on-closing-time-not-next-morning"),
        pytest.param(
            berlin(23, 9), 8 * HOUR + MINUTE, berlin(24, 9, 1), id="one-minute-more-is-next-morning"
        ),
        pytest.param(berlin(21, 12), timedelta(0), berlin(23, 9), id="zero-is-the-next-open-instant"),
        pytest.param(berlin(23, 10), timedelta(0), berlin(23, 10), id="zero-while-open-is-now"),
        pytest.param(berlin(23, 17), timedelta(0), berlin(24, 9), id="closing-time-is-closed"),
        pytest.param(berlin(23, 3), HOUR, berlin(23, 10), id="before-opening"),
    ],
)
def test_deadline_in_office_hours(start: datetime, duration: timedelta, expected: datetime) -> None:
    """Open time passes only while the office is open, and the answer is the same instant in UTC."""
    found = add_business_time(start, duration, OFFICE_HOURS)
    assert found == expected
    assert found.tzinfo is UTC


def test_the_skipped_hour_is_not_worked() -> None:
    """On the day the clock springs forward, midnight to five is four hours."""
    start, end = berlin(29, 0, month=3), berlin(29, 6, month=3)
    assert business_elapsed(start, end, NIGHT_HOURS) == 4 * HOUR
    assert add_business_time(start, 3 * HOUR, NIGHT_HOURS) == berlin(29, 4, month=3)


def test_the_repeated_hour_is_worked_twice() -> None:
    """On the day the clock falls back, midnight to five is six hours."""
    start, end = berlin(25, 0, month=10), berlin(25, 6, month=10)
    assert business_elapsed(start, end, NIGHT_HOURS) == 6 * HOUR
    second_two_o_clock = berlin(25, 2, month=10, fold=1).astimezone(UTC)
    assert add_business_time(start, 3 * HOUR, NIGHT_HOURS) == second_two_o_clock


def test_holidays_are_closed() -> None:
    """Christmas on a Friday moves an hour to Monday."""
    hours = OpeningHours(
        zone="Europe/Berlin", weekdays=OFFICE_HOURS.weekdays, holidays=frozenset({date(2026, 12, 25)})
    )
    assert add_business_time(berlin(24, 17, month=12), HOUR, hours) == berlin(28, 10, month=12)


@pytest.mark.parametrize(("zone", "day"), CLOCK_CHANGES.values(), ids=CLOCK_CHANGES.keys())
def test_counts_like_the_clock_on_the_wall(zone: str, day: date) -> None:
    """Around every kind of clock change, each quarter of an hour agrees with the minute count."""
    week = ((Opening(1, 150), Opening(155, 700), Opening(1410, 1440)), (Opening(90, 131),)) * 4
    hours = OpeningHours(zone=zone, weekdays=week[:7])
    middle = datetime(day.year, day.month, day.day, tzinfo=UTC)
    start, end = middle - timedelta(hours=24), middle + timedelta(hours=24)
    left = sum(is_open(minute, hours) for minute in every_minute(start, end))
    for step, minute in enumerate(every_minute(start, end)):
        if step % 15 == 0:
            assert business_elapsed(minute, end, hours) == left * MINUTE
        left -= is_open(minute, hours)


def test_thousands_of_random_deadlines() -> None:
    """Random hours, starts and durations around clock changes give the deadline the minute count gives."""
    chance = random.Random(5)
    for _ in range(2000):
        zone, day = chance.choice(list(CLOCK_CHANGES.values()))
        hours = OpeningHours(zone=zone, weekdays=tuple(random_day(chance) for _ in range(7)))
        start = datetime(day.year, day.month, day.day, tzinfo=UTC) + chance.randint(-1500, 1500) * MINUTE
        minutes = chance.choice([0, 1, chance.randint(0, 240)])
        found = add_business_time(start, minutes * MINUTE, hours)
        expected = after_open_minutes(start, minutes, hours, most_days=2)
        assert found == expected or (expected is None and found > start + timedelta(days=2))


def random_day(chance: random.Random) -> tuple[Opening, ...]:
    """Return one or two openings of a day."""
    marks = sorted(chance.sample(range(1441), 4))
    return (Opening(marks[0], marks[1]), Opening(marks[2], marks[3]))[: chance.randint(1, 2)]


whole_minutes = st.integers(0, 60 * 24 * 365 * 10).map(
    lambda n: datetime(2022, 1, 1, tzinfo=UTC) + n * MINUTE
)


@settings(max_examples=30)
@given(opening_hours(), whole_minutes, st.integers(0, 3000))
def test_elapsed_equals_the_minute_count(hours: OpeningHours, start: datetime, minutes: int) -> None:
    """Whatever the hours, zone and holidays, elapsed open time is the number of open minutes."""
    end = start + minutes * MINUTE
    assert business_elapsed(start, end, hours) == minutes_open(start, end, hours) * MINUTE


@given(opening_hours(), whole_minutes, st.integers(1, 40 * 86_400 * 10**6))
def test_a_deadline_is_its_duration_away(hours: OpeningHours, start: datetime, microseconds: int) -> None:
    """Between start and deadline lies exactly the duration of open time, to the microsecond."""
    week = timedelta(minutes=hours.minutes_per_week)
    duration = min(timedelta(microseconds=microseconds), 20 * week)
    assert business_elapsed(start, add_business_time(start, duration, hours), hours) == duration


@given(opening_hours(), whole_minutes, whole_minutes, whole_minutes)
@settings(max_examples=20)
def test_elapsed_time_adds_up(hours: OpeningHours, a: datetime, b: datetime, c: datetime) -> None:
    """The way over a third instant is as long, in both directions."""
    near = a + (b - a) / 1000, a + (c - a) / 1000
    via = business_elapsed(a, near[0], hours) + business_elapsed(near[0], near[1], hours)
    assert via == business_elapsed(a, near[1], hours) == -business_elapsed(near[1], a, hours)


@pytest.mark.parametrize(
    ("start", "duration", "message"),
    [
        pytest.param(datetime(2026, 1, 1), HOUR, "needs an instant with a time zone", id="naive"),  # noqa: DTZ001
        pytest.param(berlin(1, 1), -HOUR, "must not be negative", id="negative"),
        pytest.param(datetime(9950, 1, 1, tzinfo=UTC), HOUR, "the years 1900 to 9900", id="end-of-calendar"),
        pytest.param(berlin(1, 1), timedelta(days=4000), "more than ten years away", id="never-in-time"),
    ],
)
def test_refuses_what_has_no_deadline(start: datetime, duration: timedelta, message: str) -> None:
    """A deadline needs an instant, a duration and a calendar that can hold it."""
    with pytest.raises(AgreementError, match=message):
        add_business_time(start, duration, OFFICE_HOURS)


@pytest.mark.parametrize(
    ("start", "end", "message"),
    [
        pytest.param(-1, 60, "start_minute must lie in", id="before-midnight"),
        pytest.param(60, 1441, "end_minute must be at most 1440", id="after-midnight"),
        pytest.param(60, 60, "end_minute must lie after the start", id="zero-length"),
        pytest.param(60, 30, "end_minute must lie after the start", id="backwards"),
    ],
)
def test_an_opening_has_a_length(start: int, end: int, message: str) -> None:
    """An opening begins and ends on the same day, in this order."""
    with pytest.raises(BrokenRulesError, match=message):
        Opening(start, end)


@pytest.mark.parametrize(
    ("zone", "weekdays", "holidays", "message"),
    [
        pytest.param("Mars/Base", (OFFICE_DAY,) * 7, 0, "zone must be an IANA", id="unknown-zone"),
        pytest.param("UTC", (OFFICE_DAY,) * 6, 0, "must name Monday to Sunday", id="six-days"),
        pytest.param("UTC", ((),) * 7, 0, "at least one opening", id="never-open"),
        pytest.param("UTC", (OFFICE_DAY * 2,) * 7, 0, "monday must list openings in order", id="overlap"),
        pytest.param("UTC", (OFFICE_DAY,) * 7, 367, "at most 366 dates", id="too-many-holidays"),
    ],
)
def test_hours_make_sense(
    zone: str, weekdays: tuple[tuple[Opening, ...], ...], holidays: int, message: str
) -> None:
    """Opening hours that no deadline could be reached with are refused."""
    days = frozenset(date(2026, 1, 1) + timedelta(days=n) for n in range(holidays))
    with pytest.raises(BrokenRulesError, match=message):
        OpeningHours(zone=zone, weekdays=weekdays, holidays=days)


def test_an_opening_is_written_as_people_do() -> None:
    """Times have two digits on both sides, and midnight at the end is 24:00."""
    assert [Opening(5, 65).text, Opening(0, 1440).text] == ["00:05-01:05", "00:00-24:00"]


@pytest.mark.parametrize("name", ["", "Europe", "../etc/passwd", "Europe/Berln", "a\0b"])
def test_unknown_zones_are_told_apart(name: str) -> None:
    """A folder, a path, a typing error and a malformed name are no zones; none of them raises."""
    assert not is_known_zone(name)


def test_round_the_clock_is_plain_time() -> None:
    """Hours without a closing time change nothing."""
    start = datetime(2026, 3, 28, 12, 34, 56, 789, tzinfo=UTC)
    assert add_business_time(start, 100 * HOUR, AROUND_THE_CLOCK) == start + 100 * HOUR


def test_all_german_states_over_odd_days() -> None:
    """A share of the cases of `python -m tests.sla.business_cases 100000`: breaks, calendars, pauses."""
    judged, differing = run(8_000, seed=5)
    assert judged >= 8_000
    assert differing == []


def test_a_day_agreed_as_open_beats_weekday_and_holiday() -> None:
    """A Saturday before Christmas is worked from nine to one, and counts."""
    saturday = OpenDay(date=date(2026, 12, 19), openings=(Opening(9 * 60, 13 * 60),))
    hours = replace(OFFICE_HOURS, open_days=(saturday,))
    assert add_business_time(berlin(18, 16, month=12), 2 * HOUR, hours) == berlin(19, 10, month=12)


def test_a_pause_takes_out_what_it_covers() -> None:
    """Two pauses that overlap count once; one of length zero is no pause."""
    start = berlin(23, 9)
    pause = Pause(since=berlin(23, 10), until=berlin(23, 12), reason="asked to wait")
    absence = Absence(person="Sam", since=berlin(23, 11), until=berlin(23, 13))
    none = Pause(since=berlin(23, 15), until=berlin(23, 15), reason="nothing")
    away = away_spans((absence, none, pause))
    assert away == ((pause.since, absence.until),)
    assert add_business_time(start, 2 * HOUR, OFFICE_HOURS, away) == berlin(23, 14)
    assert business_elapsed(start, berlin(23, 14), OFFICE_HOURS, away) == 2 * HOUR
    assert [absence.covers(at) for at in (berlin(23, 11), berlin(23, 13))] == [True, False]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        pytest.param(
            lambda: Pause(since=berlin(2, 9), until=berlin(1, 9), reason=" "),
            r"reason must not be empty.*until must not lie before since",
            id="backwards-and-without-reason",
        ),
        pytest.param(
            lambda: Absence(person="", since=berlin(2, 9), until=berlin(2, 9) + 400 * 24 * HOUR),
            r"person must not be empty.*at most 366 days",
            id="endless-and-nobody",
        ),
        pytest.param(
            lambda: Pause(since=datetime(2026, 1, 1), until=berlin(1, 9), reason="x"),  # noqa: DTZ001
            "since must have a time zone",
            id="naive",
        ),
        pytest.param(
            lambda: OpenDay(date=date(2026, 1, 1), openings=()), "at least one opening", id="open-but-not"
        ),
        pytest.param(
            lambda: replace(
                OFFICE_HOURS,
                holidays=frozenset({date(2026, 1, 1)}),
                open_days=(OpenDay(date=date(2026, 1, 1), openings=OFFICE_DAY),),
            ),
            "none that is closed by agreement",
            id="open-and-closed",
        ),
        pytest.param(
            lambda: replace(
                OFFICE_HOURS,
                open_days=tuple(
                    OpenDay(date=date(2026, 1, 1) + timedelta(days=n), openings=OFFICE_DAY)
                    for n in range(367)
                ),
            ),
            "at most 366 days",
            id="too-many-open-days",
        ),
    ],
)
def test_calendars_and_pauses_make_sense(make: Callable[[], object], message: str) -> None:
    """Every mistake of a value is named at once."""
    with pytest.raises(BrokenRulesError, match=message):
        make()
