"""PUT and GET /v1/leads/{lead_id}, POST /v1/activities and /v1/deals: what the CRM knows comes in."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import partial
from typing import Any, TypeVar, cast

import msgspec
from anyio import to_thread
from starlette.requests import Request
from starlette.responses import Response

from serving.api.body import read_json
from serving.api.fields import Checker, Field, WrongFieldsError
from serving.api.once import named_request, run_once
from serving.api.queries import Parameter, read_parameters
from serving.api.schemas_leads import ACTIVITY_BATCH, DEAL_BATCH, LEAD_PUT
from serving.api.score import CLOCK_TOLERANCE, requested_language
from serving.api.security import authorise
from serving.keys import Scope
from serving.operations.answer_once import NamedRequest
from serving.operations.check_api_key import VerifiedKey
from serving.operations.find_unknown_leads import find_unknown_leads
from serving.operations.put_lead import PutLead
from serving.operations.read_lead import read_lead
from serving.operations.record_activities import NewActivities, NewActivity
from serving.operations.record_changes import Change, Recorded, UnknownLeads
from serving.operations.record_deals import NewDeal, NewDeals
from serving.service import Service

LONGEST_VALUE = 10_000
LEAD_ID = Parameter(name="lead_id", place="path", about="The lead's id in the CRM.", example="L1")
T = TypeVar("T")


async def put_one_lead(request: Request) -> Response:
    """Store a lead's attributes; it is scored and, where agreed, handed over before the answer leaves."""
    service: Service = request.app.state.service
    key = await authorise(request, service, Scope.INGEST)
    lead_id = read_parameters(request, (LEAD_ID,))["lead_id"]
    now, checker = service.clock(), Checker()
    body = checked_object(checker, LEAD_PUT, await read_json(request))
    for name in ("created_at", "changed_at"):
        refuse_future(checker, name, body.get(name), now)
    attributes = {name: value for name, value in body.items() if name not in ("created_at", "changed_at")}
    for name, value in attributes.items():
        _refuse_compound(checker, name, value)
    checker.refuse_problems()
    change = PutLead(
        lead_id=lead_id,
        attributes=attributes,
        created_at=body.get("created_at"),
        changed_at=body.get("changed_at") or now,
        by=actor(key),
    )
    return await _changed(request, key, change, _only)


async def get_lead(request: Request) -> Response:
    """Say what is known of a lead, where it stands and how it came there."""
    service: Service = request.app.state.service
    await authorise(request, service, Scope.READ)
    lead_id = read_parameters(request, (LEAD_ID,))["lead_id"]
    lang = requested_language(request)
    act = partial(
        read_lead,
        history=service.history,
        lead_id=lead_id,
        now=service.clock(),
        lang=lang,
        marks=service.marks(),
    )
    return await answered(service, act)


async def post_activities(request: Request) -> Response:
    """Store what leads did; each lead is scored once, with everything that came."""
    service: Service = request.app.state.service
    key = await authorise(request, service, Scope.INGEST)
    now, checker = service.clock(), Checker()
    items = _items(checker, ACTIVITY_BATCH, await read_json(request))
    for index, item in enumerate(items):
        refuse_future(checker, f"items[{index}].occurred_at", item.get("occurred_at"), now)
    await _refuse_problems(checker, service, items)
    new = tuple(NewActivity(**_with_float(item, "value")) for item in items)
    return await _changed(request, key, NewActivities(activities=new, by=actor(key)), partial(_told, items))


async def post_deals(request: Request) -> Response:
    """Store deals as they stand; stages and handovers follow."""
    service: Service = request.app.state.service
    key = await authorise(request, service, Scope.INGEST)
    now, checker = service.clock(), Checker()
    items = _items(checker, DEAL_BATCH, await read_json(request))
    for index, item in enumerate(items):
        _check_deal(checker, f"items[{index}]", item, now)
    await _refuse_problems(checker, service, items)
    new = (NewDeal(**_with_float({**item, "changed_at": _changed_at(item)}, "amount")) for item in items)
    return await _changed(request, key, NewDeals(deals=tuple(new), by=actor(key)), partial(_told, items))


def checked_object(checker: Checker, field: Field, value: object) -> dict[str, Any]:
    """Return the members of a body, its problems noted; what is no object is refused at once."""
    checked = checker.check(field, value, "")
    if not isinstance(value, dict) or not isinstance(checked, dict):
        raise WrongFieldsError(tuple(checker.problems))
    return checked


