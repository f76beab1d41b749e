"""A feature set, compiled to the integer arrays that the kernel runs.

Decides which accumulators the kernel keeps; what they hold is decided by `features.kernel`.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from features.definitions import ACTIVITY_KINDS, Feature, FeatureKind, FeatureSet
from features.kernel import (
    FIRST_HOUR,
    FIRST_KIND,
    FIRST_WEEKDAY,
    HALVING_SHIFT,
    OP_ACTIVE_DAYS,
    OP_BETWEEN_LAST_TWO,
    OP_COUNT,
    OP_DAYS_SINCE_LAST,
    OP_DISTINCT_ASSETS,
    OP_ENGAGEMENT,
    OP_FIRST_TOUCH,
    OP_TREND,
    TABLE_SIZE,
)
from features.times import DAY_US
from features.zones import zone_offsets

Int64Array = npt.NDArray[np.int64]
PlanArrays = tuple[
    Int64Array, Int64Array, Int64Array, Int64Array, Int64Array, Int64Array, Int64Array, Int64Array
]

OPERATIONS = {
    FeatureKind.COUNT: OP_COUNT,
    FeatureKind.DAYS_SINCE_LAST: OP_DAYS_SINCE_LAST,
    FeatureKind.DISTINCT_ASSETS: OP_DISTINCT_ASSETS,
    FeatureKind.ACTIVE_DAYS: OP_ACTIVE_DAYS,
    FeatureKind.ENGAGEMENT: OP_ENGAGEMENT,
    FeatureKind.TREND: OP_TREND,
    FeatureKind.DAYS_BETWEEN_LAST_TWO: OP_BETWEEN_LAST_TWO,
    FeatureKind.FIRST_TOUCH_KIND: OP_FIRST_TOUCH,
    FeatureKind.FIRST_TOUCH_HOUR: OP_FIRST_TOUCH,
    FeatureKind.FIRST_TOUCH_WEEKDAY: OP_FIRST_TOUCH,
}
FIRST_TOUCHES = {
    FeatureKind.FIRST_TOUCH_KIND: FIRST_KIND,
    FeatureKind.FIRST_TOUCH_HOUR: FIRST_HOUR,
    FeatureKind.FIRST_TOUCH_WEEKDAY: FIRST_WEEKDAY,
}

WALKED_KINDS = (FeatureKind.DISTINCT_ASSETS, FeatureKind.ACTIVE_DAYS)
"""Kinds for which the kernel goes through the activities of a window once more."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ActivityPlan:
    """The arrays of `features.kernel.fill_activity_features`, in the order of its arguments.

    A *row* is what is counted together: first the activity kinds, then the channels, last all activities.

    steps : int64 (n_steps, 5), one per feature: column of the matrix, operation, row, and two operands
        (index of a window, of an entry of `decays`, `distincts` or `actives`, or which first touch).
    window_us : int64 (n_windows,), ascending.
    decays : int64 (n_decays, 2): row, half-life in microseconds.
    distincts, actives : int64 (n, 2): a row whose assets or active days are counted, and the index of the
        longest window in which they are.
    first_levels : int64 (n_rows,), the code of the first-touch category per row.
    zone : int64 (n_periods, 2): first microsecond UTC of a period, offset from UTC in microseconds.
    halving : int64 (2, TABLE_SIZE): 2^-x in fixed point, for x in steps of 1/TABLE_SIZE and 1/TABLE_SIZE^2.
    """

    steps: Int64Array
    window_us: Int64Array
    decays: Int64Array
    distincts: Int64Array
    actives: Int64Array
    first_levels: Int64Array
    zone: Int64Array
    halving: Int64Array

    @property
    def arrays(self) -> PlanArrays:
        """The plan as the kernel takes it."""
        return (
            self.steps,
            self.window_us,
            self.decays,
            self.distincts,
            self.actives,
            self.first_levels,
            self.zone,
            self.halving,
        )


