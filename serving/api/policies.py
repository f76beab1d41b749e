"""/v1/policies: the agreement over HTTP. A key acts for one person and one side; the operations decide."""

from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from typing import Any, TypeVar

import msgspec
from anyio import to_thread
from sqlalchemy import Engine
from starlette.requests import Request
from starlette.responses import Response

from serving.api.body import check_body, read_json
from serving.api.fields import Field, FieldProblem, WrongFieldsError
from serving.api.once import named_request, run_once
from serving.api.policy_schemas import (
    COMMENT_REQUEST,
    DRAFT_REQUEST,
    PROPOSE_REQUEST,
    REJECT_REQUEST,
    SIGN_REQUEST,
    WHAT_IF_REQUEST,
    WITHDRAW_REQUEST,
)
from serving.api.queries import Parameter
from serving.api.security import Signatory, authorise, authorise_side
from serving.errors import ServiceNotReadyError, UnknownPolicyError
from serving.keys import Scope
from serving.operations.active_policy import ActivePolicy, active_policy, read_stored
from serving.operations.ask_what_if import WhatIfAnswer, ask_what_if, general_pair
from serving.operations.comment_policy import comment_policy
from serving.operations.draft_policy import draft_policy
from serving.operations.list_policies import ListedPolicy, list_policies
from serving.operations.propose_policy import propose_draft
from serving.operations.read_policy_history import read_policy_history
from serving.operations.reject_policy import reject_policy
from serving.operations.sign_policy import sign_policy
from serving.operations.withdraw_policy import withdraw_policy
from serving.service import Service
from sla.errors import BrokenRulesError, shown
from sla.policy import Policy
from sla.texts import LANGUAGES
from sla.what_if import Effort, ThresholdPair, agreed_effort
from sla.words import render_policy

T = TypeVar("T")
LARGEST_VERSION = 1_000_000


def version_parameter(example: int) -> Parameter:
    """Return the version in a path, with the version that its example is about."""
    about = "The version of the policy."
    return Parameter(
        name="version", place="path", about=about, example=str(example), least=1, most=LARGEST_VERSION
    )


async def get_policies(request: Request) -> Response:
    """List every version."""
    service = await _reader(request)
    return await _answer(lambda: {"policies": list_policies(service.database(), now=service.clock())})


async def get_active_policy(request: Request) -> Response:
    """Return the policy in force, with its text and its words."""
    service = await _reader(request)
    return await _answer(partial(_active, service))


async def get_policy(request: Request) -> Response:
    """Return one version with its text, its words and its life."""
    service = await _reader(request)
    return await _answer(partial(_document, service, _version(request)))


async def post_policy(request: Request) -> Response:
    """Store a draft, or edit an open version of the same side."""
    service, signatory, body = await _actor(request, DRAFT_REQUEST)

    def act(database: Engine) -> int:
        return draft_policy(
            database,
            body["text"],
            by=signatory.person,
            side=signatory.side,
            now=service.clock(),
            source="the policy",
        )

    return await _act(request, signatory, act)


async def post_proposal(request: Request) -> Response:
    """Propose a stored draft."""
    service, signatory, body = await _actor(request, PROPOSE_REQUEST)
    version = _version(request)

    def act(database: Engine) -> int:
        propose_draft(
            database,
            version,
            by=signatory.person,
            side=signatory.side,
            now=service.clock(),
            expires_at=body.get("expires_at"),
        )
        return version

    return await _act(request, signatory, act)


async def post_comment(request: Request) -> Response:
    """Comment on a version."""
    service, signatory, body = await _actor(request, COMMENT_REQUEST)
    version = _version(request)

    def act(database: Engine) -> int:
        words, now = body["text"], service.clock()
        comment_policy(database, version, by=signatory.person, side=signatory.side, text=words, now=now)
        return version

    return await _act(request, signatory, act)


async def post_signature(request: Request) -> Response:
    """Sign a version for the side of the key."""
    service, signatory, body = await _actor(request, SIGN_REQUEST)
    version = _version(request)

    def act(database: Engine) -> int:
        sign_policy(
            database,
            version=version,
            side=signatory.side,
            person=signatory.person,
            now=service.clock(),
            policy_hash=body.get("policy_hash"),
        )
        return version

    return await _act(request, signatory, act)


async def post_withdrawal(request: Request) -> Response:
    """Take a version back."""
    service, signatory, _ = await _actor(request, WITHDRAW_REQUEST)
    version = _version(request)

    def act(database: Engine) -> int:
        withdraw_policy(database, version, by=signatory.person, side=signatory.side, now=service.clock())
        return version

    return await _act(request, signatory, act)


