"""The flat answer of one score: its fields (DESIGN 4.4), its points, the sentences of its reasons.

Writes numbers and words down; what they are is decided by the model and the policy.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from features.definitions import FeatureSet
from features.words.reasons import Language, feature_label, reason_sentence, value_text
from training.artifact import FamilyReason

FLAT_REASONS = 5
LEAST_SPOKEN_POINTS = 0.05
"""A reason that rounds to 0.0 points is in `reasons`, but it is no sentence."""

UNITS = {"en": ("point", "points"), "de": ("Punkt", "Punkte")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One family's share of the points, with the member that speaks loudest."""

    feature: str
    label: str
    value: str
    points: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreAnswer:
    """What a CRM gets for one lead; the order of the fields is the order in JSON and CSV."""

    score_id: str
    lead_id: str
    as_of: datetime
    probability: float
    probability_low: float
    probability_high: float
    points: int
    stage: str
    stage_reason: str
    owner: str
    respond_by: datetime | None
    persona: str
    evidence: str
    reason_1: str
    reason_2: str
    reason_3: str
    reason_4: str
    reason_5: str
    reasons: tuple[Reason, ...]
    base_points: float
    model_version: str
    policy_version: str
    warnings: tuple[str, ...]


def whole_points(points: float) -> int:
    """Round points half up and cut them to 0-100."""
    whole = math.floor(points)
    rounded = whole + 1 if points - whole >= 0.5 else whole
    return min(100, max(0, rounded))


def reason_values(
    reasons: Sequence[FamilyReason], feature_set: FeatureSet, row: Sequence[float], lang: Language
) -> tuple[Reason, ...]:
    """Return every reason with the words of its loudest feature; `row` is the feature row."""
    return tuple(
        Reason(
            feature=(feature := feature_set.features[reason.feature_index]).name,
            label=feature_label(feature, lang),
            value=value_text(feature, row[reason.feature_index], lang),
            points=reason.points,
        )
        for reason in reasons
    )


def flat_reasons(
    reasons: Sequence[FamilyReason], feature_set: FeatureSet, row: Sequence[float], lang: Language
) -> tuple[str, str, str, str, str]:
    """Return the five loudest reasons as sentences with their points; empty texts when there are fewer."""
    sentences = [
        f"{reason_sentence(feature_set.features[reason.feature_index], row[reason.feature_index], lang)} "
        f"({points_text(reason.points, lang)})"
        for reason in reasons[:FLAT_REASONS]
        if abs(reason.points) >= LEAST_SPOKEN_POINTS
    ]
    first, second, third, fourth, fifth = (sentences + [""] * FLAT_REASONS)[:FLAT_REASONS]
    return first, second, third, fourth, fifth


def points_text(points: float, lang: Language) -> str:
    """Return a share of the points with its sign and unit: '+9 points', '−3 Punkte', '+0,4 Punkte'."""
    sign = "−" if points < 0 else "+"
    size = abs(points)
    singular, plural = UNITS[lang]
    whole = math.floor(size + 0.5)
    if whole == 0:
        number = f"{max(size, LEAST_SPOKEN_POINTS):.1f}"
        return f"{sign}{number.replace('.', ',') if lang == 'de' else number} {plural}"
    return f"{sign}{whole} {singular if whole == 1 else plural}"
