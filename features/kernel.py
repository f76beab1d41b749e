"""The one loop: plan + sorted activities + as_of -> values, for the lead of a request and for millions.

Times are int64 microseconds and windows integer comparisons; counts, distinct counts and decayed sums are
int64, so no order of addition can change a bit. What the columns mean is decided by `features.definitions`,
which accumulators are kept by `features.plan`.
"""

import numpy as np
import numpy.typing as npt

from features.compiled import compiled
from features.times import DAY_US, HOUR_US

Int32Array = npt.NDArray[np.int32]
Int64Array = npt.NDArray[np.int64]
Float64Array = npt.NDArray[np.float64]

(
    OP_COUNT,
    OP_DAYS_SINCE_LAST,
    OP_DISTINCT_ASSETS,
    OP_ACTIVE_DAYS,
    OP_ENGAGEMENT,
    OP_TREND,
    OP_BETWEEN_LAST_TWO,
    OP_FIRST_TOUCH,
) = range(8)

FIRST_KIND, FIRST_HOUR, FIRST_WEEKDAY = range(3)
"""Operands of OP_FIRST_TOUCH."""

NO_CODE = -1
"""The code of a kind or channel that the vocabulary does not know, and of an activity without an asset."""

TABLE_BITS = 10
TABLE_SIZE = 1 << TABLE_BITS
HALVING_SHIFT = 30
MOST_HALVINGS = HALVING_SHIFT + 1
NEVER = -(2**63)
MEMBERSHIPS = 3
"""An activity counts in the row of all activities, in that of its kind and in that of its channel."""

NOT_YET_KNOWN, NEVER_CHANGED = -1, -2
THURSDAY = 3
"""Weekday (Monday = 0) of 1970-01-01."""


NEWEST, PREVIOUS, LAST_DAY, BY_WINDOW = range(4)
"""Columns of the totals of a row: microseconds of the newest activity and of the one before it; age in whole
days of the activity seen last, -1 before any; from BY_WINDOW on the number of activities per window, then the
number of active days per window. The last entry per window is "older than every window"."""


@compiled
def fill_activity_features(
    matrix: Float64Array,
    steps: Int64Array,
    window_us: Int64Array,
    decays: Int64Array,
    distinct_rows: Int64Array,
    first_levels: Int64Array,
    zone: Int64Array,
    halving: Int64Array,
    occurred_us: Int64Array,
    kind_row: Int32Array,
    channel_row: Int32Array,
    asset_code: Int32Array,
    offsets: Int64Array,
    point_lead: Int64Array,
    as_of_us: Int64Array,
) -> None:
    """Write the activity features of every point into its row of `matrix`, float64 (n_points, n_features).

    The seven arrays after `matrix` are an `features.plan.ActivityPlan`. Activities are (n_activities,),
    lead by lead, ascending by (time, activity id): int64 microseconds; int32 row of the kind, row of the
    channel, code of the asset (NO_CODE where there is none; assets count from 0). Lead i has the activities
    `offsets[i]` to `offsets[i + 1]`; offsets int64 (n_leads + 1,). Points are int64 (n_points,): lead and
    as_of.
    An activity counts when it occurred at or before as_of, and in a window when it occurred after
    as_of - window. Counts are 0 without activity, everything else is NaN.
    """
    n_rows, n_windows = first_levels.size, window_us.size + 1
    totals = np.empty((n_rows, BY_WINDOW + 2 * n_windows), np.int64)
    decayed = np.empty(len(decays), np.int64)
    distinct = np.empty((distinct_rows.size, n_windows), np.int64)
    seen_in = np.full((distinct_rows.size, _highest(asset_code) + 1), -1, np.int64)
    first_touch = np.empty(3)
    for point in range(point_lead.size):
        lead, now = point_lead[point], as_of_us[point]
        first = offsets[lead]
        end = first + np.searchsorted(occurred_us[first : offsets[lead + 1]], now, side="right")
        _count(totals, first, end, now, window_us, occurred_us, kind_row, channel_row)
        _decay(decayed, first, end, now, n_rows - 1, decays, halving, occurred_us, kind_row, channel_row)
        _meet_assets(
            distinct, seen_in, point, first, end, now, n_rows - 1,
            window_us, distinct_rows, occurred_us, kind_row, channel_row, asset_code,
        )  # fmt: skip
        _touch_first(first_touch, first, end, first_levels, zone, occurred_us, kind_row)
        _read_out(matrix, point, now, steps, window_us, totals, decayed, distinct, first_touch)


