"""Periods of reports: days in a zone, the period before, and what a caller may ask for."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.api.fields import WrongFieldsError
from serving.api.periods import FROM, TO, read_period
from serving.db.migrate import prepare_database
from serving.periods import LONGEST_DAYS, ReportPeriod, period_of
from tests.builders_serving import NOW

ZONES = ("Europe/Berlin", "America/Sao_Paulo", "UTC", "Pacific/Apia", "Asia/Kathmandu")
DAYS = st.dates(date(1990, 1, 1), date(2060, 1, 1))


@given(first=DAYS, days=st.integers(1, LONGEST_DAYS), zone=st.sampled_from(ZONES), second=st.integers(-9, 9))
@settings(max_examples=150, deadline=None)
def test_a_period_is_the_days_on_the_wall(first: date, days: int, zone: str, second: int) -> None:
    """An instant belongs to a period exactly when the calendar on the wall shows one of its days."""
    period = ReportPeriod(first=first, last=first + timedelta(days=days - 1), zone=zone)
    for edge in (period.since, period.until):
        instant = edge + timedelta(seconds=second)
        on_the_wall = instant.astimezone(ZoneInfo(zone)).date()
        assert period.holds(instant) is (period.first <= on_the_wall <= period.last)
    assert period.before.until == period.since


@pytest.mark.parametrize(
    ("first", "last", "before"),
    [
        pytest.param("2026-03-01", "2026-03-31", "2026-02-01", id="a month is held against a month"),
        pytest.param("2026-01-01", "2026-03-31", "2025-10-01", id="a quarter against a quarter"),
        pytest.param("2024-01-01", "2024-12-31", "2023-01-01", id="a year against a year"),
        pytest.param("2026-03-01", "2026-03-30", "2026-01-30", id="thirty days against thirty days"),
        pytest.param("2026-03-05", "2026-03-05", "2026-03-04", id="a day against a day"),
    ],
)
def test_the_period_before(first: str, last: str, before: str) -> None:
    """Whole calendar months are held against as many months, other periods against as many days."""
    period = ReportPeriod(first=date.fromisoformat(first), last=date.fromisoformat(last), zone="UTC")
    assert period.before.first == date.fromisoformat(before)
    assert period.before.last == period.first - timedelta(days=1)


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        pytest.param((None, None), "2026-12-01", "2026-12-31", id="the month on the wall, not in UTC"),
        pytest.param(("2026-02-10", None), "2026-02-10", "2026-02-28", id="until the end of that month"),
        pytest.param((None, "2026-02-10"), "2026-02-01", "2026-02-10", id="since the start of that month"),
        pytest.param(("2025-12-30", "2026-02-10"), "2025-12-30", "2026-02-10", id="as asked"),
    ],
)
def test_what_is_left_out(asked: tuple[str | None, str | None], first: str, last: str) -> None:
    """An end that is left out is that of the calendar month."""
    days = [None if one is None else date.fromisoformat(one) for one in asked]
    period = period_of(days[0], days[1], "Europe/Berlin", now=datetime(2026, 11, 30, 23, 30, tzinfo=UTC))
    assert (period.first.isoformat(), period.last.isoformat()) == (first, last)


@pytest.mark.parametrize("text", ["2026-2-1", "20260201", "2026-02-30", "1969-12-31", "2200-01-01", "", "no"])
def test_only_dates_are_read(text: str) -> None:
    """What is no date as people write it is named with the rule."""
    assert (FROM.problem(text) or "").startswith("must be a date such as 2026-12-19")
    assert FROM.problem("2026-02-01") is None


def test_a_period_that_cannot_be_counted(tmp_path: Path) -> None:
    """A period that ends before it begins, or is too long, is refused with the rule and the value."""
    database = prepare_database(f"sqlite:///{tmp_path}/leadpact.db")
    for last in ("2026-01-31", "2031-01-01"):
        with pytest.raises(WrongFieldsError, match="1 field") as caught:
            read_period({"from": "2026-02-01", "to": last}, database, now=NOW)
        (problem,) = caught.value.field_problems
        assert (problem.field, problem.value) == (f"?{TO.name}", last)
        assert "must not lie before from (2026-02-01)" in problem.rule
    assert read_period({}, database, now=NOW).zone == "UTC"
    database.dispose()
