"""The rights of persons: everything stored about one, its erasure, and the objection to being scored."""

from functools import partial

from sqlalchemy import Engine
from starlette.requests import Request
from starlette.responses import Response

from serving.api.body import check_body, read_json
from serving.api.leads import LEAD_ID, actor, answered
from serving.api.once import named_request
from serving.api.queries import read_parameters
from serving.api.schemas_rights import OBJECTION_REQUEST
from serving.api.score import requested_language
from serving.api.security import authorise
from serving.keys import Scope
from serving.operations.erase_lead import erase_lead
from serving.operations.export_lead import export_lead
from serving.operations.object_to_scoring import Objection, object_to_scoring
from serving.service import Service


async def get_export(request: Request) -> Response:
    """Return everything stored about a person, each score with its reasons in the caller's language."""
    service: Service = request.app.state.service
    await authorise(request, service, Scope.PRIVACY)
    act = partial(
        export_lead,
        lead_id=read_parameters(request, (LEAD_ID,))["lead_id"],
        history=service.history,
        scorer=await service.scorer_if_ready(),
        marks=service.marks(),
        lang=requested_language(request),
        now=service.clock(),
    )
    return await answered(service, act)


async def delete_lead(request: Request) -> Response:
    """Erase a person; nothing that comes later brings the person back."""
    service: Service = request.app.state.service
    key = await authorise(request, service, Scope.PRIVACY)
    act = partial(
        erase_lead,
        lead_id=read_parameters(request, (LEAD_ID,))["lead_id"],
        history=service.history,
        marks=service.marks(),
        by=actor(key),
        now=service.clock(),
    )
    return await answered(service, act)


async def put_objection(request: Request) -> Response:
    """Note that a person objects to being scored, or no longer does."""
    service: Service = request.app.state.service
    key = await authorise(request, service, Scope.PRIVACY)
    lead_id = read_parameters(request, (LEAD_ID,))["lead_id"]
    body = check_body(OBJECTION_REQUEST, await read_json(request))
    now = service.clock()

    def act(database: Engine) -> Objection:
        objection = object_to_scoring(
            database,
            lead_id,
            objects=body["objects"] is True,
            history=service.history,
            marks=service.marks(),
            by=actor(key),
            now=now,
        )
        service.look_again_at_objections()
        return objection

    return await answered(service, act, named_request(request, key))
