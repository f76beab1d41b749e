"""Puts the service together: routes, errors, headers. Reads nothing and loads nothing until it is asked."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from anyio import to_thread
from fastapi import FastAPI
from starlette.exceptions import HTTPException

from serving import clock as wall
from serving.api.errors import PROBLEM_KINDS, answer_error, answer_routing_error
from serving.api.feedback import (
    get_disputes,
    post_dispute,
    post_dispute_answer,
    post_group_answer,
    post_note,
)
from serving.api.handovers import (
    get_handovers,
    post_accept,
    post_attempt,
    post_pause,
    post_recycle,
    post_reject,
    put_absence,
)
from serving.api.health import health, openapi, ready, swagger
from serving.api.lead_scores import get_lead_scores
from serving.api.leads import get_lead, post_activities, post_deals, put_one_lead
from serving.api.model import get_model, reload_model
from serving.api.policies import (
    get_active_policy,
    get_policies,
    get_policy,
    post_comment,
    post_policy,
    post_proposal,
    post_rejection,
    post_signature,
    post_what_if,
    post_withdrawal,
)
from serving.api.reports_feedback import get_content, get_losses, get_wins
from serving.api.reports_pledges import PLEDGE_REPORT_ROUTES
from serving.api.rights import delete_lead, get_export, put_objection
from serving.api.score import score, score_batch
from serving.api.security import Doorkeeper
from serving.clock import Clock
from serving.courier import Courier
from serving.crm.sender import HttpSender
from serving.janitor import Janitor
from serving.rescorer import Rescorer
from serving.service import Service
from serving.settings import Settings
from serving.worker import Worker

ROUTES = (
    ("POST", "/v1/score", score),
    ("POST", "/v1/score/batch", score_batch),
    ("PUT", "/v1/leads/{lead_id}", put_one_lead),
    ("GET", "/v1/leads/{lead_id}", get_lead),
    ("DELETE", "/v1/leads/{lead_id}", delete_lead),
    ("GET", "/v1/leads/{lead_id}/export", get_export),
    ("PUT", "/v1/leads/{lead_id}/objection", put_objection),
    ("GET", "/v1/leads/{lead_id}/scores", get_lead_scores),
    ("POST", "/v1/activities", post_activities),
    ("POST", "/v1/deals", post_deals),
    ("GET", "/v1/handovers", get_handovers),
    ("POST", "/v1/handovers/{handover_id}/accept", post_accept),
    ("POST", "/v1/handovers/{handover_id}/reject", post_reject),
    ("POST", "/v1/handovers/{handover_id}/recycle", post_recycle),
    ("POST", "/v1/handovers/{handover_id}/attempts", post_attempt),
    ("POST", "/v1/handovers/{handover_id}/pauses", post_pause),
    ("PUT", "/v1/absences/{absence_id}", put_absence),
    ("POST", "/v1/leads/{lead_id}/notes", post_note),
    ("POST", "/v1/leads/{lead_id}/disputes", post_dispute),
    ("GET", "/v1/disputes", get_disputes),
    ("POST", "/v1/disputes/{dispute_id}/answer", post_dispute_answer),
    ("POST", "/v1/feedback/{group}/answers", post_group_answer),
    ("GET", "/v1/reports/losses", get_losses),
    ("GET", "/v1/reports/content", get_content),
    ("GET", "/v1/reports/wins", get_wins),
    ("GET", "/v1/model", get_model),
    ("POST", "/v1/model/reload", reload_model),
    ("GET", "/v1/policies", get_policies),
    ("POST", "/v1/policies", post_policy),
    ("GET", "/v1/policies/active", get_active_policy),
    ("POST", "/v1/policies/what-if", post_what_if),
    ("GET", "/v1/policies/{version}", get_policy),
    ("POST", "/v1/policies/{version}/propose", post_proposal),
    ("POST", "/v1/policies/{version}/comments", post_comment),
    ("POST", "/v1/policies/{version}/sign", post_signature),
    ("POST", "/v1/policies/{version}/withdraw", post_withdrawal),
    ("POST", "/v1/policies/{version}/reject", post_rejection),
    *PLEDGE_REPORT_ROUTES,
    ("GET", "/healthz", health),
    ("GET", "/readyz", ready),
    ("GET", "/openapi.json", openapi),
    ("GET", "/swagger.json", swagger),
)
"""Every route. The handlers read and check bodies themselves, so they stand below FastAPI's layer."""


def create_app(
    settings: Settings,
    clock: Clock = wall.now,
    monotonic: Callable[[], float] = time.monotonic,
    *,
    runs_worker: bool = False,
) -> FastAPI:
    """Return the ASGI application of one workspace; it starts whatever is missing there.

    With `runs_worker` clocks are swept, leads scored again and messages delivered beside the requests while
    it lives.
    """
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, lifespan=_lifespan)
    app.router.redirect_slashes = False
    app.state.service = Service(settings, clock, monotonic)
    app.state.beside = _workers(app.state.service, clock) if runs_worker else ()
    for method, path, handler in ROUTES:
        app.add_route(path, handler, methods=[method])
    for error in PROBLEM_KINDS:
        app.add_exception_handler(error, answer_error)
    app.add_exception_handler(HTTPException, answer_routing_error)
    app.add_middleware(Doorkeeper)
    return app


def _workers(service: Service, clock: Clock) -> tuple[Worker | Courier | Janitor, ...]:
    """Return what runs beside the requests: clocks, scores that age, messages, what is over."""
    send = HttpSender(allow_local=service.settings.webhooks_allow_local)
    courier = Courier(service.database, service.secret, clock, send)
    janitor = Janitor(service.database, service.secret, clock, service.settings)
    rescorer = Rescorer(service.settings, service.database, clock)
    return Worker(service.database, clock, rescorer=rescorer), courier, janitor


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    await app.state.service.warm_up()
    for worker in app.state.beside:
        worker.start()
    yield
    for worker in app.state.beside:
        await to_thread.run_sync(worker.stop)
    app.state.service.close()
