"""The flat answer of one score: its fields (DESIGN 4.4), its points, the sentences of its reasons.

Writes numbers and words down; what they are is decided by the model and the policy.
"""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache, partial

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
CACHED_VALUES = 20_000
MOST_KEPT = 8
LEAST_SPOKEN_POINTS = 0.05
"""A reason that rounds to 0.0 points is in `reasons`, but it is no sentence."""

UNITS = {"en": ("point", "points"), "de": ("Punkt", "Punkte")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One family's share of the points, in the words of the member that speaks for it."""

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
    persona_confidence: float
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


class FeatureWords:
    """The words of a feature set in one language, each made once: the same values come again and again."""

    def __init__(self, feature_set: FeatureSet, lang: Language) -> None:
        self.feature_set = feature_set
        self.names = feature_set.names
        self.labels = tuple(feature_label(feature, lang) for feature in feature_set.features)
        self.value = lru_cache(maxsize=CACHED_VALUES)(partial(_value_text, feature_set, lang))


_words: dict[tuple[int, Language], FeatureWords] = {}


def words_of(feature_set: FeatureSet, lang: Language) -> FeatureWords:
    """Return the words of a feature set; those of the last few are kept."""
    key = (id(feature_set), lang)
    words = _words.get(key)
    if words is None or words.feature_set is not feature_set:
        if len(_words) >= MOST_KEPT:
            _words.clear()
        words = _words[key] = FeatureWords(feature_set, lang)
    return words


def _value_text(feature_set: FeatureSet, lang: Language, index: int, value: float | None) -> str:
    """Return the text of a value, None for a missing one."""
    return value_text(feature_set.features[index], math.nan if value is None else value, lang)


def whole_points(points: float) -> int:
    """Round points half up and cut them to 0-100."""
    whole = math.floor(points)
    rounded = whole + 1 if points - whole >= 0.5 else whole
    return min(100, max(0, rounded))


def tell_once(
    reasons: Sequence[FamilyReason], feature_set: FeatureSet, row: Sequence[float], lang: Language
) -> tuple[FamilyReason, ...]:
    """Join the reasons that read the same into one with the sum of their points; loudest first.

    A lead nobody has heard of has neither activities nor a first contact, and a CRM may call two channels
    alike: a seller reads each statement once, and the points still add up.
    """
    told: dict[str, FamilyReason] = {}
    for reason, statement in zip(reasons, _statements(reasons, feature_set, row, lang), strict=True):
        before = told.get(statement)
        told[statement] = reason if before is None else replace(before, points=before.points + reason.points)
    return tuple(sorted(told.values(), key=lambda reason: -abs(reason.points)))


def _statements(
    reasons: Sequence[FamilyReason], feature_set: FeatureSet, row: Sequence[float], lang: Language
) -> Iterator[str]:
    """Yield what each reason says: its label, which is enough where no other reason has the same.

    Most labels are alone, and writing all sentences would cost a tenth of a score's time.
    """
    known = words_of(feature_set, lang).labels
    labels = [known[reason.feature_index] for reason in reasons]
    counts = Counter(labels)
    for reason, label in zip(reasons, labels, strict=True):
        alone = counts[label] == 1 and not _never_happened(reason, feature_set, row)
        yield label if alone else sentence_of(reason, feature_set, row, lang)


def _never_happened(reason: FamilyReason, feature_set: FeatureSet, row: Sequence[float]) -> bool:
    recency = feature_set.recency_of[reason.feature_index]
    return recency is not None and math.isnan(row[recency])


def sentence_of(reason: FamilyReason, feature_set: FeatureSet, row: Sequence[float], lang: Language) -> str:
    """Return what a reason says of a feature row, as a seller reads it."""
    feature = feature_set.features[reason.feature_index]
    if _never_happened(reason, feature_set, row):
        return never_sentence(feature, lang)
    return reason_sentence(feature, row[reason.feature_index], lang)


def reason_values(
    reasons: Sequence[FamilyReason], feature_set: FeatureSet, row: Sequence[float], lang: Language
) -> tuple[Reason, ...]:
    """Return every reason with the words of the feature that speaks; `row` is the feature row."""
    words = words_of(feature_set, lang)
    return tuple(
        Reason(
            feature=words.names[(index := reason.feature_index)],
            label=words.labels[index],
            value=words.value(index, None if (number := row[index]) != number else number),
            points=reason.points,
        )
        for reason in reasons
    )


def flat_reasons(
    reasons: Sequence[FamilyReason], feature_set: FeatureSet, row: Sequence[float], lang: Language
) -> tuple[str, str, str, str, str]:
    """Return the five loudest reasons as sentences with their points; empty texts when there are fewer."""
    sentences = [
        f"{sentence_of(reason, feature_set, row, lang)} ({points_text(reason.points, lang)})"
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
