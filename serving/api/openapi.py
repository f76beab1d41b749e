"""The OpenAPI 3.0.3 document, written from the table of routes and the tables of fields. No CRM reads 3.1."""

from functools import cache
from typing import Any

import msgspec

from serving.api.errors import ALL_KINDS, PROBLEM_JSON
from serving.api.examples import (
    BATCH_ANSWER_EXAMPLE,
    BATCH_REQUEST_EXAMPLE,
    HEALTH_EXAMPLE,
    MODEL_EXAMPLE,
    READY_EXAMPLE,
    SCORE_ANSWER_EXAMPLE,
    SCORE_REQUEST_EXAMPLE,
)
from serving.api.fields import Field, named_objects, object_schema
from serving.api.once import HEADER as IDEMPOTENCY_KEY
from serving.api.once import LONGEST_KEY
from serving.api.operation import BODY_PROBLEMS, KEY_PROBLEMS, Operation
from serving.api.operations_feedback import FEEDBACK_OPERATIONS
from serving.api.operations_leads import LEAD_OPERATIONS
from serving.api.operations_rights import RIGHTS_OPERATIONS
from serving.api.policy_operations import POLICY_OPERATIONS
from serving.api.queries import Parameter
from serving.api.report_operations_pledges import PLEDGE_REPORT_OPERATIONS
from serving.api.schemas import (
    BATCH_ANSWER,
    BATCH_REQUEST,
    LANG,
    LANGUAGES,
    MODEL_ANSWER,
    PROBLEM,
    SCORE_ANSWER,
    SCORE_REQUEST,
    STATUS_ANSWER,
)
from serving.keys import Scope

API_VERSION = "1.0.0"
ABOUT = (
    "Calibrated lead scores, and the agreement between marketing and sales that acts on them. Errors are "
    "problem+json with a stable `code`; 4xx are final, 503 passes and carries Retry-After."
)


PROBLEM_REFERENCE = "#/components/responses/Problem{}"
KEY_USE_PROBLEMS = (400, 409, 422)
KEY_ABOUT = (
    "A name for this request, such as a UUID. Sent again within 24 hours under the same API key, it is "
    "answered with the bytes of the first answer and does nothing more. Scores of inline leads are not kept."
)

OPERATIONS: tuple[Operation, ...] = (
    *LEAD_OPERATIONS,
    *FEEDBACK_OPERATIONS,
    *RIGHTS_OPERATIONS,
    Operation(
        method="post",
        path="/v1/score",
        operation_id="score",
        summary="Score one lead",
        about="Scores one lead, inline or stored, and says its stage, owner, deadline and reasons.",
        body=SCORE_REQUEST,
        body_example=SCORE_REQUEST_EXAMPLE,
        answer=SCORE_ANSWER,
        answer_example=SCORE_ANSWER_EXAMPLE,
        problems=(404, 409, 410, *BODY_PROBLEMS),
        scope=Scope.SCORE,
        takes_language=True,
    ),
    Operation(
        method="post",
        path="/v1/score/batch",
        operation_id="scoreBatch",
        summary="Score up to 1,000 leads",
        about="Scores every item for itself: an answer or an error per item, in the order of the items.",
        body=BATCH_REQUEST,
        body_example=BATCH_REQUEST_EXAMPLE,
        answer=BATCH_ANSWER,
        answer_example=BATCH_ANSWER_EXAMPLE,
        problems=BODY_PROBLEMS,
        scope=Scope.SCORE,
        takes_language=True,
    ),
    Operation(
        method="get",
        path="/v1/model",
        operation_id="getModel",
        summary="The model in service",
        about="Says which model scores, and its figures.",
        answer=MODEL_ANSWER,
        answer_example=MODEL_EXAMPLE,
        problems=KEY_PROBLEMS,
        scope=Scope.READ,
    ),
    Operation(
        method="post",
        path="/v1/model/reload",
        operation_id="reloadModel",
        summary="Load the champion again",
        about="Loads the champion beside the model in service and swaps; a broken one is refused.",
        answer=MODEL_ANSWER,
        answer_example=MODEL_EXAMPLE,
        problems=(*KEY_PROBLEMS, 409),
        scope=Scope.ADMIN,
        changes_nothing=True,
    ),
    *POLICY_OPERATIONS,
    *PLEDGE_REPORT_OPERATIONS,
    Operation(
        method="get",
        path="/healthz",
        operation_id="health",
        summary="Is the process alive?",
        about="Answers as long as the process does.",
        answer=STATUS_ANSWER,
        answer_example=HEALTH_EXAMPLE,
        problems=(),
    ),
    Operation(
        method="get",
        path="/readyz",
        operation_id="ready",
        summary="Can it score?",
        about="Says which model and policy score; 503 says what is missing and the command that gets it.",
        answer=STATUS_ANSWER,
        answer_example=READY_EXAMPLE,
        problems=(503,),
    ),
    Operation(
        method="get",
        path="/openapi.json",
        operation_id="openapi",
        summary="This document",
        about="The contract of this API, OpenAPI 3.0.",
        answer=None,
        answer_example=None,
        problems=(),
    ),
    Operation(
        method="get",
        path="/swagger.json",
        operation_id="swagger",
        summary="This document as Swagger 2.0",
        about="The same contract for tools that read nothing newer.",
        answer=None,
        answer_example=None,
        problems=(),
    ),
)


