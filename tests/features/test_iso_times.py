"""The fast reader of times agrees with Python's, and leaves alone what it does not know."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.iso_times import plain_instants
from features.times import instant_us

ZONES = st.integers(-23 * 60 - 59, 23 * 60 + 59).map(lambda minutes: timezone(timedelta(minutes=minutes)))
MOMENTS = st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31), timezones=ZONES)  # noqa: DTZ001 - Hypothesis adds the zone


@st.composite
def plain_texts(draw: st.DrawFn) -> str:
    """Draw a time in one of the forms that JSON writers use."""
    moment, unit = (
        draw(MOMENTS),
        draw(st.sampled_from(["minutes", "seconds", "milliseconds", "microseconds"])),
    )
    text = moment.isoformat(sep=draw(st.sampled_from("T ")), timespec=unit)
    return f"{text[:-6]}Z" if draw(st.booleans()) else text


@given(st.lists(plain_texts(), max_size=20))
def test_plain_times_are_read_as_python_reads_them(texts: list[str]) -> None:
    """Every calendar day, offset and precision: the same microsecond."""
    found = plain_instants(texts)
    assert found is not None
    assert found.tolist() == [instant_us(text) for text in texts]


ALPHABET = st.text(st.sampled_from("0123456789-:.+TZ \n"), max_size=30)


@given(
    st.lists(
        ALPHABET | plain_texts().map(lambda text: text.replace("0", "9")) | st.text(), min_size=1, max_size=4
    )
)
def test_nothing_is_read_otherwise_than_python_does(texts: list[str]) -> None:
    """Whatever is accepted at all is accepted by Python too, as the same instant."""
    found = plain_instants(texts)
    if found is not None:
        assert found.tolist() == [instant_us(text) for text in texts]


ODD = [
    "2026-11-23T09:00:00",
    "2026-11-23",
    "2026-02-29T00:00Z",
    "1900-02-29T00:00Z",
    "2026-13-01T00:00Z",
    "2026-11-23T24:00Z",
    "2026-11-23T09:60Z",
    "2026-11-23T09:00:60Z",
    "2026-11-23T09:00:00.12Z",
    "2026-11-23T09:00:00+0100",
    "2026-11-23T09:00:00+01:60",
    "20261123T090000Z",
    "0000-01-01T00:00Z",
    "２０２６-11-23T09:00Z",
    "2026-11-23T09:00Z\n2026-11-23T09:00Z",
    "",
]


@pytest.mark.parametrize("text", ODD)
def test_other_forms_are_left_to_python(text: str) -> None:
    """One odd text sends the whole list the slow way."""
    assert plain_instants([text]) is None
    assert plain_instants(["2026-11-23T09:00Z", text]) is None


def test_the_leap_day_of_2000() -> None:
    """A century that 400 divides has it."""
    (found,) = plain_instants(["2000-02-29T23:59:59.999999Z"]) or (None,)
    assert found == instant_us(datetime(2000, 2, 29, 23, 59, 59, 999_999, tzinfo=UTC))
