"""Public holidays: looked up once, frozen in the policy, and right for every German state."""

from dataclasses import replace
from datetime import date

import holidays
import pytest
from sqlalchemy import Engine

from serving.db.session import read_transaction
from serving.db.tables import PolicyRow
from serving.operations.propose_policy import propose_policy
from serving.public_holidays import look_up, resolve_public_holidays, without_dates
from sla.business_time import OpeningHours
from sla.holiday_regions import holiday_countries, holiday_names
from sla.policy_file import policy_hash, read_policy, write_policy
from sla.public_holidays import PublicHolidays
from tests.builders_policy import NOW, OFFICE_HOURS, POLICY, sound_text_with
from tests.oracles.german_holidays import STATES, holidays_of

YEARS = (2019, 2035)
BAVARIA = PublicHolidays(country="DE", region="BY")
ASSUMPTION, CHRISTMAS_EVE = date(2026, 8, 15), date(2026, 12, 24)


@pytest.mark.parametrize("state", STATES)
def test_every_german_state_has_the_days_of_its_law(state: str) -> None:
    """Against a table written from the laws, for seventeen years."""
    found = look_up(PublicHolidays(country="DE", region=state), YEARS)
    assert found.dates == frozenset(
        day for year in range(YEARS[0], YEARS[1] + 1) for day in holidays_of(state, year)
    )


def test_the_days_people_get_wrong() -> None:
    """Assumption in Bavaria needs the kind "catholic"; Christmas Eve is no public holiday anywhere."""
    plain = look_up(BAVARIA, (2026, 2026)).dates
    catholic = look_up(replace(BAVARIA, holiday_kinds=("catholic",)), (2026, 2026)).dates
    assert catholic - plain == {ASSUMPTION}
    assert all(CHRISTMAS_EVE not in holidays_of(state, 2026) for state in STATES)
    assert CHRISTMAS_EVE not in catholic


def test_the_table_of_names_is_that_of_the_package() -> None:
    """A country, region or kind that the table offers can be looked up; none is missing."""
    supported = holidays.list_supported_countries(include_aliases=False)
    assert set(holiday_countries()) == supported.keys()
    for country, regions in supported.items():
        names = holiday_names(country)
        assert names is not None
        assert set(names.regions) == set(regions)
        kinds = set(holidays.country_holidays(country).supported_categories)
        assert set(names.kinds) == kinds - {"public", "workday", "half_day", "school", "unofficial"}


def bavarian_hours() -> OpeningHours:
    """Return office hours in Munich, dates not looked up."""
    return replace(OFFICE_HOURS, public=BAVARIA)


def test_resolved_dates_are_part_of_what_is_signed() -> None:
    """The stored text holds the dates and reads back to the same policy; resolving again changes nothing."""
    written = replace(POLICY, hours=bavarian_hours(), hours_sales=bavarian_hours())
    resolved = resolve_public_holidays(written, now=NOW)
    assert resolved.hours_sales == resolved.hours
    assert resolved.hours.public is not None
    assert resolved.hours.public.holiday_years == (2025, 2030)
    assert read_policy(write_policy(resolved)) == resolved == resolve_public_holidays(resolved, now=NOW)
    assert policy_hash(resolved) != policy_hash(written)
    assert without_dates(resolved) == written


def test_a_policy_without_calendars_stays_as_it_is() -> None:
    """Who names no country gets no public holidays, and no other hash."""
    assert resolve_public_holidays(POLICY, now=NOW) == POLICY == without_dates(POLICY)


def test_a_calendar_in_a_file_is_resolved() -> None:
    """From the text people write to dates that close the office."""
    text = sound_text_with('zone = "Europe/Berlin"', 'zone = "Europe/Berlin"\ncountry = "DE"\nregion = "SN"')
    resolved = resolve_public_holidays(read_policy(text), now=NOW)
    assert resolved.hours.openings_on(date(2026, 11, 18)) == ()


def test_a_proposed_policy_keeps_the_dates_it_was_proposed_with(database: Engine) -> None:
    """The stored text holds them; the file proposed again, as written, is the same policy."""
    text = sound_text_with('zone = "Europe/Berlin"', 'zone = "Europe/Berlin"\ncountry = "DE"').replace(
        "valid_from = 2026-01-01", 'valid_from = "signed"'
    )
    for _ in range(2):
        assert propose_policy(database, text, by="Mia", now=NOW) == 1
    with read_transaction(database) as session:
        row = session.get_one(PolicyRow, 1)
    stored = read_policy(row.content)
    assert stored.hours.public is not None
    assert date(2026, 10, 3) in stored.hours.public.dates
    assert policy_hash(stored) == row.content_hash