async def post_rejection(request: Request) -> Response:
    """Say no to a proposal of the other side, with a reason."""
    service, signatory, body = await _actor(request, REJECT_REQUEST)
    version = _version(request)

    def act(database: Engine) -> int:
        why, now = body["reason"], service.clock()
        reject_policy(database, version, by=signatory.person, side=signatory.side, reason=why, now=now)
        return version

    return await _act(request, signatory, act)


async def post_what_if(request: Request) -> Response:
    """Count what other thresholds would have done to past leads."""
    service = await _reader(request)
    body: dict[str, Any] = check_body(WHAT_IF_REQUEST, await read_json(request))
    past = await service.past()
    return await _answer(lambda: _what_if(service, body, past))


async def _reader(request: Request) -> Service:
    service: Service = request.app.state.service
    await authorise(request, service, Scope.READ)
    return service


async def _actor(request: Request, field: Field) -> tuple[Service, Signatory, dict[str, Any]]:
    """Return who acts and the checked body."""
    service: Service = request.app.state.service
    signatory = await authorise_side(request, service)
    body: dict[str, Any] = check_body(field, await read_json(request))
    return service, signatory, body


async def _act(request: Request, signatory: Signatory, act: Callable[[Engine], int]) -> Response:
    """Do an act and answer with where its version stands now."""
    service: Service = request.app.state.service

    def act_and_look(database: Engine) -> ListedPolicy:
        return _listed(service, act(database))

    return await run_once(service, act_and_look, named_request(request, signatory.key))


async def _answer(make: Callable[[], object]) -> Response:
    """Return what `make` gives, made in a thread because it asks the database."""
    answer = await to_thread.run_sync(make)
    return Response(msgspec.json.encode(answer), media_type="application/json")


def _version(request: Request) -> int:
    """Return the version a path names; whatever is none is an unknown one."""
    written = request.path_params["version"]
    is_plain = written.isascii() and written.isdecimal() and len(written) <= len(str(LARGEST_VERSION))
    if not is_plain or not 1 <= int(written) <= LARGEST_VERSION:
        raise UnknownPolicyError(written[:80])
    return int(written)


def _listed(service: Service, version: int) -> ListedPolicy:
    listed = list_policies(service.database(), now=service.clock())
    return next(one for one in listed if one.version == version)


def _active(service: Service) -> dict[str, object]:
    found = active_policy(service.database(), now=service.clock())
    if not isinstance(found, ActivePolicy):
        raise ServiceNotReadyError((found,))
    return _document(service, found.version)


def _document(service: Service, version: int) -> dict[str, object]:
    text, events = read_policy_history(service.database(), version)
    policy = read_stored(text, version)
    documents = {f"document_{lang}": render_policy(policy, lang) for lang in LANGUAGES}
    return {**asdict(_listed(service, version)), "text": text, **documents, "events": events}


def _what_if(service: Service, body: dict[str, Any], past: Any) -> WhatIfAnswer:
    active = active_policy(service.database(), now=service.clock())
    policy = active.policy if isinstance(active, ActivePolicy) else None
    current = None if policy is None else general_pair(policy)
    pair = _checked(lambda: _pair(body, current))
    effort = _checked(lambda: _effort(body, policy))
    return ask_what_if(past, pair, effort=effort, current=current)


def _pair(body: dict[str, Any], current: ThresholdPair | None) -> ThresholdPair:
    """Return the thresholds asked for; those left out are the ones in force."""
    limits: dict[str, float] = {}
    for name in ("mql", "sql"):
        value = body.get(name)
        if value is None and current is None:
            rule = "is required, because no policy is in force to take it from"
            raise WrongFieldsError((FieldProblem(field=name, rule=rule, value=None),))
        limits[name] = getattr(current, name) if value is None else value
    return ThresholdPair(mql=limits["mql"], sql=limits["sql"])


def _effort(body: dict[str, Any], policy: Policy | None) -> Effort:
    names = ("hours_per_sql", "capacity_hours", "least_sqls", "value_per_win", "cost_per_hour")
    return agreed_effort(policy, {name: body[name] for name in names if body.get(name) is not None})


def _checked(make: Callable[[], T]) -> T:
    """Build a value of the agreement; a broken rule is a wrong field of the body."""
    try:
        return make()
    except BrokenRulesError as error:
        problems = (
            FieldProblem(field=one.field, rule=one.rule, value=shown(one.value)) for one in error.broken
        )
        raise WrongFieldsError(tuple(problems)) from error
