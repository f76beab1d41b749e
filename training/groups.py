"""Promised against real wins, group by group: months, tenths by score, slices by persona or source.

Decides which attributes are looked at and which slice is too small to be judged. A slice that is too small is
"not applicable", with the reason: neither good nor bad. Whether a deviation refuses a model is gates.py's.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from features.build import Points, build_features
from features.catalogue import persona_feature
from features.definitions import Feature, FeatureKind, FeatureSet
from features.personas import PersonaRules
from features.tables import CanonicalTables
from features.words.reasons import feature_label, value_text
from training.metrics import (
    area_under_roc,
    equal_mass_bins,
    gain_at,
    log_losses,
    spread_of_wins,
    weighted_mean,
)
from training.outcomes import BoolArray, IntArray
from training.points import FloatArray

TENTHS = 10
MOST_LEVELS = 20
"""An attribute with more levels is not sliced: its slices would be too small, and nobody would read them."""

LEAST_LEADS = 50
LEAST_EXPECTED = 5.0
"""A slice is judged when so many wins and so many other ends are promised (Cochran 1954, "Some methods for
strengthening the common chi-square tests"). Promised, not real: real wins would choose the lucky slices."""

DEVIATIONS = 1.96
"""A right promise keeps its real wins within so many standard deviations in 95 of 100 cases."""

FEW_LEADS, FEW_OUTCOMES = "few_leads", "few_outcomes"

SLICED_KINDS = frozenset(
    {
        FeatureKind.PERSONA,
        FeatureKind.ATTRIBUTE_CATEGORY,
        FeatureKind.ATTRIBUTE_BOOLEAN,
        FeatureKind.EMAIL_CLASS,
        FeatureKind.FIRST_TOUCH_KIND,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ScoredPoints:
    """What is judged, one row per snapshot with a known label, each array (n,).

    ``lead_index`` says which rows belong to one lead; ``as_of_us`` is 0 without times; ``prior_probability``
    is the base rate that somebody without a model would have given.
    """

    lead_index: IntArray
    as_of_us: IntArray
    label: npt.NDArray[np.int8]
    weight: FloatArray
    probability: FloatArray
    prior_probability: float

    def where(self, chosen: BoolArray) -> "ScoredPoints":
        """Return the chosen rows, bool (n,)."""
        return ScoredPoints(
            lead_index=self.lead_index[chosen],
            as_of_us=self.as_of_us[chosen],
            label=self.label[chosen],
            weight=self.weight[chosen],
            probability=self.probability[chosen],
            prior_probability=self.prior_probability,
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Slicing:
    """One attribute by which rows are told apart: its feature, and the value of each row (n,)."""

    feature: Feature
    value: FloatArray

    def where(self, chosen: BoolArray) -> "Slicing":
        """Return the slicing of the chosen rows, bool (n,)."""
        return Slicing(feature=self.feature, value=self.value[chosen])


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Promised and real wins of some rows, both weighted; a lead counts once for each of its snapshots.

    ``spread`` is the standard deviation the real wins would have if every probability were right: then they
    lie within two of them around the expected in 95 of 100 cases.
    """

    snapshots: int
    leads: int
    weight: float
    expected_wins: float
    real_wins: float
    spread: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthRow(Group):
    """The snapshots of one calendar month (UTC), written 2026-11."""

    month: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TenthRow(Group):
    """One tenth of the snapshots, 1 = best scores: what was promised, what came, and the gain up to here.

    ``share`` of all weight lies in this tenth and the better ones; ``gain`` of all wins; lift = gain / share.
    Without a win there is no gain and no lift: None.
    """

    tenth: int
    mean_probability: float
    win_rate: float
    share: float
    gain: float | None
    lift: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceRow(Group):
    """The rows with one value of an attribute, named in English and German.

    ``not_applicable`` is `FEW_LEADS` or `FEW_OUTCOMES` for a slice too small to be judged, else empty.
    ``log_loss_gain`` is how much better than the base rate; ``auc`` is None where all ended alike.
    """

    feature: str
    attribute_en: str
    attribute_de: str
    level_en: str
    level_de: str
    not_applicable: str
    log_loss: float
    log_loss_gain: float
    auc: float | None


def wins_range(group: Group) -> tuple[float, float]:
    """Return between which numbers real wins lie in 95 of 100 cases, if every probability is right."""
    tolerance = DEVIATIONS * group.spread
    return max(group.expected_wins - tolerance, 0.0), group.expected_wins + tolerance


def is_off(group: Group) -> bool:
    """Say whether real wins leave the range that chance allows, this group looked at alone."""
    low, high = wins_range(group)
    return not low <= group.real_wins <= high


def whole_of(scored: ScoredPoints) -> Group:
    """Return all rows as one group."""
    return Group(**_sums(scored))


def months_of(scored: ScoredPoints) -> tuple[MonthRow, ...]:
    """Return one row per calendar month of the snapshots, oldest first; none without times."""
    if not scored.as_of_us.any():
        return ()
    month = scored.as_of_us.astype("datetime64[us]").astype("datetime64[M]")
    return tuple(MonthRow(month=str(each), **_sums(scored.where(month == each))) for each in np.unique(month))


def tenths_of(scored: ScoredPoints) -> tuple[TenthRow, ...]:
    """Return up to ten rows, best scores first; tied scores share a tenth, so there may be fewer."""
    tenth = TENTHS - equal_mass_bins(scored.probability, scored.weight, n_bins=TENTHS)
    return tuple(_tenth_row(int(each), scored, tenth) for each in np.unique(tenth))


def slices_of(scored: ScoredPoints, slicings: tuple[Slicing, ...]) -> tuple[SliceRow, ...]:
    """Return a row per value of each slicing, most leads first within each; one value alone is no slice."""
    return tuple(row for slicing in slicings for row in _rows_of(scored, slicing))


def slicings_of(feature_set: FeatureSet, matrix: FloatArray) -> tuple[Slicing, ...]:
    """Return the attributes worth a look among the features, as known at each row of (n, n_features)."""
    return tuple(
        Slicing(feature=feature, value=matrix[:, index])
        for index, feature in enumerate(feature_set.features)
        if feature.kind in SLICED_KINDS and len(feature.levels) <= MOST_LEVELS
    )


def persona_slicing(
    personas: tuple[PersonaRules, ...], tables: CanonicalTables, points: Points
) -> tuple[Slicing, ...]:
    """Return the agreed personas of the points; nothing when none is agreed or an attribute is not there."""
    read = frozenset[str]().union(*(each.attributes for each in personas))
    if not personas or not read <= set(tables.attribute_columns):
        return ()
    alone = FeatureSet(features=(persona_feature(personas),), timezone="UTC", activity_kinds=())
    return slicings_of(alone, build_features(alone, tables, points))


def _sums(scored: ScoredPoints) -> dict[str, Any]:
    """Return the fields of a group."""
    return {
        "snapshots": len(scored.label),
        "leads": len(np.unique(scored.lead_index)),
        "weight": float(scored.weight.sum()),
        "expected_wins": float(scored.weight @ scored.probability),
        "real_wins": float(scored.weight @ scored.label),
        "spread": spread_of_wins(scored.probability, scored.weight, scored.lead_index),
    }


def _tenth_row(tenth: int, scored: ScoredPoints, tenths: IntArray) -> TenthRow:
    own = scored.where(tenths == tenth)
    share = float(scored.weight[tenths <= tenth].sum() / scored.weight.sum())
    gain = float(gain_at(scored.label, scored.probability, scored.weight, min(share, 1.0)))
    return TenthRow(
        tenth=tenth,
        mean_probability=float(weighted_mean(own.probability, own.weight)),
        win_rate=float(weighted_mean(own.label.astype(np.float64), own.weight)),
        share=share,
        gain=None if np.isnan(gain) else gain,
        lift=None if np.isnan(gain) else gain / share,
        **_sums(own),
    )


def _rows_of(scored: ScoredPoints, slicing: Slicing) -> Iterator[SliceRow]:
    values = np.unique(slicing.value)  # all NaN are one value, the last
    if len(values) < 2:
        return
    rows = [_slice_row(scored, slicing, float(value)) for value in values]
    yield from sorted(rows, key=lambda row: -row.leads)


def _slice_row(scored: ScoredPoints, slicing: Slicing, value: float) -> SliceRow:
    feature = slicing.feature
    own = scored.where(np.isnan(slicing.value) if np.isnan(value) else slicing.value == value)
    sums = _sums(own)
    loss = log_losses(own.label, own.probability)
    prior_loss = log_losses(own.label, np.full(len(loss), own.prior_probability))
    auc = float(area_under_roc(own.label, own.probability, own.weight))
    return SliceRow(
        feature=feature.name,
        attribute_en=feature_label(feature, "en"),
        attribute_de=feature_label(feature, "de"),
        level_en=value_text(feature, value, "en"),
        level_de=value_text(feature, value, "de"),
        not_applicable=_too_small(sums["leads"], sums["expected_wins"], sums["weight"]),
        log_loss=float(weighted_mean(loss, own.weight)),
        log_loss_gain=float(weighted_mean(prior_loss - loss, own.weight)),
        auc=None if np.isnan(auc) else auc,
        **sums,
    )


def _too_small(leads: int, expected_wins: float, total_weight: float) -> str:
    if leads < LEAST_LEADS:
        return FEW_LEADS
    return FEW_OUTCOMES if min(expected_wins, total_weight - expected_wins) < LEAST_EXPECTED else ""