@compiled
def changes_until(
    changed_us: Int64Array, offsets: Int64Array, point_lead: Int64Array, as_of_us: Int64Array
) -> Int64Array:
    """Return for every point how many changes of its lead lie at or before as_of; int64 (n_points,).

    Changes are ascending in time within a lead; `offsets` as in `fill_activity_features`.
    """
    known = np.empty(point_lead.size, np.int64)
    for point in range(point_lead.size):
        first, end = offsets[point_lead[point]], offsets[point_lead[point] + 1]
        known[point] = np.searchsorted(changed_us[first:end], as_of_us[point], side="right")
    return known


@compiled
def last_known_change(
    changed_us: Int64Array, offsets: Int64Array, point_lead: Int64Array, as_of_us: Int64Array
) -> Int64Array:
    """Return for every point the index of the last change at or before as_of; int64 (n_points,).

    Changes are ascending in time within a lead; `offsets` as in `fill_activity_features`. NOT_YET_KNOWN where
    the first change is still to come, NEVER_CHANGED for a lead without changes.
    """
    found = np.empty(point_lead.size, np.int64)
    for point in range(point_lead.size):
        first, end = offsets[point_lead[point]], offsets[point_lead[point] + 1]
        known = np.searchsorted(changed_us[first:end], as_of_us[point], side="right")
        found[point] = first + known - 1 if known > 0 else NOT_YET_KNOWN
        if first == end:
            found[point] = NEVER_CHANGED
    return found


@compiled
def _highest(codes: Int32Array) -> int:
    highest = NO_CODE
    for code in codes:
        highest = max(highest, code)
    return highest


@compiled
def _count(
    totals: Int64Array,
    first: int,
    end: int,
    now: int,
    window_us: Int64Array,
    occurred_us: Int64Array,
    kind_row: Int32Array,
    channel_row: Int32Array,
) -> None:
    """Go from the newest known activity to the oldest, so that ages and windows only grow."""
    all_rows, active = len(totals) - 1, BY_WINDOW + window_us.size + 1
    totals[:] = 0
    totals[:, NEWEST] = totals[:, PREVIOUS] = NEVER
    totals[:, LAST_DAY] = -1
    window = 0
    for activity in range(end - 1, first - 1, -1):
        occurred = occurred_us[activity]
        age = now - occurred
        day = age // DAY_US
        while window < window_us.size and age >= window_us[window]:
            window += 1
        for membership in range(MEMBERSHIPS):
            row = all_rows
            if membership > 0:
                row = kind_row[activity] if membership == 1 else channel_row[activity]
            if row == NO_CODE:
                continue
            totals[row, BY_WINDOW + window] += 1
            if totals[row, NEWEST] == NEVER:
                totals[row, NEWEST] = occurred
            elif totals[row, PREVIOUS] == NEVER:
                totals[row, PREVIOUS] = occurred
            if day != totals[row, LAST_DAY]:
                totals[row, LAST_DAY] = day
                totals[row, active + window] += 1
    _cumulate(totals, BY_WINDOW, active)
    _cumulate(totals, active, totals.shape[1])


@compiled
def _cumulate(table: Int64Array, start: int, end: int) -> None:
    """Turn numbers per shortest window into numbers per window: a long window holds the short ones."""
    for row in range(len(table)):
        for column in range(start + 1, end):
            table[row, column] += table[row, column - 1]


@compiled
def _decay(
    decayed: Int64Array,
    first: int,
    end: int,
    now: int,
    all_rows: int,
    decays: Int64Array,
    halving: Int64Array,
    occurred_us: Int64Array,
    kind_row: Int32Array,
    channel_row: Int32Array,
) -> None:
    """Go from the newest known activity to the oldest: once one weighs nothing, none before it does."""
    for index in range(len(decays)):
        row, half_life_us = decays[index, 0], decays[index, 1]
        oldest = now - MOST_HALVINGS * half_life_us
        total = 0
        for activity in range(end - 1, first - 1, -1):
            if occurred_us[activity] <= oldest:
                break
            if row == all_rows or row == kind_row[activity] or row == channel_row[activity]:
                total += halved(now - occurred_us[activity], half_life_us, halving)
        decayed[index] = total


