"""GET /v1/handovers and the acts of sales on one of them: accept, reject, recycle, attempts, pauses."""

import hashlib
from dataclasses import asdict
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Engine
from starlette.requests import Request
from starlette.responses import Response

from serving.api.body import read_json
from serving.api.fields import Checker, Field
from serving.api.leads import actor, answered, checked_object
from serving.api.once import named_request
from serving.api.queries import Parameter, read_parameters
from serving.api.schemas_leads import ACCEPT, GIVE_BACK, NEW_ABSENCE, NEW_ATTEMPT, NEW_PAUSE
from serving.api.score import CLOCK_TOLERANCE, requested_language
from serving.api.security import authorise
from serving.keys import Scope
from serving.notes import Tags
from serving.operations.accept_handover import accept_handover
from serving.operations.check_api_key import VerifiedKey
from serving.operations.list_handovers import Wanted, list_handovers
from serving.operations.pause_handover import pause_handover
from serving.operations.read_handover import read_handover
from serving.operations.record_absence import record_absence
from serving.operations.record_attempt import record_attempt
from serving.operations.return_handover import return_handover
from serving.service import Service
from sla.away import LONGEST_AWAY, Absence, Pause
from sla.handover import Attempt, AttemptResult, Direction, HandoverStatus, ReasonGroup
from sla.lifecycle import EventKind

MOST_PER_PAGE, USUAL_PER_PAGE = 200, 50
HANDOVER_ID = Parameter(name="handover_id", place="path", about="The handover's id.", example="0" * 32)
ABSENCE_ID = Parameter(name="absence_id", place="path", about="The absence's id.", example="holiday-1")
FILTERS = (
    Parameter(name="status", about="Only with this status.", example="open", choices=tuple(HandoverStatus)),
    Parameter(name="direction", about="Only this way.", example="to_sales", choices=tuple(Direction)),
    Parameter(name="owner", about="Only of this owner.", example="Jonas Weber"),
    Parameter(name="lead_id", about="Only of this lead.", example="L1"),
    Parameter(name="limit", about="At most so many; default: 50.", example="50", least=1, most=MOST_PER_PAGE),
    Parameter(name="after", about="The `next_after` of the page before.", example="0" * 32),
)


async def get_handovers(request: Request) -> Response:
    """List handovers, the most urgent first, a page at a time."""
    service: Service = request.app.state.service
    await authorise(request, service, Scope.READ)
    asked = read_parameters(request, FILTERS)
    status = asked.get("status")
    wanted = Wanted(
        limit=int(asked.get("limit", USUAL_PER_PAGE)),
        after=asked.get("after"),
        status=() if status is None else (status,),
        direction=asked.get("direction"),
        owner=asked.get("owner"),
        lead_id=asked.get("lead_id"),
    )
    lang = requested_language(request)
    return await answered(service, partial(list_handovers, wanted=wanted, now=service.clock(), lang=lang))


async def post_accept(request: Request) -> Response:
    """Take a lead on."""
    return await _act(request, ACCEPT, _accept)


async def post_reject(request: Request) -> Response:
    """Give a lead back because it should not have come."""
    return await _act(request, GIVE_BACK, partial(_return, EventKind.REJECTED))


async def post_recycle(request: Request) -> Response:
    """Give a lead back for another time."""
    return await _act(request, GIVE_BACK, partial(_return, EventKind.RECYCLED))


async def post_attempt(request: Request) -> Response:
    """Note a try to reach the lead."""
    return await _act(request, NEW_ATTEMPT, _attempt)


async def post_pause(request: Request) -> Response:
    """Stop the clocks of a handover for a stretch of time."""
    return await _act(request, NEW_PAUSE, _pause)


async def put_absence(request: Request) -> Response:
    """Say when a person in sales is away."""
    service: Service = request.app.state.service
    key = await authorise(request, service, Scope.HANDOVERS)
    absence_id = read_parameters(request, (ABSENCE_ID,))["absence_id"]
    now, checker = service.clock(), Checker()
    body = checked_object(checker, NEW_ABSENCE, await read_json(request))
    _check_stretch(checker, body.get("since"), body.get("until"))
    refuse_blank(checker, body, "person")
    checker.refuse_problems()
    absence = Absence(person=body["person"].strip(), since=body["since"], until=body["until"])

    def act(database: Engine) -> dict[str, object]:
        count = record_absence(database, absence_id, absence, by=actor(key), now=now)
        return {"absence_id": absence_id, **asdict(absence), "handovers": count}

    return await answered(service, act, named_request(request, key))


