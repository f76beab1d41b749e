"""What a model directory freezes for monitoring (`reference.json`): how inputs and scores were spread.

Counted over the leads that calibrated and judged the model, not over those its trees were fitted on: scores
and levels flatter the latter. A lead counts once per age, so rows are independent; attributes are read when
a lead is created, activities and scores a week later too. What a difference means is decided in `drift`.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass

import msgspec
import numpy as np

from features.build import Points, build_features
from features.definitions import ATTRIBUTE_KINDS, Feature, FeatureKind, FeatureSet
from features.errors import InputError
from features.tables import CanonicalTables
from training.labels import label_points
from training.monitoring.cohorts import Cohort, TopLift, lift_of_top
from training.monitoring.drift import FEWEST_PER_CELL, between_periods
from training.outcomes import DAY_US, IntArray, lead_created_us
from training.points import FloatArray
from training.snapshots import closing_us
from training.splits import Split

FORMAT = 1
AGES_DAYS = (0, 7)
PERIOD_DAYS = 14
FEWEST_PER_PERIOD = 30
N_BINS = 10
SCORE = "probability"

Predict = Callable[[FloatArray], FloatArray]
"""From feature rows (n, n_features) to probabilities (n,)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceColumn:
    """How one input or the score was spread over cells.

    ``edges`` are the upper ends of all bins but the last; None for a category, whose cells are its codes.
    The last cell is "missing". ``between`` is how much more the shares moved from one fortnight to the next
    than chance explains, as `drift.between_periods` measures it; ``unknown_between`` the same of code 0.
    """

    name: str
    counts: tuple[int, ...]
    edges: tuple[float, ...] | None = None
    between: float = 0.0
    unknown_between: float = 0.0

    def cells(self, values: FloatArray) -> IntArray:
        """Return the cell of each value, int64 (n,), 0 to len(counts) - 1; NaN is the last."""
        missing = len(self.counts) - 1
        if self.edges is None:
            known = np.clip(np.nan_to_num(values), 0, missing - 1).astype(np.int64)
        else:
            known = np.searchsorted(np.array(self.edges), values, side="left").astype(np.int64)
        return np.where(np.isnan(values), missing, known)

    def count(self, values: FloatArray) -> IntArray:
        """Return how many values lie in each cell, int64 (n_cells,)."""
        return np.bincount(self.cells(values), minlength=len(self.counts)).astype(np.int64)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceAge:
    """The spread of leads at one age: ``rows`` leads over ``periods`` fortnights."""

    age_days: int
    rows: int
    periods: int
    columns: tuple[ReferenceColumn, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """The frozen spreads; no lead created after ``newest_lead_us`` has calibrated or judged the model.

    ``lift`` is that of the leads that judged it; None when they hold too few wins.
    """

    newest_lead_us: int
    ages: tuple[ReferenceAge, ...]
    lift: TopLift | None

    def to_dict(self) -> dict[str, object]:
        """Return plain JSON values that :meth:`from_dict` reads back equal."""
        return {"format": FORMAT, **asdict(self)}

    @classmethod
    def from_dict(cls, plain: Mapping[str, object]) -> "Reference":
        """Read what :meth:`to_dict` wrote; InputError says what is wrong."""
        if plain.get("format") != FORMAT:
            raise InputError(f"reference.json: format must be {FORMAT}; got {plain.get('format')!r}")
        try:
            return msgspec.convert({key: plain[key] for key in ("newest_lead_us", "ages", "lift")}, cls)
        except (KeyError, msgspec.ValidationError) as error:
            raise InputError(f"reference.json: must hold a reference; {error}") from error


def freeze_reference(
    tables: CanonicalTables, split: Split, *, horizon_days: int, feature_set: FeatureSet, predict: Predict
) -> Reference | None:
    """Return the spreads of the leads that calibrated and judged a model; None without times."""
    known_until_us = tables.known_until_us
    lead_index = np.concatenate([split.calibration.lead_index, split.test.lead_index])
    if known_until_us is None or len(lead_index) == 0:
        return None
    matured_us = known_until_us - horizon_days * DAY_US
    points = points_at_age(tables, split.test.lead_index, 0, after_us=-(2**62), until_us=matured_us)
    judged = read_cohort(tables, points, horizon_days=horizon_days, feature_set=feature_set, predict=predict)
    return Reference(
        newest_lead_us=int(lead_created_us(tables)[lead_index].max()),
        ages=tuple(_at_age(tables, lead_index, feature_set, predict, age_days) for age_days in AGES_DAYS),
        lift=lift_of_top(judged),
    )


def read_cohort(
    tables: CanonicalTables,
    points: Points,
    *,
    horizon_days: int,
    feature_set: FeatureSet,
    predict: Predict,
) -> Cohort:
    """Return what was promised at points whose horizon is over, and what came."""
    labels = label_points(tables, points, horizon_days=horizon_days, known_until_us=tables.known_until_us)
    matrix = build_features(feature_set, tables, points)
    return Cohort(probability=predict(matrix), label=labels.label)


def points_at_age(
    tables: CanonicalTables, lead_index: IntArray, age_days: int, *, after_us: int, until_us: int
) -> Points:
    """Return the instants in (after, until] at which leads, still open, reached an age: one row per lead."""
    as_of_us = lead_created_us(tables)[lead_index] + age_days * DAY_US
    is_open = as_of_us < closing_us(tables)[lead_index]
    chosen = is_open & (as_of_us > after_us) & (as_of_us <= until_us)
    return Points(lead_index=lead_index[chosen], as_of_us=as_of_us[chosen])


def watched_at(feature: Feature, age_days: int) -> bool:
    """Tell whether a feature is watched at an age: attributes at once, what takes time a week later."""
    at_once = feature.kind in ATTRIBUTE_KINDS | {FeatureKind.PERSONA}
    return age_days == (AGES_DAYS[0] if at_once else AGES_DAYS[-1])


def column_values(
    feature_set: FeatureSet, predict: Predict, matrix: FloatArray, age_days: int
) -> Iterator[tuple[str, FloatArray]]:
    """Yield what is watched at an age, by name: the features, and last the score; each (n,)."""
    for position, feature in enumerate(feature_set.features):
        if watched_at(feature, age_days):
            yield feature.name, matrix[:, position]
    yield SCORE, predict(matrix)


def _at_age(
    tables: CanonicalTables, lead_index: IntArray, feature_set: FeatureSet, predict: Predict, age_days: int
) -> ReferenceAge:
    until_us = tables.known_until_us or 0
    points = points_at_age(tables, lead_index, age_days, after_us=-(2**62), until_us=until_us)
    period = _periods(points.as_of_us)
    matrix = build_features(feature_set, tables, points)
    n_levels = {each.name: len(each.levels) for each in feature_set.features if each.is_category}
    return ReferenceAge(
        age_days=age_days,
        rows=len(points),
        periods=len(np.unique(period[period >= 0])),
        columns=tuple(
            _column(name, values, period, n_levels.get(name))
            for name, values in column_values(feature_set, predict, matrix, age_days)
        ),
    )


def _column(name: str, values: FloatArray, period: IntArray, n_levels: int | None) -> ReferenceColumn:
    empty = ReferenceColumn(name=name, counts=(0,) * ((n_levels or 0) + 2))
    if n_levels is None:
        edges = _edges(values)
        empty = ReferenceColumn(name=name, counts=(0,) * (len(edges) + 2), edges=edges)
    per_period = [empty.count(values[period == each]) for each in np.unique(period[period >= 0])]
    return ReferenceColumn(
        name=name,
        counts=tuple(empty.count(values).tolist()),
        edges=empty.edges,
        between=between_periods(per_period),
        unknown_between=between_periods([unknown_split(each) for each in per_period if n_levels is not None]),
    )


def unknown_split(counts: IntArray) -> IntArray:
    """Return how many filled values of a category the model does not know, and how many it knows, (2,)."""
    return np.array([counts[0], counts[1:-1].sum()], dtype=np.int64)


def _periods(as_of_us: IntArray) -> IntArray:
    """Return which fortnight each row lies in, counted back from the newest, (n,); -1 in a thin one."""
    if len(as_of_us) == 0:
        return np.zeros(0, dtype=np.int64)
    period = (as_of_us.max() - as_of_us) // (PERIOD_DAYS * DAY_US)
    enough = np.bincount(period)[period] >= max(FEWEST_PER_PERIOD, 2 * FEWEST_PER_CELL)
    return np.where(enough, period, -1)


def _edges(values: FloatArray) -> tuple[float, ...]:
    """Return the different deciles but the largest value: the upper ends of up to nine bins."""
    known = values[~np.isnan(values)]
    if len(known) == 0:
        return ()
    edges = np.unique(np.quantile(known, np.arange(1, N_BINS) / N_BINS, method="inverted_cdf"))
    return tuple(edges[edges < known.max()].tolist())