@cache
def openapi_bytes() -> bytes:
    """Return the document as JSON."""
    return msgspec.json.encode(openapi_document())


def openapi_document() -> dict[str, Any]:
    """Return the document."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method] = _operation(operation)
    return {
        "openapi": "3.0.3",
        "info": {"title": "LeadPact", "version": API_VERSION, "description": ABOUT},
        "paths": paths,
        "components": {
            "schemas": _components(),
            "responses": _problems(),
            "securitySchemes": _security_schemes(),
        },
    }


def _components() -> dict[str, Any]:
    found: dict[str, Field] = named_objects(PROBLEM)
    for operation in OPERATIONS:
        for field in (operation.body, operation.answer):
            found |= named_objects(field) if field else {}
    return {name: object_schema(found[name]) for name in sorted(found)}


def _operation(operation: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.operation_id,
        "summary": operation.summary,
        "description": operation.about,
        "responses": _responses(operation),
    }
    parameters = [_parameter(one) for one in operation.parameters]
    parameters += [_language_parameter()] if operation.takes_language else []
    parameters += [_key_parameter()] if operation.takes_key else []
    described |= {"parameters": parameters} if parameters else {}
    if operation.acts_for_side:
        described["security"] = [{"ApiKey": []}, {"Bearer": []}]
        described["description"] += " Needs a key with the scope policy:marketing or policy:sales."
    if operation.scope is not None:
        described["security"] = [{"ApiKey": []}, {"Bearer": []}]
        described["description"] += f" Needs a key with the scope {operation.scope}."
    if operation.body is not None:
        content = _content(operation.body, operation.body_example)
        described["requestBody"] = {"required": True, "content": {"application/json": content}}
    return described


def _responses(operation: Operation) -> dict[str, Any]:
    statuses = {*operation.problems, *(KEY_USE_PROBLEMS if operation.takes_key else ())}
    problems = {str(status): {"$ref": PROBLEM_REFERENCE.format(status)} for status in sorted(statuses)}
    return {"200": _answer(operation)} | problems


def _answer(operation: Operation) -> dict[str, Any]:
    if operation.answer is None:
        content: dict[str, Any] = {"schema": {"type": "object"}}
    else:
        content = _content(operation.answer, operation.answer_example)
    return {"description": operation.summary, "content": {"application/json": content}}


def _content(field: Field, example: object) -> dict[str, Any]:
    return {"schema": {"$ref": f"#/components/schemas/{field.schema}"}, "example": example}


def _problems() -> dict[str, Any]:
    """Return what each status of a problem may mean: said once, most operations may answer most of them."""
    statuses = {status for operation in OPERATIONS for status in (*operation.problems, *KEY_USE_PROBLEMS)}
    return {f"Problem{status}": _problem(status) for status in sorted(statuses)}


def _problem(status: int) -> dict[str, Any]:
    kinds = [kind for kind in ALL_KINDS if kind.status == status]
    about = "; ".join(f"{kind.code}: {kind.title}" for kind in kinds)
    schema = {"$ref": f"#/components/schemas/{PROBLEM.schema}"}
    return {"description": about, "content": {PROBLEM_JSON: {"schema": schema}}}


def _parameter(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "in": parameter.place,
        "required": parameter.place == "path",
        "description": parameter.about,
        "schema": dict(parameter.schema()),
        "example": int(parameter.example) if parameter.is_number else parameter.example,
    }


def _language_parameter() -> dict[str, Any]:
    return {
        "name": "lang",
        "in": "query",
        "required": False,
        "description": LANG.about,
        "schema": {"type": "string", "enum": list(LANGUAGES)},
    }


def _key_parameter() -> dict[str, Any]:
    return {
        "name": IDEMPOTENCY_KEY,
        "in": "header",
        "required": False,
        "description": KEY_ABOUT,
        "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY},
    }


def _security_schemes() -> dict[str, Any]:
    return {
        "ApiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
        "Bearer": {"type": "http", "scheme": "bearer"},
    }
