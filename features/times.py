"""Instants as int64 microseconds UTC since 1970, without a float in between."""

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
SECOND = timedelta(seconds=1)

SECOND_US = 1_000_000
HOUR_US = 3600 * SECOND_US
DAY_US = 24 * HOUR_US


def instant_us(value: object) -> int | None:
    """Return ISO-8601 text with a zone, or an aware datetime, as microseconds UTC; None for anything else."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if not isinstance(value, datetime) or value.tzinfo is None:
        return None
    since = value - EPOCH
    return since.days * DAY_US + since.seconds * SECOND_US + since.microseconds