async def answered(
    service: Service, act: Callable[..., object], named: NamedRequest | None = None
) -> Response:
    """Run an operation in a thread with the database, and write what it returns; a named one only once."""
    return await run_once(service, act, named)


async def _changed(
    request: Request, key: VerifiedKey, change: Change, told: Callable[[Recorded | UnknownLeads], object]
) -> Response:
    """Store a change in one commit with those of others; a named one alone, once, with its answer."""
    service: Service = request.app.state.service
    named = named_request(request, key)
    if named is None:
        body = msgspec.json.encode(told(await service.change(change)))
        return Response(body, media_type="application/json")
    scorer = await service.scorer_if_ready()
    alone = partial(service.change_alone, change=change, scorer=scorer)
    return await run_once(service, lambda database: told(alone(database)), named)


def _only(done: Recorded | UnknownLeads) -> object:
    """Return where the one lead of a change stands; a lead that is put is never unknown."""
    return done if isinstance(done, UnknownLeads) else done.leads[0]


def _told(items: Sequence[dict[str, Any]], done: Recorded | UnknownLeads) -> object:
    """Return what was recorded, or refuse the leads nobody knows."""
    if isinstance(done, UnknownLeads):
        checker = Checker()
        _note_unknown(checker, items, done.lead_ids)
        checker.refuse_problems()
    return done


def actor(key: VerifiedKey, by: str | None = None) -> str:
    """Return who acts: the person the body or the key names, else the key."""
    return (by or "").strip() or key.person or f"key {key.name}"


def _items(checker: Checker, field: Field, value: object) -> Sequence[dict[str, Any]]:
    items = checked_object(checker, field, value).get("items") or ()
    return [item if isinstance(item, dict) else {} for item in cast("Iterable[object]", items)]


def refuse_future(checker: Checker, path: str, at: object, now: datetime) -> None:
    """Note a problem for an instant that has not come yet."""
    if isinstance(at, datetime) and at > now + CLOCK_TOLERANCE:
        checker.add(path, f"must not lie in the future; it is {now.isoformat()} now", at)


def _refuse_compound(checker: Checker, name: str, value: object) -> None:
    if isinstance(value, dict | list):
        checker.add(name[:80], "must be a text, a number, true or false, or null", value)
    elif isinstance(value, str) and len(value) > LONGEST_VALUE:
        checker.add(name[:80], f"must have at most {LONGEST_VALUE:,} characters", value)


async def _refuse_problems(checker: Checker, service: Service, items: Sequence[dict[str, Any]]) -> None:
    """Refuse what is wrong already, with the leads nobody knows; of a right body storing it tells them."""
    if not checker.problems:
        return
    named = {one for item in items if isinstance(one := item.get("lead_id"), str) and one}
    marks = service.marks()
    unknown = await to_thread.run_sync(
        lambda: find_unknown_leads(service.database(), service.history, named, marks=marks)
    )
    _note_unknown(checker, items, unknown)
    checker.refuse_problems()


def _note_unknown(checker: Checker, items: Sequence[dict[str, Any]], unknown: frozenset[str]) -> None:
    """Note a problem for each item whose lead nobody knows."""
    for index, item in enumerate(items):
        lead_id = item.get("lead_id")
        if lead_id in unknown:
            checker.add(f"items[{index}].lead_id", "must name a lead that was put or imported", lead_id)


def _check_deal(checker: Checker, path: str, item: dict[str, Any], now: datetime) -> None:
    """Check the rules between the fields of a deal."""
    outcome, opened_at, closed_at = item.get("outcome"), item.get("opened_at"), item.get("closed_at")
    for name in ("opened_at", "closed_at", "changed_at"):
        refuse_future(checker, f"{path}.{name}", item.get(name), now)
    if outcome is None and opened_at is None:
        checker.add(f"{path}.opened_at", "is required for a deal that is open")
    if (outcome is None) != (closed_at is None):
        checker.add(f"{path}.closed_at", "must be given together with outcome", closed_at)
    if isinstance(opened_at, datetime) and isinstance(closed_at, datetime) and closed_at < opened_at:
        checker.add(f"{path}.closed_at", f"must not lie before opened_at, {opened_at.isoformat()}", closed_at)


def _changed_at(item: dict[str, Any]) -> datetime:
    found = item.get("changed_at") or item.get("closed_at") or item.get("opened_at")
    return cast("datetime", found)


def _with_float(item: dict[str, Any], name: str) -> dict[str, Any]:
    """Return an item with its number as the database keeps it."""
    value = item.get(name)
    return {**item, name: None if value is None else float(value)}
