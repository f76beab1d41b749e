"""Every error to its problem+json (RFC 9457): the only table of codes and statuses.

4xx are final: the same request will fail again. Trouble that passes is 503 with Retry-After; one more that
passes is 409 `still_running`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from features.errors import InputError, LeadPactError
from features.words.reasons import Language
from serving.api.fields import FieldProblem, WrongFieldsError
from serving.api.german import in_language
from serving.api.language import accepted_language
from serving.api.strict_json import MalformedBodyError
from serving.api.words_german import in_german
from serving.errors import (
    ActRefusedError,
    AlreadyAnsweredError,
    DatabaseUnreachableError,
    ErasedLeadError,
    HandoverOverError,
    KeyRefusedError,
    ModelRefusedError,
    NotAgreedError,
    ObjectedError,
    OtherRequestError,
    PolicyRefusedError,
    ScopeMissingError,
    ServiceNotReadyError,
    StillRunningError,
    UnknownDisputeError,
    UnknownHandoverError,
    UnknownLeadError,
    UnknownPolicyError,
)
from serving.past_scores import NoPastScoresError
from sla.errors import PolicyProblems
from sla.texts import GERMAN
from sla.words_problems import place_text, problems_text, rule_text

PROBLEM_JSON = "application/problem+json"
URN = "urn:leadpact:problem:"
RETRY_AFTER_SECONDS = "5"


class BodyTooLargeError(LeadPactError):
    """The body is larger than the service reads."""


class BodyTooSlowError(LeadPactError):
    """The body did not arrive in time."""


class HeadersTooLargeError(LeadPactError):
    """The headers are larger than the service reads."""


class WrongIdempotencyKeyError(LeadPactError):
    """The header `Idempotency-Key` cannot be read."""


class UnsupportedBodyError(LeadPactError):
    """The body has a type or an encoding the service does not read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemKind:
    """One row of the table: what a client can rely on.

    `detail` is said instead of the error's own words where those tell about the inside.
    """

    status: int
    code: str
    title: str
    detail: str = ""
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One problem+json document, in the order clients see it."""

    type: str
    code: str
    title: str
    status: int
    detail: str
    errors: tuple[FieldProblem, ...] = ()


RETRY = (("Retry-After", RETRY_AFTER_SECONDS),)
SOON = (("Retry-After", "1"),)
CHALLENGE = (("WWW-Authenticate", 'Bearer realm="leadpact"'),)
PROBLEM_KINDS: Mapping[type[Exception], ProblemKind] = {
    MalformedBodyError: ProblemKind(status=400, code="malformed_body", title="The body is not JSON"),
    ClientDisconnect: ProblemKind(status=400, code="body_incomplete", title="The body ended too early"),
    WrongIdempotencyKeyError: ProblemKind(
        status=400, code="wrong_idempotency_key", title="The Idempotency-Key cannot be read"
    ),
    KeyRefusedError: ProblemKind(status=401, code="key_refused", title="No valid API key", headers=CHALLENGE),
    ScopeMissingError: ProblemKind(status=403, code="scope_missing", title="The key may not do this"),
    UnknownLeadError: ProblemKind(status=404, code="unknown_lead", title="No such lead"),
    UnknownHandoverError: ProblemKind(status=404, code="unknown_handover", title="No such handover"),
    UnknownDisputeError: ProblemKind(status=404, code="unknown_dispute", title="No such dispute"),
    UnknownPolicyError: ProblemKind(status=404, code="unknown_policy", title="No such policy"),
    BodyTooSlowError: ProblemKind(status=408, code="body_too_slow", title="The body took too long"),
    ModelRefusedError: ProblemKind(
        status=409, code="model_refused", title="The model directory is not sound"
    ),
    StillRunningError: ProblemKind(
        status=409,
        code="still_running",
        title="The first request with this Idempotency-Key is under way",
        headers=SOON,
    ),
    HandoverOverError: ProblemKind(status=409, code="handover_over", title="The handover has ended"),
    AlreadyAnsweredError: ProblemKind(
        status=409, code="nothing_to_answer", title="There is no open question"
    ),
    PolicyRefusedError: ProblemKind(
        status=409, code="policy_refused", title="The agreement does not allow this"
    ),
    ObjectedError: ProblemKind(status=409, code="objected", title="The person objected to being scored"),
    NoPastScoresError: ProblemKind(
        status=409, code="no_past_scores", title="No past lead is out of time for the model"
    ),
    ErasedLeadError: ProblemKind(status=410, code="erased", title="The lead was erased"),
    BodyTooLargeError: ProblemKind(status=413, code="body_too_large", title="The body is too large"),
    UnsupportedBodyError: ProblemKind(status=415, code="unsupported_body", title="Only plain JSON is read"),
    WrongFieldsError: ProblemKind(status=422, code="wrong_fields", title="Fields of the body are wrong"),
    OtherRequestError: ProblemKind(
        status=422, code="other_request", title="This Idempotency-Key was used for another request"
    ),
    ActRefusedError: ProblemKind(status=422, code="act_refused", title="The act breaks rules"),
    NotAgreedError: ProblemKind(
        status=422, code="not_agreed", title="The agreement in force does not know this"
    ),
    PolicyProblems: ProblemKind(status=422, code="wrong_policy", title="The policy breaks rules"),
    InputError: ProblemKind(status=422, code="wrong_input", title="What was sent is wrong"),
    HeadersTooLargeError: ProblemKind(
        status=431, code="headers_too_large", title="The headers are too large"
    ),
    ServiceNotReadyError: ProblemKind(
        status=503, code="not_ready", title="The service is not ready", headers=RETRY
    ),
    DatabaseUnreachableError: ProblemKind(
        status=503,
        code="database_unreachable",
        title="The database does not answer",
        detail="the database does not answer; the reason is in the service's log",
        headers=RETRY,
    ),
}
UNFORESEEN = ProblemKind(
    status=500,
    code="unforeseen",
    title="Something went wrong here",
    detail="the error is in the service's log; the request was not served",
)
ROUTING_KINDS: Mapping[int, ProblemKind] = {
    404: ProblemKind(status=404, code="unknown_route", title="No such route"),
    405: ProblemKind(status=405, code="method_not_allowed", title="This route has other methods"),
}
ALL_KINDS = (*PROBLEM_KINDS.values(), UNFORESEEN, *ROUTING_KINDS.values())


def describe(error: Exception, lang: Language = "en") -> Problem:
    """Turn an error into its problem; one that nobody foresaw says nothing about the inside.

    What is wrong is said in the caller's language; titles, which are for programmers, stay English.
    """
    kind = kind_of(error)
    return _problem(kind, kind.detail or _words(error, lang) or kind.title, field_problems(error, lang))


def kind_of(error: Exception) -> ProblemKind:
    """Return the row of the table for an error: of its class or the nearest base class."""
    return next((PROBLEM_KINDS[base] for base in type(error).__mro__ if base in PROBLEM_KINDS), UNFORESEEN)


def _words(error: Exception, lang: Language) -> str:
    match error:
        case PolicyRefusedError():
            return error.why.in_language(lang)
        case PolicyProblems():
            return problems_text(error, lang)
        case _:
            return in_german(str(error)) if lang == GERMAN else str(error)


def field_problems(error: Exception, lang: Language = "en") -> tuple[FieldProblem, ...]:
    """Return the single problems an error carries, as the fields of a body or the parts of the service."""
    match error:
        case WrongFieldsError():
            return tuple(in_language(one, lang) for one in error.field_problems)
        case ActRefusedError():
            return tuple(
                in_language(FieldProblem(field=one.field, rule=one.rule, value=one.value), lang)
                for one in error.act_problems
            )
        case PolicyProblems():
            return tuple(
                FieldProblem(field=place_text(one, lang), rule=rule_text(one.rule, lang), value=one.value)
                for one in error.problems
            )
        case ServiceNotReadyError():
            return tuple(
                FieldProblem(field=part.thing, rule=part.text(), value=None) for part in error.missing
            )
        case _:
            return ()


def problem_response(problem: Problem, headers: tuple[tuple[str, str], ...] = ()) -> Response:
    """Write a problem as a response."""
    body = msgspec.json.encode(problem)
    return Response(body, status_code=problem.status, media_type=PROBLEM_JSON, headers=dict(headers))


async def answer_error(request: Request, error: Exception) -> Response:
    """Answer an error that the table knows; others pass to the doorkeeper and the server's log."""
    asked = request.query_params.get("lang") or request.headers.get("accept-language", "")
    return problem_response(describe(error, accepted_language(asked)), kind_of(error).headers)


async def answer_routing_error(request: Request, error: Exception) -> Response:
    """Answer what the router refuses: an unknown route or a wrong method."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    kind = ROUTING_KINDS.get(status, UNFORESEEN)
    headers = error.headers if isinstance(error, HTTPException) and error.headers else {}
    detail = f"{request.method} {request.url.path[:200]}"
    return problem_response(_problem(kind, detail, ()), tuple(headers.items()))


def _problem(kind: ProblemKind, detail: str, errors: tuple[FieldProblem, ...]) -> Problem:
    return Problem(
        type=URN + kind.code,
        code=kind.code,
        title=kind.title,
        status=kind.status,
        detail=detail,
        errors=errors,
    )
