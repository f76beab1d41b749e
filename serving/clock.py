"""The only reader of the clock. Everything else is told what time it is."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def now() -> datetime:
    """Return this instant, aware, in UTC."""
    return datetime.now(UTC)
