"""One IANA zone as a table of periods with a fixed offset, so that compiled code can read local time.

Offline and online read the same table: the zone data of another library cannot disagree with it.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import numpy.typing as npt

from features.errors import InputError
from features.times import EPOCH, MICROSECOND, SECOND

FIRST_YEAR, LAST_YEAR = 1970, 2100
"""Before and after these years the offset of the nearest period holds."""

PROBE = timedelta(days=2)
"""No zone changes its offset twice within two days (since 1970)."""


@lru_cache(maxsize=32)
def zone_offsets(name: str) -> npt.NDArray[np.int64]:
    """Return the periods of a zone: int64 (n_periods, 2), first microsecond UTC and offset in microseconds.

    The first period begins at the least int64. InputError when the zone does not exist.
    """
    rows = [(-(2**63), _offset(_zone(name), datetime(FIRST_YEAR, 1, 1, tzinfo=UTC)))]
    rows.extend(((at - EPOCH) // MICROSECOND, offset) for at, offset in _changes(_zone(name)))
    table = np.array([(start, offset // MICROSECOND) for start, offset in rows], dtype=np.int64)
    table.setflags(write=False)
    return table


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise InputError(f"timezone must be an IANA zone such as Europe/Berlin; got {name!r}") from error


def _changes(zone: ZoneInfo) -> Iterator[tuple[datetime, timedelta]]:
    at, end = datetime(FIRST_YEAR, 1, 1, tzinfo=UTC), datetime(LAST_YEAR, 1, 1, tzinfo=UTC)
    while at < end:
        later = at + PROBE
        if _offset(zone, at) != _offset(zone, later):
            yield _first_second_after_change(zone, at, later), _offset(zone, later)
        at = later


def _first_second_after_change(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """Halve the span until one second is left: zones change on whole seconds."""
    while after - before > SECOND:
        middle = before + (after - before) // 2
        middle = middle.replace(microsecond=0)
        if _offset(zone, middle) == _offset(zone, after):
            after = middle
        else:
            before = middle
    return after


def _offset(zone: ZoneInfo, instant: datetime) -> timedelta:
    return instant.astimezone(zone).utcoffset() or timedelta(0)
