"""The history of a lead's scores as it is shown: each score with its change since the one before.

Decides what is told where something is gone: without the model of the score before, the change as a whole.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from features.words.reasons import Language
from serving.decided_from import read_decided_from
from serving.errors import ModelRefusedError
from serving.kept_models import KeptModels, ModelGoneError
from serving.leads import KnownLead
from serving.operations.list_scores import LeadScores, PastScore
from serving.score_changes import ToldChange, points_of, reason_text, stage_under, tell_change, tenths
from serving.words_scores import FIRST, change_sentence, policy_sentence, untold_sentence
from sla.stages import Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreView:
    """One stored score; the order of the fields is the order in JSON. Parts in points, to a tenth.

    Without a score before, and where its model is gone, the parts are None.
    """

    score_id: str
    as_of: datetime
    scored_at: datetime
    probability: float
    probability_low: float
    probability_high: float
    points: int
    exact_points: float
    stage: str
    model_version: str
    policy_version: str
    previous_score_id: str
    change_points: float | None
    data_points: float | None
    time_points: float | None
    model_points: float | None
    policy_points: float | None
    stage_under_previous_policy: str
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ScorePage:
    """One page, the newest score first; `next_after` asks for the next one, empty on the last."""

    items: tuple[ScoreView, ...]
    next_after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Words:
    """What is told beside the parts."""

    sentence: str
    stage_before: str = ""


def score_page(found: LeadScores, models: KeptModels, *, limit: int, lang: Language) -> ScorePage:
    """Return a page of scores with the change of each."""
    shown = found.scores[:limit]
    items = tuple(_views(found, models, shown, lang))
    return ScorePage(items=items, next_after=shown[-1].record.score_id if found.has_more else "")


def _views(
    found: LeadScores, models: KeptModels, shown: tuple[PastScore, ...], lang: Language
) -> Iterator[ScoreView]:
    for place, score in enumerate(shown):
        before = found.scores[place + 1] if place + 1 < len(found.scores) else None
        if before is None:
            yield _view(score, None, None, _Words(sentence=FIRST.in_language(lang)))
            continue
        told = _told(found.known, models, before, score)
        yield _view(score, before, told, _words(found, before, score, told, lang))


def _told(known: KnownLead, models: KeptModels, before: PastScore, score: PastScore) -> ToldChange | None:
    """Return what moved a score, None when a model it takes is gone."""
    pair = (before.record, score.record)
    try:
        old, new = (models.model(one.model_hash, one.model_version) for one in pair)
    except (ModelGoneError, ModelRefusedError):
        return None
    reached = (before.scored_at, score.scored_at)
    return tell_change(*pair, known, reached=reached, models=(old, new))


def _words(
    found: LeadScores, before: PastScore, score: PastScore, told: ToldChange | None, lang: Language
) -> _Words:
    old, new = before.record, score.record
    if told is None:
        change = tenths(points_of(new)) - tenths(points_of(old))
        sentence = untold_sentence(change, since=old.as_of, version=old.model_version, lang=lang)
    else:
        sentence = change_sentence(
            told.parts,
            since=old.as_of,
            versions=(old.model_version, new.model_version),
            reason=reason_text(told, lang),
            lang=lang,
        )
    stage_before = _stage_before(found, before, score)
    if stage_before is None:
        return _Words(sentence=sentence)
    versions = (old.policy_version, new.policy_version)
    more = policy_sentence(Stage(new.stage), stage_before, versions, lang)
    return _Words(sentence=f"{sentence} {more}".strip(), stage_before=stage_before.value)


def _stage_before(found: LeadScores, before: PastScore, score: PastScore) -> Stage | None:
    """Return the stage the policy before would have given this score; None under the same policy."""
    old, new = before.record, score.record
    policy = found.policy(old.policy_version)
    if old.policy_hash == new.policy_hash or policy is None or not new.decided_from:
        return None
    facts = read_decided_from(new.decided_from)
    lead = facts.scored_lead(lead_id=new.lead_id, probability=new.probability, as_of=new.as_of)
    return stage_under(policy, new, found.known.reached_until(score.scored_at), lead)


def _view(score: PastScore, before: PastScore | None, told: ToldChange | None, words: _Words) -> ScoreView:
    record = score.record
    exact = tenths(points_of(record))
    change = None if before is None else exact - tenths(points_of(before.record))
    parts = None if told is None else told.parts
    return ScoreView(
        score_id=record.score_id,
        as_of=record.as_of,
        scored_at=score.scored_at,
        probability=record.probability,
        probability_low=record.probability_low,
        probability_high=record.probability_high,
        points=record.points,
        exact_points=exact / 10,
        stage=record.stage,
        model_version=record.model_version,
        policy_version=record.policy_version,
        previous_score_id="" if before is None else before.record.score_id,
        change_points=None if change is None else change / 10,
        data_points=None if parts is None else parts.data / 10,
        time_points=None if parts is None else parts.time / 10,
        model_points=None if parts is None else parts.model / 10,
        policy_points=None if parts is None else parts.policy / 10,
        stage_under_previous_policy=words.stage_before,
        sentence=words.sentence,
    )
