"""The hot path: a lead and its activities -> features -> model -> decision -> answer. No I/O, no clock.

The service scores one request at a time, `serving.batch` a table of them; both end in `Scorer.conclude`,
so that they cannot differ.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import cast

import numpy as np
import numpy.typing as npt

from features.online import IDENTITY_FIELDS, OnlineRow
from features.problems import shorten
from features.words.reasons import Language
from serving.answers import ScoreAnswer, flat_reasons, reason_values, tell_once, whole_points
from serving.champion import Champion
from serving.decided_from import decided_from
from serving.operations.active_policy import ActivePolicy
from serving.operations.record_scores import ScoreRecord
from serving.wording import did_you_mean
from sla.decision import Decision
from sla.policy import Policy, ScoredLead, decide
from sla.stages import Stage
from sla.words import decision_text
from training.artifact import LoadedModel

Float64Array = npt.NDArray[np.float64]
AttributeValue = str | float | bool | None
CACHED_WARNINGS = 1_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreRequest:
    """One lead to score at `as_of`. `lead` is flat: lead_id, created_at and attributes; times carry a zone.

    `attribute_changes` say when attributes changed; None when the caller does not tell. `is_stored` says that
    lead, activities and changes come from the history, and that the score is recorded.
    """

    lead_id: str
    lead: Mapping[str, object]
    activities: Sequence[Mapping[str, object]]
    as_of: datetime
    attribute_changes: Sequence[Mapping[str, object]] | None = None
    lang: Language = "en"
    current_stage: Stage | None = None
    stage_since: datetime | None = None
    is_stored: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadFacts:
    """What the policy looks at beside the probability, known at `as_of`."""

    lead_id: str
    as_of: datetime
    attributes: tuple[tuple[str, AttributeValue], ...]
    activities: tuple[tuple[str, datetime], ...]
    lang: Language = "en"
    current_stage: Stage | None = None
    stage_since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RowPrediction:
    """What the model says about one feature row; points neither rounded nor cut."""

    probability: float
    low: float
    high: float
    points: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Judged:
    """A score with what policy and model say of it, and what it rests on: the feature row (n_features,)."""

    score_id: str
    facts: LeadFacts
    row: Float64Array
    predicted: RowPrediction
    decision: Decision


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scored:
    """A score, and the answer a CRM gets for it."""

    judged: Judged
    answer: ScoreAnswer


class Scorer:
    """One model and one policy, joined once; scores any number of leads. Safe to share between threads."""

    def __init__(self, champion: Champion, active: ActivePolicy) -> None:
        self.champion = champion
        self.active = active
        self.model = champion.model
        self.model_version = champion.model.manifest.version or champion.pointer.version
        self.model_hash = champion.model.manifest.manifest_hash
        self.policy_version = str(active.version)
        self._model_fields = IDENTITY_FIELDS | self.model.feature_set.attributes
        self.policy_fields = attributes_of_policy(active.policy)
        self._used_fields = self._model_fields | self.policy_fields
        # A CRM sends the same unused attributes with every lead; looking for similar names is slow.
        self._unused_warning = lru_cache(maxsize=CACHED_WARNINGS)(self._describe_unused)

    def score(self, request: ScoreRequest) -> Scored:
        """Score one request; the same request gives the same answer, bit for bit."""
        known = known_activities(request)
        row = self._row(request, known)
        predicted = predict_row(self.model, row.values)
        warnings = (*self._unused_attributes(request), *row.warnings, *_ignored_activities(request, known))
        return self.conclude(facts_of(request, known), row.values, predicted, warnings=warnings)

    def judge_all(self, requests: Sequence[ScoreRequest]) -> tuple[Judged, ...]:
        """Score many leads at once, without the reasons, which take most of a score's time."""
        if not requests:
            return ()
        known = [known_activities(request) for request in requests]
        rows = [self._row(*pair).values for pair in zip(requests, known, strict=True)]
        said = self.model.predict(np.vstack(rows))
        numbers = zip(
            *(each.tolist() for each in (said.probability, said.low, said.high, said.points)), strict=True
        )
        return tuple(
            self.judge(facts_of(request, activities), row, _prediction(*number))
            for request, activities, row, number in zip(requests, known, rows, numbers, strict=True)
        )

    def _row(self, request: ScoreRequest, known: Sequence[Mapping[str, object]]) -> OnlineRow:
        lead = {name: value for name, value in request.lead.items() if name in self._model_fields}
        as_of_us = to_microseconds(request.as_of)
        return self.champion.online.row(lead, known, as_of_us, request.attribute_changes)

    def unused_attributes(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return a warning for each attribute that neither model nor policy looks at."""
        return tuple(self._unused_warning(name) for name in sorted(set(names) - self._used_fields))

    def _describe_unused(self, name: str) -> str:
        advice = did_you_mean(name, self._used_fields - IDENTITY_FIELDS)
        return f"attribute {shorten(name)!r} is used by neither model nor policy{advice}"

    def _unused_attributes(self, request: ScoreRequest) -> tuple[str, ...]:
        # Whoever names a stored lead sent no attributes that could be misspelt.
        if request.is_stored or request.lead.keys() <= self._used_fields:
            return ()
        return self.unused_attributes(request.lead)

    def conclude(
        self, facts: LeadFacts, row: Float64Array, predicted: RowPrediction, *, warnings: tuple[str, ...]
    ) -> Scored:
        """Return score and answer for a feature row (n_features,) and what the model said about it."""
        judged = self.judge(facts, row, predicted)
        return Scored(judged=judged, answer=self._answer(judged, warnings))

    def judge(self, facts: LeadFacts, row: Float64Array, predicted: RowPrediction) -> Judged:
        """Let the policy decide about a feature row (n_features,) and what the model said about it."""
        decision = decide(scored_lead(facts, predicted.probability), self.active.policy, now=facts.as_of)
        score_id = self._score_id(facts, row, decision)
        return Judged(score_id=score_id, facts=facts, row=row, predicted=predicted, decision=decision)

    def _answer(self, judged: Judged, warnings: tuple[str, ...]) -> ScoreAnswer:
        feature_set, values, lang = self.model.feature_set, judged.row.tolist(), judged.facts.lang
        reasons = tell_once(self.model.reasons(judged.row), feature_set, values, lang)
        first, second, third, fourth, fifth = flat_reasons(reasons, feature_set, values, lang)
        predicted, decision = judged.predicted, judged.decision
        return ScoreAnswer(
            score_id=judged.score_id,
            lead_id=judged.facts.lead_id,
            as_of=judged.facts.as_of,
            probability=predicted.probability,
            probability_low=predicted.low,
            probability_high=predicted.high,
            points=whole_points(predicted.points),
            stage=decision.stage.value,
            stage_reason=decision_text(decision, lang),
            owner="" if decision.owner is None else decision.owner.value,
            respond_by=decision.respond_by,
            persona=decision.persona or "",
            persona_confidence=decision.persona_confidence,
            evidence=self.model.manifest.evidence,
            reason_1=first,
            reason_2=second,
            reason_3=third,
            reason_4=fourth,
            reason_5=fifth,
            reasons=reason_values(reasons, feature_set, values, lang),
            base_points=self.model.base_points,
            model_version=self.model_version,
            policy_version=self.policy_version,
            warnings=warnings,
        )

    def _score_id(self, facts: LeadFacts, row: Float64Array, decision: Decision) -> str:
        """Return the first 32 hex digits of SHA-256 over everything the score rests on, and what it led to.

        The decision belongs to it: the same feature row leads to another stage when the lead came from one.
        """
        parts = (
            facts.lead_id.encode(),
            facts.as_of.astimezone(UTC).isoformat().encode(),
            row.tobytes(),
            self.model_hash.encode(),
            self.active.policy_hash.encode(),
            decision.stage.value.encode(),
            decision.rule.value.encode(),
        )
        digest = hashlib.sha256()
        for part in parts:
            digest.update(len(part).to_bytes(8, "big") + part)
        return digest.hexdigest()[:32]

    def record_of(self, judged: Judged) -> ScoreRecord:
        """Return what the history of scores keeps of a score: enough to compute it again, bit for bit."""
        predicted = judged.predicted
        lead = scored_lead(judged.facts, predicted.probability)
        return ScoreRecord(
            score_id=judged.score_id,
            lead_id=judged.facts.lead_id,
            as_of=judged.facts.as_of,
            probability=predicted.probability,
            probability_low=predicted.low,
            probability_high=predicted.high,
            points=whole_points(predicted.points),
            stage=judged.decision.stage.value,
            rule=judged.decision.rule.value,
            model_version=self.model_version,
            model_hash=self.model_hash,
            policy_version=self.policy_version,
            policy_hash=self.active.policy_hash,
            feature_set_hash=self.model.feature_set.hash,
            feature_row=tuple(judged.row.tolist()),
            decided_from=decided_from(lead, self.active.policy, self.policy_fields),
        )


def predict_row(model: LoadedModel, row: Float64Array) -> RowPrediction:
    """Return what a model says about one feature row (n_features,)."""
    said = model.predict(row[np.newaxis])
    return RowPrediction(
        probability=float(said.probability[0]),
        low=float(said.low[0]),
        high=float(said.high[0]),
        points=float(said.points[0]),
    )


def _prediction(probability: float, low: float, high: float, points: float) -> RowPrediction:
    return RowPrediction(probability=probability, low=low, high=high, points=points)


def known_activities(request: ScoreRequest) -> tuple[Mapping[str, object], ...]:
    """Return the activities of a request up to its as_of."""
    return tuple(each for each in request.activities if _instant(each) <= request.as_of)


def facts_of(request: ScoreRequest, known: Sequence[Mapping[str, object]]) -> LeadFacts:
    """Return what the policy may look at; `known` are the activities up to as_of."""
    return LeadFacts(
        lead_id=request.lead_id,
        as_of=request.as_of,
        attributes=attribute_values(request.lead),
        activities=tuple((str(activity["kind"]), _instant(activity)) for activity in known),
        lang=request.lang,
        current_stage=request.current_stage,
        stage_since=request.stage_since,
    )


def attribute_values(lead: Mapping[str, object]) -> tuple[tuple[str, AttributeValue], ...]:
    """Return the attributes of a flat lead as the policy reads them."""
    return tuple(
        (name, attribute_value(value)) for name, value in lead.items() if name not in IDENTITY_FIELDS
    )


def attribute_value(value: object) -> AttributeValue:
    """Return an attribute as the policy reads it; a time becomes text, what is no single value is missing."""
    match value:
        case bool() | str():
            return value
        case int() | float():
            return None if value != value else float(value)
        case datetime():
            return value.astimezone(UTC).isoformat()
        case _:
            return None


def to_microseconds(instant: datetime) -> int:
    """Return an aware instant as int64 microseconds UTC since 1970."""
    return (instant - EPOCH) // timedelta(microseconds=1)


def scored_lead(facts: LeadFacts, probability: float) -> ScoredLead:
    """Return what the policy decides about."""
    return ScoredLead(
        lead_id=facts.lead_id,
        probability=probability,
        scored_at=facts.as_of,
        attributes=facts.attributes,
        activities=facts.activities,
        current_stage=facts.current_stage,
        stage_since=facts.stage_since,
    )


def _instant(activity: Mapping[str, object]) -> datetime:
    # The checker of requests and the history both give aware times.
    return cast("datetime", activity["occurred_at"])


def _ignored_activities(request: ScoreRequest, known: Sequence[Mapping[str, object]]) -> tuple[str, ...]:
    count = len(request.activities) - len(known)
    if count == 0:
        return ()
    return (f"ignored {count} activit{'y' if count == 1 else 'ies'} after as_of",)


def attributes_of_policy(policy: Policy) -> frozenset[str]:
    """Return the attributes that personas and disqualifiers look at."""
    conditions = [each for persona in policy.personas for each in persona.rules]
    conditions += [each for rule in policy.disqualifiers for each in rule.conditions]
    return frozenset(condition.attribute for condition in conditions)