async def _act(request: Request, field: Field, act: Any) -> Response:
    """Check key, id and body, act in a thread, and answer with the handover as it stands then."""
    service: Service = request.app.state.service
    key = await authorise(request, service, Scope.HANDOVERS)
    handover_id = read_parameters(request, (HANDOVER_ID,))["handover_id"]
    lang, now, checker = requested_language(request), service.clock(), Checker()
    body = checked_object(checker, field, await read_json(request))
    _check_times(checker, body, now)
    checker.refuse_problems()

    def act_and_look(database: Engine) -> object:
        act(service, handover_id, body, key, now)
        return read_handover(database, handover_id, now=now, lang=lang)

    return await answered(service, act_and_look, named_request(request, key))


def _check_times(checker: Checker, body: dict[str, Any], now: datetime) -> None:
    """Check what the fields say together: nothing happened in the future, a pause ends after it begins."""
    at = body.get("occurred_at")
    if isinstance(at, datetime) and at > now + CLOCK_TOLERANCE:
        checker.add("occurred_at", f"must not lie in the future; it is {now.isoformat()} now", at)
    _check_stretch(checker, body.get("since") or now, body.get("until"))
    refuse_blank(checker, body, "reason", "channel", "attempt_id", "objection", "content", "code")


def _check_stretch(checker: Checker, since: object, until: object) -> None:
    """Check that a stretch of time ends after it begins, and soon enough."""
    if isinstance(until, datetime) and isinstance(since, datetime):
        if until < since:
            checker.add("until", f"must not lie before since, {since.isoformat()}", until)
        if until - since > LONGEST_AWAY:
            checker.add("until", f"must be at most {LONGEST_AWAY.days} days after since", until)


def refuse_blank(checker: Checker, body: dict[str, Any], *names: str) -> None:
    """Note a problem for each text that holds nothing to read."""
    for name in names:
        value = body.get(name)
        if isinstance(value, str) and value and not value.strip():
            checker.add(name, "must not be blank", value)


def _accept(
    service: Service, handover_id: str, body: dict[str, Any], key: VerifiedKey, now: datetime
) -> None:
    by, at = actor(key, body.get("by")), body.get("occurred_at") or now
    accept_handover(service.database(), handover_id, by=by, at=at, now=now)


def _return(
    kind: EventKind,
    service: Service,
    handover_id: str,
    body: dict[str, Any],
    key: VerifiedKey,
    now: datetime,
) -> None:
    return_handover(
        service.database(),
        handover_id,
        kind,
        group=ReasonGroup(body["reason_group"]) if body.get("reason_group") else None,
        reason=body.get("reason") or None,
        code=body.get("code") or None,
        by=actor(key, body.get("by")),
        at=body.get("occurred_at") or now,
        now=now,
    )


def _attempt(
    service: Service, handover_id: str, body: dict[str, Any], key: VerifiedKey, now: datetime
) -> None:
    at = body.get("occurred_at") or now
    attempt = Attempt(
        attempt_id=body.get("attempt_id") or _attempt_id(handover_id, at, body["channel"], body["result"]),
        at=at,
        channel=body["channel"],
        result=AttemptResult(body["result"]),
    )
    by = actor(key, body.get("by"))
    tags = Tags(objection=body.get("objection") or None, content=body.get("content") or None)
    record_attempt(service.database(), handover_id, attempt, by=by, note=body.get("note"), now=now, tags=tags)


def _pause(service: Service, handover_id: str, body: dict[str, Any], key: VerifiedKey, now: datetime) -> None:
    pause = Pause(since=body.get("since") or now, until=body["until"], reason=body["reason"])
    pause_handover(service.database(), handover_id, pause, by=actor(key, body.get("by")), now=now)


def _attempt_id(*parts: object) -> str:
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()[:32]
