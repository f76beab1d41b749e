"""GET /v1/reports/losses, /content and /wins: what both teams learn from how leads ended."""

from collections.abc import Callable
from functools import partial
from typing import Protocol

import msgspec
from anyio import to_thread
from starlette.requests import Request
from starlette.responses import Response

from serving.api.fields import FieldProblem, WrongFieldsError
from serving.api.periods import PERIOD, read_period
from serving.api.queries import Parameter, read_parameters
from serving.api.score import requested_language
from serving.api.security import authorise
from serving.keys import Scope
from serving.operations.read_content import read_content
from serving.operations.read_losses import read_losses
from serving.operations.read_wins import read_wins
from serving.report_views import MOST_LEADS, SHOWN_LEADS, LeadPage, LeadsAsked
from serving.service import Service

KEY = Parameter(name="key", about="The key of a number: its leads come as `leads`.", example="all")
AFTER = Parameter(name="after", about="The `next_after` of the page of leads before.", example="L1")
LIMIT = Parameter(
    name="limit", about="At most so many leads; default: 20.", example="50", least=1, most=MOST_LEADS
)
AFTER_WIN = Parameter(name="after_win", about="The `next_win` of the page of wins before.", example="D1")
ASKED = (*PERIOD, KEY, AFTER, LIMIT)
ASKED_WINS = (*ASKED, AFTER_WIN)


class Report(Protocol):
    """A report whose numbers have leads behind them."""

    @property
    def leads(self) -> LeadPage | None:
        """The leads behind the number asked for."""


async def get_losses(request: Request) -> Response:
    """Say why leads ended without a win."""
    return await _report(request, read_losses)


async def get_content(request: Request) -> Response:
    """Say what sellers hear and what content does."""
    return await _report(request, read_content)


async def get_wins(request: Request) -> Response:
    """Tell everyone what was won."""
    after_win = read_parameters(request, ASKED_WINS).get("after_win", "")
    return await _report(request, partial(read_wins, after_win=after_win))


async def _report(request: Request, read: Callable[..., Report]) -> Response:
    """Check key and parameters, read in a thread, and answer."""
    service: Service = request.app.state.service
    await authorise(request, service, Scope.READ)
    asked, lang, now = read_parameters(request, ASKED), requested_language(request), service.clock()
    leads = LeadsAsked(
        key=asked.get("key", ""),
        after=asked.get("after", ""),
        limit=int(asked.get("limit", SHOWN_LEADS)),
    )

    def answer() -> bytes:
        database = service.database()
        period = read_period(asked, database, now=now)
        report = read(database, service.history, period, leads, now=now, lang=lang)
        _refuse_unknown_key(leads, report)
        return msgspec.json.encode(report)

    return Response(await to_thread.run_sync(answer), media_type="application/json")


def _refuse_unknown_key(leads: LeadsAsked, report: Report) -> None:
    if leads.key and report.leads is None:
        rule = "must be the key of a number of this report"
        raise WrongFieldsError((FieldProblem(field="?key", rule=rule, value=leads.key),))
