"""The points table of a model that adds one number per feature: what a person can type into a CRM.

It is read off the model itself: start plus one row per feature is the score in points, to the last digit. A
model in which features act together has no such table, and that is said.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from features.definitions import Feature
from features.errors import InputError
from features.words.naming import level_text
from features.words.phrases import NO_VALUE, Language, number_text
from features.words.reasons import feature_label
from training.artifact import LoadedModel
from training.points import POINTS_PER_LOG_ODDS, FloatArray
from training.tree_kernel import CATEGORICAL, LEAF
from training.trees import TreeEnsemble, predict_margin

SAME_POINTS = 1e-9
"""Neighbours that differ by less are one row."""

WORDS: dict[str, dict[Language, str]] = {
    "feature": {"en": "Feature", "de": "Merkmal"},
    "value": {"en": "Value", "de": "Wert"},
    "points": {"en": "Points", "de": "Punkte"},
    "start": {"en": "Start", "de": "Start"},
    "everybody": {"en": "everybody", "de": "alle"},
    "up_to": {"en": "up to {high}", "de": "bis {high}"},
    "between": {"en": "above {low} up to {high}", "de": "über {low} bis {high}"},
    "above": {"en": "above {low}", "de": "über {low}"},
    "any": {"en": "any value", "de": "jeder Wert"},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ScorecardRow:
    """What one value or range of a feature adds.

    ``above`` and ``up_to`` bound a range (None where it is open), ``codes`` are categories (0 is any other
    value); a row with neither and ``is_missing`` is for leads without a value.
    """

    feature: Feature
    points: float
    above: float | None = None
    up_to: float | None = None
    codes: tuple[int, ...] = ()
    is_missing: bool = False

    def value_text(self, lang: Language) -> str:
        """Return the value or range for people."""
        if self.is_missing:
            return NO_VALUE[lang]
        if self.feature.is_category:
            return ", ".join(level_text(self.feature, float(code), lang) for code in self.codes)
        low, high = ("" if bound is None else number_text(bound, lang) for bound in (self.above, self.up_to))
        form = {(False, False): "between", (True, False): "up_to", (False, True): "above"}
        return WORDS[form.get((not low, not high), "any")][lang].format(low=low, high=high)

    def to_dict(self) -> dict[str, object]:
        """Return plain JSON values with both languages."""
        return {
            "feature": self.feature.name,
            "points": self.points,
            "above": self.above,
            "up_to": self.up_to,
            "levels": [level_text(self.feature, float(code), "en") for code in self.codes],
            "missing": self.is_missing,
            **{f"feature_{lang}": feature_label(self.feature, lang) for lang in ("de", "en")},
            **{f"value_{lang}": self.value_text(lang) for lang in ("de", "en")},
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Scorecard:
    """``start`` plus the points of one row per feature is the score; no row takes points away."""

    start: float
    rows: tuple[ScorecardRow, ...]

    def to_dict(self) -> dict[str, object]:
        """Return plain JSON values."""
        return {"start": self.start, "rows": [row.to_dict() for row in self.rows]}

    def lines(self, lang: Language) -> Iterator[tuple[str, str, str]]:
        """Yield feature, value and points for people, the start first; points with one decimal."""
        yield WORDS["start"][lang], WORDS["everybody"][lang], _points_text(self.start, lang)
        for row in self.rows:
            yield feature_label(row.feature, lang), row.value_text(lang), _points_text(row.points, lang)


def read_scorecard(model: LoadedModel) -> Scorecard:
    """Return the table of a model; InputError when its features act together."""
    if not is_additive(model.ensemble):
        raise InputError(
            "this model is no scorecard: its features act together, which no table of points can say; "
            "`leadpact train --evidence scorecard` trains one that can"
        )
    start, rows = _points(model, np.full((1, model.ensemble.n_features), np.nan))[0], []
    for column, feature in enumerate(model.feature_set.features):
        own = _feature_rows(model, column, feature)
        lowest = min((row.points for row in own), default=0.0)
        start += lowest
        rows += [_moved(row, -lowest) for row in own]
    return Scorecard(start=float(start), rows=tuple(rows))


def is_additive(ensemble: TreeEnsemble) -> bool:
    """Tell whether no tree asks for more than one feature."""
    nodes = ensemble.nodes
    for start, end in zip(nodes.tree_start[:-1], nodes.tree_start[1:], strict=True):
        asked = nodes.feature[start:end]
        if len(np.unique(asked[asked != LEAF])) > 1:
            return False
    return True


def _points(model: LoadedModel, matrix: FloatArray) -> FloatArray:
    return model.predict(matrix).points


def _feature_rows(model: LoadedModel, column: int, feature: Feature) -> list[ScorecardRow]:
    """Return the rows of one feature with points against no value; none when all are alike."""
    thresholds = _thresholds(model.ensemble, column)
    codes = np.arange(len(feature.levels) + 1.0) if feature.is_category else _between(thresholds)
    matrix = np.full((len(codes) + 1, model.ensemble.n_features), np.nan)
    matrix[:-1, column] = codes
    margin = predict_margin(model.ensemble, matrix)
    points = (margin - margin[-1]) * (model.calibration.slope * POINTS_PER_LOG_ODDS)
    if np.ptp(points) < SAME_POINTS:
        return []
    missing = ScorecardRow(feature=feature, points=0.0, is_missing=True)
    make = _level_rows if feature.is_category else _range_rows
    return [*make(feature, points[:-1], thresholds), missing]


def _thresholds(ensemble: TreeEnsemble, column: int) -> FloatArray:
    nodes = ensemble.nodes
    own = (nodes.feature == column) & (nodes.flags & CATEGORICAL == 0)
    return np.unique(nodes.threshold[own & np.isfinite(nodes.threshold)])


def _between(thresholds: FloatArray) -> FloatArray:
    """Return a value of each range: every upper bound, and one above the last."""
    return np.append(thresholds, np.inf if len(thresholds) == 0 else np.nextafter(thresholds[-1], np.inf))


def _range_rows(feature: Feature, points: FloatArray, thresholds: FloatArray) -> Iterator[ScorecardRow]:
    firsts = np.flatnonzero(np.append(True, np.abs(np.diff(points)) >= SAME_POINTS))
    bounds = [None, *thresholds.tolist(), None]
    for first, end in zip(firsts, [*firsts[1:], len(points)], strict=True):
        yield ScorecardRow(
            feature=feature, points=float(points[first]), above=bounds[first], up_to=bounds[end]
        )


def _level_rows(feature: Feature, points: FloatArray, _: FloatArray) -> Iterator[ScorecardRow]:
    """Yield categories of equal points together, most points first."""
    together: dict[float, list[int]] = {}
    for code, own in enumerate(points.tolist()):
        together.setdefault(round(own, 9), []).append(code)
    for own in sorted(together, reverse=True):
        yield ScorecardRow(
            feature=feature, points=float(points[together[own][0]]), codes=tuple(together[own])
        )


def _moved(row: ScorecardRow, by: float) -> ScorecardRow:
    return ScorecardRow(
        feature=row.feature,
        points=row.points + by,
        above=row.above,
        up_to=row.up_to,
        codes=row.codes,
        is_missing=row.is_missing,
    )


def _points_text(points: float, lang: Language) -> str:
    text = f"{points:.1f}"
    return text if lang == "en" else text.replace(".", ",")