def compile_plan(feature_set: FeatureSet) -> ActivityPlan:
    """Compile the activity features of a set; InputError when its time zone does not exist."""
    wanted = [
        (column, feature)
        for column, feature in enumerate(feature_set.features)
        if feature.kind in ACTIVITY_KINDS
    ]
    compiler = _Compiler(feature_set, [feature for _, feature in wanted])
    return ActivityPlan(
        # by operation, so that the kernel's branches come in long runs
        steps=_table(sorted((compiler.step(*each) for each in wanted), key=lambda step: step[1:]), 5),
        window_us=np.array(compiler.windows, dtype=np.int64),
        decays=_table(compiler.decays, 2),
        distincts=_table(compiler.longest[FeatureKind.DISTINCT_ASSETS].items(), 2),
        actives=_table(compiler.longest[FeatureKind.ACTIVE_DAYS].items(), 2),
        first_levels=np.array(compiler.first_levels(), dtype=np.int64),
        zone=zone_offsets(feature_set.timezone),
        halving=halving_tables(),
    )


def vocabulary_rows(feature_set: FeatureSet) -> tuple[dict[str, int], dict[str, int]]:
    """Return the row of every activity kind and of every channel."""
    kinds = {kind: row for row, kind in enumerate(feature_set.activity_kinds)}
    return kinds, {channel: row for row, channel in enumerate(feature_set.channels, start=len(kinds))}


def halving_tables() -> Int64Array:
    """Return 2^-x as fixed point with HALVING_SHIFT bits, rounded; int64 (2, TABLE_SIZE)."""
    coarse = np.arange(TABLE_SIZE) / TABLE_SIZE
    exponents = np.stack([coarse, coarse / TABLE_SIZE])
    return np.rint(np.exp2(-exponents) * 2.0**HALVING_SHIFT).astype(np.int64)


class _Compiler:
    """Knows the row, window, decay and distinct slot of each feature while one plan is written."""

    def __init__(self, feature_set: FeatureSet, features: list[Feature]) -> None:
        self._features = features
        self._kinds = feature_set.activity_kinds
        self._kind_rows, self._channel_rows = vocabulary_rows(feature_set)
        self._all_rows = len(self._kind_rows) + len(self._channel_rows)
        self.windows = sorted({window for feature in features for window in _windows_us(feature)})
        self.decays = sorted({self._decay(each) for each in features if each.kind is FeatureKind.ENGAGEMENT})
        self.longest = {kind: self._longest_windows(kind) for kind in WALKED_KINDS}

    def step(self, column: int, feature: Feature) -> tuple[int, ...]:
        """Return one row of `ActivityPlan.steps`."""
        return (column, OPERATIONS[feature.kind], self._row(feature), *self._operands(feature))

    def first_levels(self) -> list[int]:
        """Return the first-touch code of every row; a set has at most one first-touch vocabulary."""
        levels = next((each.levels for each in self._features if each.is_category), ())
        codes = {level: code for code, level in enumerate(levels, start=1)}
        return [*(codes.get(kind, 0) for kind in self._kinds), *(0 for _ in self._channel_rows), 0]

    def _row(self, feature: Feature) -> int:
        if feature.activity_kind is not None:
            return self._kind_rows[feature.activity_kind]
        return self._all_rows if feature.channel is None else self._channel_rows[feature.channel]

    def _longest_windows(self, kind: FeatureKind) -> dict[int, int]:
        """Return for each row with features of a kind the index of their longest window."""
        pairs = (
            (self._row(each), self.windows.index(window))
            for each in self._features
            if each.kind is kind
            for window in _windows_us(each)
        )
        return dict(sorted(pairs))  # of equal rows the longest window comes last and stays

    def _decay(self, feature: Feature) -> tuple[int, int]:
        return self._row(feature), (feature.half_life_days or 0) * DAY_US

    def _operands(self, feature: Feature) -> tuple[int, int]:
        if feature.kind is FeatureKind.ENGAGEMENT:
            return self.decays.index(self._decay(feature)), 0
        if feature.kind in FIRST_TOUCHES:
            return FIRST_TOUCHES[feature.kind], 0
        short, *long = [self.windows.index(window) for window in _windows_us(feature)] or [0]
        if feature.kind in WALKED_KINDS:
            return short, list(self.longest[feature.kind]).index(self._row(feature))
        return short, long[0] if long else 0


def _windows_us(feature: Feature) -> list[int]:
    days = (feature.window_days, feature.long_window_days)
    return [each * DAY_US for each in days if each is not None]


def _table(rows: Iterable[tuple[int, ...]], width: int) -> Int64Array:
    return np.array(list(rows), dtype=np.int64).reshape(-1, width)
