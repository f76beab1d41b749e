"""The table of a zone says what the zone says, at every instant."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from features.errors import InputError
from features.times import EPOCH, instant_us
from features.zones import zone_offsets
from tests.builders_features import at, us

ZONES = (
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "Pacific/Apia",
    "UTC",
)
LAST_US = us(at("2099-12-30"))


def offset_at(zone: str, instant_us: int) -> timedelta:
    """Look an instant up as the kernel does."""
    table = zone_offsets(zone)
    return timedelta(microseconds=int(table[np.searchsorted(table[:, 0], instant_us, side="right") - 1, 1]))


@given(st.sampled_from(ZONES), st.integers(0, LAST_US))
@example("Europe/Berlin", us(at("2026-03-29T01:00:00")) - 1)
@example("Europe/Berlin", us(at("2026-03-29T01:00:00")))
@example("Pacific/Apia", us(at("2011-12-30T10:00:00")))
def test_offsets_are_those_of_the_zone(zone: str, instant_us: int) -> None:
    """1970-2100, half hours, a skipped day and the microsecond of a change included."""
    instant = EPOCH + timedelta(microseconds=instant_us)
    assert offset_at(zone, instant_us) == instant.astimezone(ZoneInfo(zone)).utcoffset()


@pytest.mark.parametrize("name", ["Berlin", "", "../etc/passwd"])
def test_a_zone_that_does_not_exist_is_refused(name: str) -> None:
    """The error names the rule and the value."""
    with pytest.raises(InputError, match="timezone must be an IANA zone such as Europe/Berlin"):
        zone_offsets(name)


@given(st.datetimes(min_value=datetime(1, 1, 3), max_value=datetime(9999, 12, 29)), st.sampled_from(ZONES))  # noqa: DTZ001
def test_instants_are_exact_to_the_microsecond(naive: datetime, zone: str) -> None:
    """Text and datetime give the same integer, and the integer gives the instant back."""
    instant = naive.replace(tzinfo=ZoneInfo(zone))
    found = instant_us(instant)
    assert found is not None
    assert EPOCH + timedelta(microseconds=found) == instant
    assert instant_us(instant.isoformat()) == found


@pytest.mark.parametrize("value", ["2026-01-01", "2026-01-01T10:00:00", "soon", "", None, 5, True])
def test_what_is_no_instant_is_none(value: object) -> None:
    """A time without a zone is no instant."""
    assert instant_us(value) is None
