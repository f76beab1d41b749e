"""The one loop: plan + sorted activities + as_of -> values, for the lead of a request and for millions.

Times are int64 microseconds and windows integer comparisons; counts, distinct counts and decayed sums are
int64, so no order of addition can change a bit. What the columns mean is decided by `features.definitions`,
which accumulators are kept by `features.plan`.
"""

from typing import Any

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
PARTS = 1 << (2 * TABLE_BITS)
"""Per half-life: as finely as an age is resolved."""

HALVING_SHIFT = 30
MOST_HALVINGS = HALVING_SHIFT + 1
NEVER = -(2**63)
BLOCK = 64
"""Points that go through the stages of the kernel together: what they need stays in the fastest cache."""

NOT_YET_KNOWN, NEVER_CHANGED = -1, -2
THURSDAY = 3
"""Weekday (Monday = 0) of 1970-01-01."""


FIRST, END, NOW = range(3)
"""Columns of the known activities of a point: the first one, the one after the last, and as_of."""


@compiled
def fill_activity_features(
    columns: Float64Array,
    steps: Int64Array,
    window_us: Int64Array,
    decays: Int64Array,
    distincts: Int64Array,
    actives: Int64Array,
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
    """Write the activity features of every point into `columns`, float64 (n_features, n_points).

    The eight arrays after `columns` are an `features.plan.ActivityPlan`. Activities are (n_activities,),
    lead by lead, ascending by (time, activity id): int64 microseconds; int32 row of the kind, row of the
    channel, code of the asset (NO_CODE where there is none; assets count from 0). Lead i has the activities
    `offsets[i]` to `offsets[i + 1]`; offsets int64 (n_leads + 1,). Points are int64 (n_points,): lead and
    as_of.
    An activity counts when it occurred at or before as_of, and in a window when it occurred after
    as_of - window. Counts are 0 without activity, everything else is NaN.
    """
    # one row more than there are: NO_CODE is the last one, which nobody reads
    n_block, n_rows, n_windows = min(BLOCK, point_lead.size), first_levels.size + 1, window_us.size + 1
    known = np.empty((3, n_block), np.int64)
    counts = np.empty((n_rows, n_windows, n_block), np.int64)
    latest = np.empty((n_rows, 2, n_block), np.int64)
    decayed = np.empty((len(decays), n_block), np.int64)
    met = np.empty((len(distincts), n_windows, n_block), np.int64)
    days = np.empty((len(actives), n_windows, n_block), np.int64)
    first_touch = np.empty((3, n_block))
    seen_by = np.full((len(distincts), _highest(asset_code) + 1), -1, np.int64)
    for start in range(0, point_lead.size, BLOCK):
        n = min(BLOCK, point_lead.size - start)
        _find_known(known, n, start, occurred_us, offsets, point_lead, as_of_us)
        _count(counts, latest, n, known, window_us, occurred_us, kind_row, channel_row)
        _decay(decayed, n, known, n_rows - 2, decays, halving, occurred_us, kind_row, channel_row)
        _meet_assets(
            met, seen_by, n, start, known, n_rows - 2,
            window_us, distincts, occurred_us, kind_row, channel_row, asset_code,
        )  # fmt: skip
        _count_days(days, n, known, n_rows - 2, window_us, actives, occurred_us, kind_row, channel_row)
        _touch_first(first_touch, n, known, first_levels, zone, occurred_us, kind_row)
        _read_out(columns, n, start, known, steps, window_us, counts, latest, decayed, met, days, first_touch)


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
def run_starts(rows: Int32Array, n_groups: int) -> Int64Array:
    """Return where the run of each number begins in ascending numbers, and the end; int64 (n_groups + 1,)."""
    starts = np.empty(n_groups + 1, np.int64)
    group = 0
    for place in range(rows.size):
        while group <= rows[place]:
            starts[group] = place
            group += 1
    starts[group:] = rows.size
    return starts


@compiled
def looked_up(places: npt.NDArray[np.signedinteger[Any]], table: Int32Array) -> Int32Array:
    """Return `table[places]`; int32 (n,). Places are integers of any width, none of them negative."""
    found = np.empty(places.size, np.int32)
    for index in range(places.size):
        found[index] = table[places[index]]
    return found


@compiled
def _highest(codes: Int32Array) -> int:
    highest = NO_CODE
    for code in codes:
        highest = max(highest, code)
    return highest


@compiled
def _find_known(
    known: Int64Array,
    n: int,
    start: int,
    occurred_us: Int64Array,
    offsets: Int64Array,
    point_lead: Int64Array,
    as_of_us: Int64Array,
) -> None:
    """Find the activities at or before as_of; most often these are all of the lead's."""
    for place in range(n):
        lead, now = point_lead[start + place], as_of_us[start + place]
        first, end = offsets[lead], offsets[lead + 1]
        if first < end and occurred_us[end - 1] > now:
            end = first + np.searchsorted(occurred_us[first:end], now, side="right")
        known[FIRST, place], known[END, place], known[NOW, place] = first, end, now


@compiled
def _count(
    counts: Int64Array,
    latest: Int64Array,
    n: int,
    known: Int64Array,
    window_us: Int64Array,
    occurred_us: Int64Array,
    kind_row: Int32Array,
    channel_row: Int32Array,
) -> None:
    """Count activities per row and window, and keep the instants of the last two of each row.

    From the oldest activity on, so that the last one written is the newest; the last entry per row is
    "older than every window". An activity counts in the row of all, of its kind and of its channel.
    """
    n_windows, all_rows = window_us.size, len(counts) - 2
    counts[:] = 0
    latest[:] = NEVER
    for place in range(n):
        activity, end, now = known[FIRST, place], known[END, place], known[NOW, place]
        for window in range(n_windows, -1, -1):
            oldest_of_next = now - window_us[window - 1] if window > 0 else now
            before = activity
            while activity < end and occurred_us[activity] <= oldest_of_next:
                for row in (kind_row[activity], channel_row[activity]):
                    counts[row, window, place] += 1
                    latest[row, 1, place] = latest[row, 0, place]
                    latest[row, 0, place] = occurred_us[activity]
                activity += 1
            counts[all_rows, window, place] = activity - before
        for back in range(min(2, end - known[FIRST, place])):
            latest[all_rows, back, place] = occurred_us[end - 1 - back]
    _cumulate(counts)


@compiled
def _cumulate(counts: Int64Array) -> None:
    """Turn numbers per shortest window into numbers per window: a long window holds the short ones."""
    for row in range(counts.shape[0]):
        for window in range(1, counts.shape[1]):
            for place in range(counts.shape[2]):
                counts[row, window, place] += counts[row, window - 1, place]


@compiled
def _decay(
    decayed: Int64Array,
    n: int,
    known: Int64Array,
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
        parts_per_us = PARTS / half_life_us
        for place in range(n):
            now, total = known[NOW, place], 0
            oldest = now - MOST_HALVINGS * half_life_us
            for activity in range(known[END, place] - 1, known[FIRST, place] - 1, -1):
                if occurred_us[activity] <= oldest:
                    break
                if row == all_rows or row == kind_row[activity] or row == channel_row[activity]:
                    total += _weight(now - occurred_us[activity], half_life_us, parts_per_us, halving)
            decayed[index, place] = total


@compiled
def halved(age_us: int, half_life_us: int, halving: Int64Array) -> int:
    """Return 2^(-age / half_life) in fixed point (HALVING_SHIFT bits).

    The age is resolved to half_life / 2^20 (0.6 s for a week). No library function is asked for a power:
    its last bit may differ from one machine to the next, and a decayed sum must not.
    """
    if age_us >= MOST_HALVINGS * half_life_us:
        return 0
    return _weight(age_us, half_life_us, PARTS / half_life_us, halving)


@compiled
def _weight(age_us: int, half_life_us: int, parts_per_us: float, halving: Int64Array) -> int:
    """Return `halved` of an age below MOST_HALVINGS half-lives, without a division.

    The quotient of floats is the whole number wanted or its neighbour; the remainder, which is small and
    right even where its terms overflow, tells which.
    """
    parts = int(age_us * parts_per_us)
    rest = (age_us << (2 * TABLE_BITS)) - parts * half_life_us
    parts += int(rest >= half_life_us) - int(rest < 0)
    coarse, fine = (parts >> TABLE_BITS) & (TABLE_SIZE - 1), parts & (TABLE_SIZE - 1)
    weight: int = (halving[0, coarse] * halving[1, fine]) >> HALVING_SHIFT
    return weight >> (parts >> (2 * TABLE_BITS))


@compiled
def _meet_assets(
    met: Int64Array,
    seen_by: Int64Array,
    n: int,
    start: int,
    known: Int64Array,
    all_rows: int,
    window_us: Int64Array,
    distincts: Int64Array,
    occurred_us: Int64Array,
    kind_row: Int32Array,
    channel_row: Int32Array,
    asset_code: Int32Array,
) -> None:
    """Count an asset once per point, in the shortest window it was met in: the newest meeting.

    `seen_by` int64 (n_distincts, n_assets) remembers the point that met an asset last, -1 before any.
    """
    met[:] = 0
    for index in range(len(distincts)):
        row, most = distincts[index, 0], window_us[distincts[index, 1]]
        for place in range(n):
            now, window = known[NOW, place], 0
            for activity in range(known[END, place] - 1, known[FIRST, place] - 1, -1):
                age, asset = now - occurred_us[activity], asset_code[activity]
                if age >= most:
                    break
                while age >= window_us[window]:
                    window += 1
                if asset == NO_CODE or seen_by[index, asset] == start + place:
                    continue
                if row == all_rows or row == kind_row[activity] or row == channel_row[activity]:
                    seen_by[index, asset] = start + place
                    met[index, window, place] += 1
    _cumulate(met)


@compiled
def _count_days(
    days: Int64Array,
    n: int,
    known: Int64Array,
    all_rows: int,
    window_us: Int64Array,
    actives: Int64Array,
    occurred_us: Int64Array,
    kind_row: Int32Array,
    channel_row: Int32Array,
) -> None:
    """Count the days (of 24 hours before as_of) with activity, each in the shortest window that has it."""
    days[:] = 0
    for index in range(len(actives)):
        row, most = actives[index, 0], window_us[actives[index, 1]]
        for place in range(n):
            now, window, last_day = known[NOW, place], 0, -1
            for activity in range(known[END, place] - 1, known[FIRST, place] - 1, -1):
                age = now - occurred_us[activity]
                if age >= most:
                    break
                while age >= window_us[window]:
                    window += 1
                day = age // DAY_US
                if day == last_day:
                    continue
                if row == all_rows or row == kind_row[activity] or row == channel_row[activity]:
                    days[index, window, place] += 1
                    last_day = day
    _cumulate(days)


@compiled
def _touch_first(
    first_touch: Float64Array,
    n: int,
    known: Int64Array,
    first_levels: Int64Array,
    zone: Int64Array,
    occurred_us: Int64Array,
    kind_row: Int32Array,
) -> None:
    """Write level, local hour and local weekday of the first known activity, NaN without any."""
    first_touch[:] = np.nan
    for place in range(n):
        first = known[FIRST, place]
        if first < known[END, place]:
            period = np.searchsorted(zone[:, 0], occurred_us[first], side="right") - 1
            local_us = occurred_us[first] + zone[period, 1]
            first_touch[FIRST_KIND, place] = first_levels[kind_row[first]]  # NO_CODE: the last row
            first_touch[FIRST_HOUR, place] = local_us // HOUR_US % 24
            first_touch[FIRST_WEEKDAY, place] = (local_us // DAY_US + THURSDAY) % 7


@compiled
def _read_out(
    columns: Float64Array,
    n: int,
    start: int,
    known: Int64Array,
    steps: Int64Array,
    window_us: Int64Array,
    counts: Int64Array,
    latest: Int64Array,
    decayed: Int64Array,
    met: Int64Array,
    days: Int64Array,
    first_touch: Float64Array,
) -> None:
    """Write one value per step and point, step by step: each step is a short loop without branches."""
    now = known[NOW]
    for step in range(len(steps)):
        operation, row, operand, second = steps[step, 1], steps[step, 2], steps[step, 3], steps[step, 4]
        column = columns[steps[step, 0], start : start + n]
        if operation == OP_COUNT:
            _copy(column, counts[row, operand])
        elif operation == OP_DISTINCT_ASSETS:
            _copy(column, met[second, operand])
        elif operation == OP_ACTIVE_DAYS:
            _copy(column, days[second, operand])
        elif operation == OP_FIRST_TOUCH:
            _copy(column, first_touch[operand])
        elif operation == OP_ENGAGEMENT:
            for place in range(n):
                column[place] = decayed[operand, place] / (1 << HALVING_SHIFT)
        elif operation == OP_DAYS_SINCE_LAST:
            _days_between(column, latest[row, 0], now)
        elif operation == OP_BETWEEN_LAST_TWO:
            _days_between(column, latest[row, 1], latest[row, 0])
        else:
            short, long = window_us[operand] // DAY_US, window_us[second] // DAY_US
            for place in range(n):
                in_short, in_long = counts[row, operand, place], counts[row, second, place]
                column[place] = (in_short * long) / (in_long * short) if in_long > 0 else np.nan


@compiled
def _copy(column: Float64Array, values: Int64Array) -> None:
    for place in range(column.size):
        column[place] = values[place]


@compiled
def _days_between(column: Float64Array, earlier: Int64Array, later: Int64Array) -> None:
    """Write the days between two instants of each point, NaN where there is no earlier one."""
    for place in range(column.size):
        days = (later[place] - earlier[place]) / DAY_US
        column[place] = days if earlier[place] != NEVER else np.nan
