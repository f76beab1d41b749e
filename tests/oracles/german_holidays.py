"""Public holidays of the sixteen German states, written down from their laws: an oracle for the look-up.

Shares nothing with the `holidays` package. Good for the years 2019 to 2035. Easter is the rule in Meeus,
Astronomical Algorithms (1991), chapter 8.
"""

from datetime import date, timedelta

STATES = ("BW", "BY", "BE", "BB", "HB", "HH", "HE", "MV", "NI", "NW", "RP", "SL", "SN", "ST", "SH", "TH")

FIXED = (
    (1, 1, STATES),
    (1, 6, ("BW", "BY", "ST")),
    (3, 8, ("BE",)),
    (5, 1, STATES),
    (8, 15, ("SL",)),  # in Bavaria only where most people are Catholic
    (9, 20, ("TH",)),
    (10, 3, STATES),
    (10, 31, ("BB", "HB", "HH", "MV", "NI", "SH", "SN", "ST", "TH")),
    (11, 1, ("BW", "BY", "NW", "RP", "SL")),
    (12, 25, STATES),
    (12, 26, STATES),
)
AFTER_EASTER = (
    (-2, STATES),
    (0, ("BB",)),
    (1, STATES),
    (39, STATES),
    (49, ("BB",)),
    (50, STATES),
    (60, ("BW", "BY", "HE", "NW", "RP", "SL")),
)
ONCE = (
    (date(2020, 5, 8), ("BE",)),
    (date(2025, 5, 8), ("BE",)),
    (date(2028, 6, 17), ("BE",)),
)
WOMEN_IN_MV_SINCE = 2023


def holidays_of(state: str, year: int) -> frozenset[date]:
    """Return the public holidays of one state in one year."""
    found = {date(year, month, day) for month, day, states in FIXED if state in states}
    found |= {easter(year) + timedelta(days=days) for days, states in AFTER_EASTER if state in states}
    found |= {day for day, states in ONCE if day.year == year and state in states}
    if state == "MV" and year >= WOMEN_IN_MV_SINCE:
        found.add(date(year, 3, 8))
    if state == "SN":
        found.add(_day_of_repentance(year))
    return frozenset(found)


def _day_of_repentance(year: int) -> date:
    """Return the last Wednesday before 23 November."""
    before = date(year, 11, 22)
    return before - timedelta(days=(before.weekday() - 2) % 7)


def easter(year: int) -> date:
    """Return Easter Sunday of the Gregorian calendar."""
    golden, (century, rest) = year % 19, divmod(year, 100)
    leaps, left = divmod(century, 4)
    correction = (century - (century + 8) // 25 + 1) // 3
    moon = (19 * golden + century - leaps - correction + 15) % 30
    quads, days = divmod(rest, 4)
    week = (32 + 2 * left + 2 * quads - moon - days) % 7
    shift = (golden + 11 * moon + 22 * week) // 451
    month, day = divmod(moon + week - 7 * shift + 114, 31)
    return date(year, month, day + 1)
