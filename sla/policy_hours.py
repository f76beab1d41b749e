"""The sections of a policy file about opening hours: TOML tables -> hours with their calendar.

Decides which keys exist. What they may hold is decided by `sla.business_time` and `sla.public_holidays`.
"""

import re
from zoneinfo import available_timezones

from sla.business_time import WEEKDAYS, OpenDay, Opening, OpeningHours, is_known_zone
from sla.errors import BrokenRulesError
from sla.policy_fields import DATES, DAY, TEXT, TEXTS, Kind, TableReader, did_you_mean
from sla.public_holidays import PublicHolidays

_OPENING_FORM = re.compile(r"(\d{2}):([0-5]\d) ?[-–] ?(\d{2}):([0-5]\d)")
_HOLIDAY_KEYS = ("country", "region", "holiday_kinds", "public_holidays", "holiday_years")


def _read_opening_form(value: object) -> tuple[int, int] | None:
    match = _OPENING_FORM.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        return None
    return int(match[1]) * 60 + int(match[2]), int(match[3]) * 60 + int(match[4])


def _read_years(value: object) -> tuple[int, ...] | None:
    if isinstance(value, list) and all(type(one) is int for one in value):
        return tuple(value)
    return None


_OPENING: Kind[tuple[int, int]] = Kind('must be an opening such as "09:00-12:30"', _read_opening_form, (0, 1))
_YEARS: Kind[tuple[int, ...]] = Kind("must be two years such as [2026, 2030]", _read_years, (2026, 2026))


def read_hours(table: TableReader) -> OpeningHours | None:
    """Return the hours of one section, or None when anything in it is wrong and reported."""
    weekdays = tuple(_read_openings(table, day) for day in WEEKDAYS)
    if not table.is_sound(*WEEKDAYS):
        table.spoil("weekdays")
    hours = table.build(
        OpeningHours,
        zone=_read_zone(table),
        weekdays=weekdays,
        holidays=table.get("holidays", DATES, frozenset()),
        open_days=tuple(_read_open_days(table)),
        public=_read_public(table),
    )
    table.close()
    return hours


def _read_public(table: TableReader) -> PublicHolidays | None:
    """Read the public holidays; a key about them without a country says nothing."""
    written = [key for key in _HOLIDAY_KEYS if table.has(key)]
    if not written:
        return None
    if "country" not in written:
        table.fail(written[0], 'must come with "country", the code of a country such as DE')
        return None
    return table.build(
        PublicHolidays,
        country=table.need("country", TEXT),
        region=table.maybe("region", TEXT),
        holiday_kinds=table.get("holiday_kinds", TEXTS, ()),
        public_holidays=table.maybe("public_holidays", DATES),
        holiday_years=table.maybe("holiday_years", _YEARS),
    )


def _read_open_days(table: TableReader) -> list[OpenDay]:
    """Read the days open by agreement; a mistake in one is a mistake in the hours."""
    found = []
    for inner in table.tables("open_days"):
        day = inner.build(OpenDay, date=inner.need("date", DAY), openings=_read_openings(inner, "openings"))
        inner.close()
        if day is None:
            table.spoil("open_days")
        else:
            found.append(day)
    return found


def _read_zone(table: TableReader) -> str:
    zone = table.need("zone", TEXT)
    if is_known_zone(zone) or not table.is_sound("zone"):
        return zone
    hint = did_you_mean(zone, tuple(sorted(available_timezones())))
    table.fail("zone", f"must be an IANA time zone such as Europe/Berlin{hint}", zone)
    return zone


def _read_openings(table: TableReader, key: str) -> tuple[Opening, ...]:
    """Read the openings of a day; a weekday that is left out is closed."""
    openings = []
    for index, written in enumerate(table.items(key, of='openings such as "09:00-12:30"')):
        start, end = table.read_item(key, (index,), written, _OPENING)
        try:
            openings.append(Opening(start, end))
        except BrokenRulesError as error:
            for broken in error.broken:
                table.fail(key, broken.rule, written, inside=(index,))
    return tuple(openings)
