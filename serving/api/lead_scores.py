"""GET /v1/leads/{lead_id}/scores: the history of a lead's scores, each change told in its parts."""

from functools import partial

from sqlalchemy import Engine
from starlette.requests import Request
from starlette.responses import Response

from features.words.reasons import Language
from serving.api.leads import LEAD_ID, answered
from serving.api.queries import Parameter, read_parameters
from serving.api.score import requested_language
from serving.api.security import authorise
from serving.keys import Scope
from serving.operations.list_scores import list_scores
from serving.score_history import ScorePage, score_page
from serving.service import Service

MOST_PER_PAGE, USUAL_PER_PAGE = 200, 20
PAGE = (
    LEAD_ID,
    Parameter(name="limit", about="At most so many; default: 20.", example="20", least=1, most=MOST_PER_PAGE),
    Parameter(name="after", about="The `next_after` of the page before.", example="0" * 32),
)


async def get_lead_scores(request: Request) -> Response:
    """List the stored scores of a lead, the newest first."""
    service: Service = request.app.state.service
    await authorise(request, service, Scope.READ)
    asked = read_parameters(request, PAGE)
    act = partial(
        _page,
        service=service,
        lead_id=asked["lead_id"],
        limit=int(asked.get("limit", USUAL_PER_PAGE)),
        after=asked.get("after"),
        lang=requested_language(request),
    )
    return await answered(service, act)


def _page(
    database: Engine, *, service: Service, lead_id: str, limit: int, after: str | None, lang: Language
) -> ScorePage:
    found = list_scores(database, service.history, lead_id, limit=limit, after=after)
    return score_page(found, service.kept_models, limit=limit, lang=lang)
