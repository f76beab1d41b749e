"""Routes of closing feedback: answers for groups of reasons, disputed scores with their answers, notes."""

from datetime import datetime
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from serving.api.body import read_json
from serving.api.fields import Checker, Field
from serving.api.handovers import refuse_blank
from serving.api.leads import LEAD_ID, actor, answered, checked_object, refuse_future
from serving.api.once import named_request
from serving.api.queries import Parameter, read_parameters
from serving.api.schemas_feedback import DISPUTE_ANSWER, NEW_ANSWER, NEW_DISPUTE, NEW_NOTE
from serving.api.score import requested_language
from serving.api.security import authorise
from serving.keys import Scope
from serving.notes import Tags
from serving.operations.answer_dispute import answer_dispute
from serving.operations.answer_group import answer_group
from serving.operations.check_api_key import VerifiedKey
from serving.operations.dispute_score import NewDispute, dispute_score
from serving.operations.list_disputes import DisputeState, WantedDisputes, list_disputes
from serving.operations.record_note import NewNote, record_note
from serving.service import Service
from sla.feedback import Verdict

MOST_PER_PAGE, USUAL_PER_PAGE = 200, 50
GROUP = Parameter(name="group", place="path", about="The group of reasons.", example="data")
DISPUTE_ID = Parameter(name="dispute_id", place="path", about="The dispute's id.", example="D-L1")
DISPUTE_FILTERS = (
    Parameter(
        name="status",
        about="Only open ones, overdue ones, or answered ones.",
        example="open",
        choices=tuple(DisputeState),
    ),
    Parameter(name="lead_id", about="Only of this lead.", example="L1"),
    Parameter(name="limit", about="At most so many; default: 50.", example="50", least=1, most=MOST_PER_PAGE),
    Parameter(name="after", about="The `next_after` of the page before.", example="D-L1"),
)


async def post_group_answer(request: Request) -> Response:
    """Record the answer to the open question of a group."""
    key, body, now = await _sent(request, NEW_ANSWER, "answer")
    group = read_parameters(request, (GROUP,))["group"]
    by = actor(key, body.get("by"))
    act = partial(answer_group, group=group, answer=body["answer"].strip(), by=by, now=now)
    return await answered(request.app.state.service, act, named_request(request, key))


async def post_dispute(request: Request) -> Response:
    """Dispute a score of a lead."""
    key, body, now = await _sent(request, NEW_DISPUTE, "reason", "dispute_id", "score_id")
    service: Service = request.app.state.service
    new = NewDispute(
        lead_id=read_parameters(request, (LEAD_ID,))["lead_id"],
        reason=body["reason"].strip(),
        at=body.get("occurred_at") or now,
        score_id=body.get("score_id") or None,
        dispute_id=body.get("dispute_id") or None,
    )
    lang = requested_language(request)
    act = partial(
        dispute_score,
        history=service.history,
        new=new,
        by=actor(key, body.get("by")),
        now=now,
        lang=lang,
        marks=service.marks(),
    )
    return await answered(service, act, named_request(request, key))


async def post_dispute_answer(request: Request) -> Response:
    """Answer a disputed score."""
    key, body, now = await _sent(request, DISPUTE_ANSWER, "answer")
    act = partial(
        answer_dispute,
        dispute_id=read_parameters(request, (DISPUTE_ID,))["dispute_id"],
        verdict=Verdict(body["verdict"]),
        answer=body["answer"].strip(),
        by=actor(key, body.get("by")),
        now=now,
        lang=requested_language(request),
        marks=request.app.state.service.marks(),
    )
    return await answered(request.app.state.service, act, named_request(request, key))


async def get_disputes(request: Request) -> Response:
    """List disputed scores, the oldest first, a page at a time."""
    service: Service = request.app.state.service
    await authorise(request, service, Scope.READ)
    asked, lang = read_parameters(request, DISPUTE_FILTERS), requested_language(request)
    wanted = WantedDisputes(
        limit=int(asked.get("limit", USUAL_PER_PAGE)),
        after=asked.get("after"),
        state=DisputeState(asked["status"]) if "status" in asked else None,
        lead_id=asked.get("lead_id"),
    )
    return await answered(service, partial(list_disputes, wanted=wanted, now=service.clock(), lang=lang))


async def post_note(request: Request) -> Response:
    """Record what a seller noted about a lead."""
    names = ("text", "objection", "content", "persona", "note_id")
    key, body, now = await _sent(request, NEW_NOTE, *names, needs_one_of=("text", "objection", "content"))
    service: Service = request.app.state.service
    said = {name: (body.get(name) or "").strip() or None for name in names}
    new = NewNote(
        lead_id=read_parameters(request, (LEAD_ID,))["lead_id"],
        tags=Tags(objection=said["objection"], content=said["content"], persona=said["persona"]),
        text=said["text"],
        at=body.get("occurred_at") or now,
        note_id=said["note_id"],
    )
    act = partial(
        record_note,
        history=service.history,
        new=new,
        by=actor(key, body.get("by")),
        now=now,
        marks=service.marks(),
    )
    return await answered(service, act, named_request(request, key))


async def _sent(
    request: Request, field: Field, *texts: str, needs_one_of: tuple[str, ...] = ()
) -> tuple[VerifiedKey, dict[str, Any], datetime]:
    """Return whose key it is, the checked body, and now; raise with every problem of the body at once."""
    service: Service = request.app.state.service
    key = await authorise(request, service, Scope.HANDOVERS)
    now, checker = service.clock(), Checker()
    body = checked_object(checker, field, await read_json(request))
    refuse_future(checker, "occurred_at", body.get("occurred_at"), now)
    refuse_blank(checker, body, *texts)
    if needs_one_of and not any(body.get(name) for name in needs_one_of):
        others = " or ".join(needs_one_of[1:])
        checker.add(needs_one_of[0], f"or {others} must be given")
    checker.refuse_problems()
    return key, body, now
