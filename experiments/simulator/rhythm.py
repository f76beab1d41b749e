"""When people are about: time that runs fast in busy hours and stands still when nobody is there.

A rhythm is a cumulative intensity over an hourly grid. Going forward by "busy days" instead of calendar days
gives every event its season, weekday and hour, keeps the order of events, and keeps waiting times exact:
the chance that something happens before an instant stays a closed formula.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from experiments.simulator.chance import Floats, Integers

ZONE = ZoneInfo("Europe/Berlin")
HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
SECOND_US = 1_000_000

MONTH_WEIGHTS = (0.95, 1.05, 1.15, 1.0, 1.0, 0.95, 0.8, 0.65, 1.2, 1.15, 1.2, 0.7)
WEB_WEEKDAY_WEIGHTS = (1.15, 1.25, 1.25, 1.2, 1.0, 0.35, 0.4)
WEB_HOUR_WEIGHTS = (
    *(0.1, 0.05, 0.05, 0.05, 0.05, 0.15, 0.4, 0.9, 1.6, 2.1, 2.2, 2.0),
    *(1.3, 1.6, 2.0, 1.9, 1.7, 1.2, 0.8, 0.8, 0.9, 0.8, 0.5, 0.25),
)
OFFICE_WEEKDAY_WEIGHTS = (0.9, 1.1, 1.15, 1.1, 0.85, 0.0, 0.0)
OFFICE_HOUR_WEIGHTS = (*(0.0,) * 8, 0.6, 1.1, 1.3, 1.2, 0.6, 0.9, 1.2, 1.2, 1.0, 0.4, *(0.0,) * 6)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rhythm:
    """Cumulative intensity over hours: `busy_days[i]` have passed at `edges_us[i]`; 1 a day on average."""

    edges_us: Integers
    busy_days: Floats

    def elapsed(self, start_us: Integers, end_us: Integers) -> Floats:
        """Return how many busy days lie between two instants (microseconds UTC)."""
        return self._busy_at(end_us) - self._busy_at(start_us)

    def advance(self, start_us: Integers, busy_days: Floats) -> Integers:
        """Go `busy_days` forward (or back, when negative), to the full second; stays inside the grid.

        Forward never means earlier: where the rhythm stands still, the same moment has many instants.
        """
        there_us = np.interp(self._busy_at(start_us) + busy_days, self.busy_days, self.edges_us.astype(float))
        whole_us = np.asarray(there_us, dtype=np.int64) // SECOND_US * SECOND_US
        return np.where(busy_days >= 0, np.maximum(whole_us, start_us), whole_us)

    def _busy_at(self, instant_us: Integers) -> Floats:
        return np.asarray(np.interp(instant_us.astype(float), self.edges_us.astype(float), self.busy_days))


def web_rhythm(start: datetime, end: datetime, *, seasonality: float = 1.0) -> Rhythm:
    """When leads visit, read and write: any hour, mostly in working time, less in summer and at Christmas.

    `seasonality` raises the weights of the months to its power: 0 makes all months alike.
    """
    months = np.power(MONTH_WEIGHTS, seasonality)
    return _build(start, end, months, WEB_WEEKDAY_WEIGHTS, WEB_HOUR_WEIGHTS)


def office_rhythm(start: datetime, end: datetime, *, seasonality: float = 1.0) -> Rhythm:
    """When companies decide and sign: weekdays in office hours, less in summer and at Christmas."""
    months = np.power(MONTH_WEIGHTS, seasonality)
    return _build(start, end, months, OFFICE_WEEKDAY_WEIGHTS, OFFICE_HOUR_WEIGHTS)


def to_us(instant: datetime) -> int:
    """Return an aware instant as microseconds UTC since 1970."""
    return (instant - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def from_us(instant_us: int) -> datetime:
    """Return microseconds UTC since 1970 as an aware datetime in UTC."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(instant_us))


def _build(
    start: datetime,
    end: datetime,
    month_weights: Floats,
    weekday_weights: tuple[float, ...],
    hour_weights: tuple[float, ...],
) -> Rhythm:
    first_us = to_us(start) // HOUR_US * HOUR_US
    hours = (to_us(end) - first_us) // HOUR_US + 1
    edges_us = first_us + HOUR_US * np.arange(hours + 1, dtype=np.int64)
    local = [from_us(edge).astimezone(ZONE) for edge in edges_us[:-1]]
    rates = np.array(
        [month_weights[at.month - 1] * weekday_weights[at.weekday()] * hour_weights[at.hour] for at in local]
    )
    per_hour = rates / rates.mean() / 24.0
    return Rhythm(edges_us=edges_us, busy_days=np.concatenate([[0.0], np.cumsum(per_hour)]))
