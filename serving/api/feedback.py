"""POST /v1/feedback/{group}/answers: what is being done about the reasons of a group."""

from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from serving.api.body import read_json
from serving.api.fields import Checker
from serving.api.handovers import refuse_blank
from serving.api.leads import actor, answered, checked_object
from serving.api.queries import Parameter, read_parameters
from serving.api.schemas_feedback import NEW_ANSWER
from serving.api.security import authorise
from serving.keys import Scope
from serving.operations.answer_group import answer_group
from serving.service import Service

GROUP = Parameter(name="group", place="path", about="The group of reasons.", example="data")


async def post_group_answer(request: Request) -> Response:
    """Record the answer to the open question of a group."""
    service: Service = request.app.state.service
    key = await authorise(request, service, Scope.HANDOVERS)
    group = read_parameters(request, (GROUP,))["group"]
    checker = Checker()
    body = checked_object(checker, NEW_ANSWER, await read_json(request))
    refuse_blank(checker, body, "answer")
    checker.refuse_problems()
    by = actor(key, body.get("by"))
    act = partial(answer_group, group=group, answer=body["answer"].strip(), by=by, now=service.clock())
    return await answered(service, act)
