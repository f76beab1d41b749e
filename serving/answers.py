"""The flat answer of one score: its fields (DESIGN 4.4), its points, the sentences of its reasons.

Writes numbers and words down; what they are is decided by the model and the policy.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from features.definitions import FeatureSet
from features.words.reasons import (
    Language,
    feature_label,
    never_sentence,
    reason_sentence,
    value_text,
)
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
class SpokenReason:
    """A reason and the sentence that says it, without its points."""

    reason: Reason
    sentence: str

    @property
    def points(self) -> float:
        """Its share of the points."""
        return self.reason.points


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


def spoken_reasons(
    reasons: Sequence[FamilyReason], feature_set: FeatureSet, row: Sequence[float], lang: Language
) -> tuple[SpokenReason, ...]:
    """Return every reason with its words, loudest first; `row` is the feature row (n_features,).

    Families whose sentences read the same are one reason with the sum of their points: a lead nobody has
    heard of has neither activities nor a first contact, and a seller wants to read that once.
    """
    spoken: dict[str, SpokenReason] = {}
    for reason in reasons:
        said = _speak(reason, feature_set, row, lang)
        before = spoken.get(said.sentence)
        spoken[said.sentence] = said if before is None else _louder_by(before, said.points)
    if len(spoken) == len(reasons):
        return tuple(spoken.values())
    return tuple(sorted(spoken.values(), key=lambda each: -abs(each.points)))


def _speak(
    reason: FamilyReason, feature_set: FeatureSet, row: Sequence[float], lang: Language
) -> SpokenReason:
    feature, value = feature_set.features[reason.feature_index], row[reason.feature_index]
    recency = feature_set.recency_of_family.get(reason.family)
    never = recency is not None and math.isnan(row[recency])
    return SpokenReason(
        reason=Reason(
            feature=feature.name,
            label=feature_label(feature, lang),
            value=value_text(feature, value, lang),
            points=reason.points,
        ),
        sentence=never_sentence(feature, lang) if never else reason_sentence(feature, value, lang),
    )


def _louder_by(spoken: SpokenReason, points: float) -> SpokenReason:
    return replace(spoken, reason=replace(spoken.reason, points=spoken.points + points))


def flat_reasons(spoken: Sequence[SpokenReason], lang: Language) -> tuple[str, str, str, str, str]:
    """Return the five loudest reasons as sentences with their points; empty texts when there are fewer."""
    sentences = [
        f"{each.sentence} ({points_text(each.points, lang)})"
        for each in spoken[:FLAT_REASONS]
        if abs(each.points) >= LEAST_SPOKEN_POINTS
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
