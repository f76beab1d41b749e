"""POST /v1/score and /v1/score/batch: bodies to score requests, scores to answers."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, cast

import msgspec
from anyio import to_thread
from sqlalchemy import Engine
from starlette.requests import Request
from starlette.responses import Response

from features.errors import LeadPactError
from features.words.reasons import Language
from serving.answers import ScoreAnswer
from serving.api.body import check_body, read_json
from serving.api.errors import Problem, describe
from serving.api.fields import Checker, FieldProblem, WrongFieldsError
from serving.api.language import accepted_language
from serving.api.once import named_request, run_once
from serving.api.schemas import BATCH_REQUEST, LANGUAGES, SCORE_REQUEST
from serving.api.security import authorise
from serving.api.words_german import in_german
from serving.keys import Scope
from serving.operations.check_api_key import VerifiedKey
from serving.operations.record_scores import ScoreRecord, record_scores
from serving.scorer import Scored, Scorer, ScoreRequest
from serving.service import Service
from sla.stages import Stage
from sla.texts import GERMAN

CLOCK_TOLERANCE = timedelta(minutes=5)
"""A caller's clock may be this much ahead of ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedItem:
    """The answer to an item of a batch that could not be scored."""

    error: Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchAnswer:
    """One answer per item, in order."""

    items: tuple[ScoreAnswer | FailedItem, ...]
    scored: int
    failed: int


async def score(request: Request) -> Response:
    """Score one lead; the score of a stored lead is on disk before the answer leaves."""
    service: Service = request.app.state.service
    key = await authorise(request, service, Scope.SCORE)
    language = requested_language(request)
    wanted = read_score_request(await read_json(request), now=service.clock(), language=language)
    scorer = await service.scorer()
    service.refuse_objected(wanted.lead_id)
    if not wanted.is_stored:
        return _json(_told(scorer.score(wanted), wanted.lang).answer)
    scored = _told(scorer.score(await service.find_stored_lead(wanted)), wanted.lang)
    return await _stored(request, key, [scorer.record_of(scored.judged)], scored.answer)


async def score_batch(request: Request) -> Response:
    """Score up to 1,000 leads; a wrong item is answered with its problem, its neighbours are scored."""
    service: Service = request.app.state.service
    key = await authorise(request, service, Scope.SCORE)
    asked = requested_language(request)
    body = check_body(BATCH_REQUEST, await read_json(request))
    language = cast("Language | None", body.get("lang")) or asked
    items = cast("Sequence[object]", body["items"])
    scorer = await service.scorer()
    results = await to_thread.run_sync(_score_items, service, scorer, items, service.clock(), language)
    records = [
        scorer.record_of(result.judged)
        for result, is_stored in results
        if is_stored and isinstance(result, Scored)
    ]
    answers = tuple(result.answer if isinstance(result, Scored) else result for result, _ in results)
    failed = sum(isinstance(answer, FailedItem) for answer in answers)
    answer = BatchAnswer(items=answers, scored=len(answers) - failed, failed=failed)
    return await _stored(request, key, records, answer)


def read_score_request(body: object, *, now: datetime, language: Language) -> ScoreRequest:
    """Return the request a body asks for, or raise `WrongFieldsError` with all of its problems."""
    checker = Checker()
    checked = checker.check(SCORE_REQUEST, body, "")
    if not isinstance(body, dict) or not isinstance(checked, dict):
        raise WrongFieldsError(tuple(checker.problems))
    _check_together(checker, checked, now)
    checker.refuse_problems()
    return _score_request(checked, now, language)


def requested_language(request: Request) -> Language:
    """Return the language `?lang=` or Accept-Language asks for, else English."""
    asked = request.query_params.get("lang")
    if asked is None:
        return accepted_language(request.headers.get("accept-language", ""))
    if asked not in LANGUAGES:
        rule = f"must be one of {', '.join(LANGUAGES)}"
        raise WrongFieldsError((FieldProblem(field="?lang", rule=rule, value=asked[:80]),))
    return cast("Language", asked)


def _check_together(checker: Checker, checked: dict[str, Any], now: datetime) -> None:
    """Check the rules between fields."""
    lead, lead_id = checked.get("lead"), checked.get("lead_id")
    if lead is None and lead_id is None and "lead" not in checked:
        checker.add("lead", "is required, unless lead_id names a stored lead")
    if lead is not None and lead_id is not None:
        checker.add("lead_id", "must be absent when the lead is given inline", lead_id)
    for name in ("activities", "attribute_changes") if lead is None else ():
        if checked.get(name):
            checker.add(name, f"must be absent for a stored lead: its {name} are in the history")
    as_of = checked.get("as_of") or now
    if as_of > now + CLOCK_TOLERANCE:
        checker.add("as_of", f"must not lie in the future; it is {now.isoformat()} now", as_of)
    for name, time in (
        ("lead.created_at", (lead or {}).get("created_at")),
        ("stage_since", checked.get("stage_since")),
    ):
        if isinstance(time, datetime) and time > as_of + CLOCK_TOLERANCE:
            checker.add(name, f"must not lie after as_of, {as_of.isoformat()}", time)


def _score_request(checked: dict[str, Any], now: datetime, language: Language) -> ScoreRequest:
    lead = checked.get("lead")
    stage = checked.get("current_stage")
    return ScoreRequest(
        lead_id=checked["lead_id"] if lead is None else lead["lead_id"],
        lead=lead or {},
        activities=checked.get("activities") or (),
        as_of=checked.get("as_of") or now,
        attribute_changes=checked.get("attribute_changes"),
        lang=checked.get("lang") or language,
        current_stage=None if stage is None else Stage(stage),
        stage_since=checked.get("stage_since"),
        is_stored=lead is None,
    )


def _score_items(
    service: Service, scorer: Scorer, items: Sequence[object], now: datetime, language: Language
) -> list[tuple[Scored | FailedItem, bool]]:
    return [_score_item(service, scorer, item, now, language) for item in items]


def _score_item(
    service: Service, scorer: Scorer, item: object, now: datetime, language: Language
) -> tuple[Scored | FailedItem, bool]:
    """Return an item's score, or its problem, and whether its lead is a stored one."""
    try:
        wanted = read_score_request(item, now=now, language=language)
        service.refuse_objected(wanted.lead_id)
        if wanted.is_stored:
            wanted = service.read_stored_lead(wanted)
        return _told(scorer.score(wanted), wanted.lang), wanted.is_stored
    except LeadPactError as error:
        return FailedItem(error=describe(error, language)), False


def _told(scored: Scored, lang: Language) -> Scored:
    """Return a score with its warnings in the caller's language."""
    if lang != GERMAN or not scored.answer.warnings:
        return scored
    warnings = tuple(map(in_german, scored.answer.warnings))
    return replace(scored, answer=replace(scored.answer, warnings=warnings))


async def _stored(
    request: Request, key: VerifiedKey, records: Sequence[ScoreRecord], answer: ScoreAnswer | BatchAnswer
) -> Response:
    """Answer once the scores of known leads are on disk; without any, nothing is kept, the answer neither."""
    service: Service = request.app.state.service
    named = named_request(request, key)
    if named is None or not records:
        await service.record(records)
        return _json(answer)

    def store(database: Engine) -> ScoreAnswer | BatchAnswer:
        record_scores(database, records, now=service.clock())
        return answer

    return await run_once(service, store, named)


def _json(answer: ScoreAnswer | BatchAnswer) -> Response:
    return Response(msgspec.json.encode(answer), media_type="application/json")