@compiled
def halved(age_us: int, half_life_us: int, halving: Int64Array) -> int:
    """Return 2^(-age / half_life) in fixed point (HALVING_SHIFT bits), by integers only.

    The age is resolved to half_life / 2^20 (0.6 s for a week). No library function is asked for a power:
    its last bit may differ from one machine to the next, and a decayed sum must not.
    """
    halvings = age_us // half_life_us
    if halvings >= MOST_HALVINGS:
        return 0
    part = ((age_us - halvings * half_life_us) << (2 * TABLE_BITS)) // half_life_us
    coarse, fine = part >> TABLE_BITS, part & (TABLE_SIZE - 1)
    weight: int = (halving[0, coarse] * halving[1, fine]) >> HALVING_SHIFT
    return weight >> halvings


@compiled
def _meet_assets(
    distinct: Int64Array,
    seen_in: Int64Array,
    point: int,
    first: int,
    end: int,
    now: int,
    all_rows: int,
    window_us: Int64Array,
    distinct_rows: Int64Array,
    occurred_us: Int64Array,
    kind_row: Int32Array,
    channel_row: Int32Array,
    asset_code: Int32Array,
) -> None:
    """Count an asset once per point, in the shortest window it was met in: the newest meeting.

    `seen_in` int64 (n_distinct, n_assets) remembers the point that met an asset last, -1 before any.
    """
    distinct[:] = 0
    for index in range(distinct_rows.size):
        row, window = distinct_rows[index], 0
        for activity in range(end - 1, first - 1, -1):
            age, asset = now - occurred_us[activity], asset_code[activity]
            while window < window_us.size and age >= window_us[window]:
                window += 1
            if asset == NO_CODE:
                continue
            if row != all_rows and row != kind_row[activity] and row != channel_row[activity]:
                continue
            if seen_in[index, asset] != point:
                seen_in[index, asset] = point
                distinct[index, window] += 1
    _cumulate(distinct, 0, distinct.shape[1])


@compiled
def _touch_first(
    first_touch: Float64Array,
    first: int,
    end: int,
    first_levels: Int64Array,
    zone: Int64Array,
    occurred_us: Int64Array,
    kind_row: Int32Array,
) -> None:
    """Write level, local hour and local weekday of the first known activity, NaN without any."""
    first_touch[:] = np.nan
    if first < end:
        period = np.searchsorted(zone[:, 0], occurred_us[first], side="right") - 1
        local_us = occurred_us[first] + zone[period, 1]
        first_touch[FIRST_KIND] = first_levels[kind_row[first]]  # NO_CODE: the last row
        first_touch[FIRST_HOUR] = local_us // HOUR_US % 24
        first_touch[FIRST_WEEKDAY] = (local_us // DAY_US + THURSDAY) % 7


@compiled
def _read_out(
    matrix: Float64Array,
    point: int,
    now: int,
    steps: Int64Array,
    window_us: Int64Array,
    totals: Int64Array,
    decayed: Int64Array,
    distinct: Int64Array,
    first_touch: Float64Array,
) -> None:
    """Write one value per step; one flat chain, because passing arrays on would cost more than it does."""
    active = BY_WINDOW + window_us.size + 1
    for step in range(len(steps)):
        operation, row, operand, second = steps[step, 1], steps[step, 2], steps[step, 3], steps[step, 4]
        value = np.nan
        if operation == OP_COUNT:
            value = float(totals[row, BY_WINDOW + operand])
        elif operation == OP_DAYS_SINCE_LAST and totals[row, NEWEST] != NEVER:
            value = (now - totals[row, NEWEST]) / DAY_US
        elif operation == OP_DISTINCT_ASSETS:
            value = float(distinct[second, operand])
        elif operation == OP_ACTIVE_DAYS:
            value = float(totals[row, active + operand])
        elif operation == OP_ENGAGEMENT:
            value = decayed[operand] / (1 << HALVING_SHIFT)
        elif operation == OP_TREND and totals[row, BY_WINDOW + second] > 0:
            in_short, in_long = totals[row, BY_WINDOW + operand], totals[row, BY_WINDOW + second]
            value = (in_short * (window_us[second] // DAY_US)) / (in_long * (window_us[operand] // DAY_US))
        elif operation == OP_BETWEEN_LAST_TWO and totals[row, PREVIOUS] != NEVER:
            value = (totals[row, NEWEST] - totals[row, PREVIOUS]) / DAY_US
        elif operation == OP_FIRST_TOUCH:
            value = first_touch[operand]
        matrix[point, steps[step, 0]] = value
