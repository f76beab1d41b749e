"""GET /v1/reports/{funnel, pledges, response, workload, goal}: numbers with their leads."""

from collections.abc import Awaitable, Callable
from functools import partial

from sqlalchemy import Engine
from starlette.requests import Request
from starlette.responses import Response

from features.words.reasons import Language
from serving.api.fields import FieldProblem, WrongFieldsError
from serving.api.leads import answered
from serving.api.periods import PERIOD, read_period
from serving.api.queries import Parameter, read_parameters
from serving.api.score import requested_language
from serving.api.security import authorise
from serving.keys import Scope
from serving.pledge_reports import OF_NOW, REPORTS, USUAL_SOURCE, ReportQuestion
from serving.reports import (
    LONGEST_LEAD_PAGE,
    USUAL_LEADS,
    Cut,
    Report,
    UnknownFigureError,
    cut_report,
)
from serving.service import Service

SOURCE = Parameter(
    name="source",
    about="The attribute by which sources are told apart; default: source.",
    example="source",
)
CUT = (
    Parameter(
        name="limit",
        about="At most so many leads per figure; default: 20.",
        example="20",
        least=0,
        most=LONGEST_LEAD_PAGE,
    ),
    Parameter(
        name="figure",
        about="The key of one figure: only that one, so that its leads can be paged through.",
        example="sales/answered_in_time",
    ),
    Parameter(name="after", about="With figure: the `next_after` of the page before.", example="L1"),
)
Handler = Callable[[Request], Awaitable[Response]]


def _handler(name: str) -> Handler:
    """Return the handler of a report: check key and parameters, count in a thread, cut, answer."""

    async def handler(request: Request) -> Response:
        service: Service = request.app.state.service
        await authorise(request, service, Scope.READ)
        asked = read_parameters(request, parameters_of(name))
        lang = requested_language(request)
        return await answered(service, partial(_cut, service, name, asked, lang))

    return handler


def parameters_of(name: str) -> tuple[Parameter, ...]:
    """Return what may be asked of a report."""
    if name in OF_NOW:
        return CUT
    return (*PERIOD, *((SOURCE,) if name == "funnel" else ()), *CUT)


def _cut(service: Service, name: str, asked: dict[str, str], lang: Language, database: Engine) -> Report:
    """Return the part of a report that was asked for; an unknown figure is a wrong parameter."""
    now = service.clock()
    question = ReportQuestion(
        database=database,
        history=service.history,
        period=read_period(asked, database, now=now),
        now=now,
        lang=lang,
        per_person=service.settings.reports_per_person,
        source=asked.get(SOURCE.name, USUAL_SOURCE),
    )
    limit, after = int(asked.get("limit", USUAL_LEADS)), asked.get("after", "")
    try:
        return cut_report(REPORTS[name](question), Cut(limit=limit, figure=asked.get("figure"), after=after))
    except UnknownFigureError as error:
        rule = f"must be the key of a figure of the report {error.report}"
        problem = FieldProblem(field="?figure", rule=rule, value=error.figure)
        raise WrongFieldsError((problem,)) from None


PLEDGE_REPORT_ROUTES = tuple(("GET", f"/v1/reports/{name}", _handler(name)) for name in REPORTS)
