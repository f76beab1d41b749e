"""The section [goal] of a policy file: TOML table -> joint goal.

Decides which keys exist. What they may hold is decided by `sla.goal`.
"""

from datetime import date

from sla.goal import Goal, Metric, Period
from sla.policy_fields import DAY, NUMBER, TEXT, Kind, TableReader, one_of

_METRIC: Kind[Metric] = one_of(Metric, Metric.CLOSE_RATE)
_STAND_IN = Period(date(2026, 1, 1), date(2026, 1, 1))


def read_goal(table: TableReader) -> Goal | None:
    """Return the joint goal, or None when anything in it is wrong and reported."""
    goal = table.build(
        Goal,
        de=table.need("de", TEXT),
        en=table.need("en", TEXT),
        metric=table.need("metric", _METRIC),
        baseline=_read_period(table, "baseline"),
        period=_read_period(table, "period"),
        target_relative=table.maybe("target_relative", NUMBER),
        target_points=table.maybe("target_points", NUMBER),
        power=table.get("power", NUMBER, 0.8),
        reward_de=table.need("reward_de", TEXT),
        reward_en=table.need("reward_en", TEXT),
    )
    table.close()
    return goal


def _read_period(table: TableReader, key: str) -> Period:
    """Read first and last day; a mistake in them is a mistake in the goal."""
    days = table.table(key)
    period = days.build(Period, first=days.need("first", DAY), last=days.need("last", DAY))
    days.close()
    if period is None:
        table.spoil(key)
        return _STAND_IN
    return period
