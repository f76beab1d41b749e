"""Puts the service together: routes, errors, headers. Reads nothing and loads nothing until it is asked."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from anyio import to_thread
from fastapi import FastAPI
from starlette.exceptions import HTTPException

from serving import clock as wall
from serving.api.errors import PROBLEM_KINDS, answer_error, answer_routing_error
from serving.api.handovers import (
    get_handovers,
    post_accept,
    post_attempt,
    post_pause,
    post_recycle,
    post_reject,
    put_absence,
)
from serving.api.health import health, openapi, ready
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
from serving.api.score import score, score_batch
from serving.api.security import Doorkeeper
from serving.clock import Clock
from serving.rescorer import Rescorer
from serving.service import Service
from serving.settings import Settings
from serving.worker import Worker

ROUTES = (
    ("POST", "/v1/score", score),
    ("POST", "/v1/score/batch", score_batch),
    ("PUT", "/v1/leads/{lead_id}", put_one_lead),
    ("GET", "/v1/leads/{lead_id}", get_lead),
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
    ("GET", "/healthz", health),
    ("GET", "/readyz", ready),
    ("GET", "/openapi.json", openapi),
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

    With `runs_worker` clocks are swept and leads scored again beside the requests, as long as it lives.
    """
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, lifespan=_lifespan)
    app.router.redirect_slashes = False
    app.state.service = Service(settings, clock, monotonic)
    app.state.worker = None
    if runs_worker:
        database = app.state.service.database
        app.state.worker = Worker(database, clock, rescorer=Rescorer(settings, database, clock))
    for method, path, handler in ROUTES:
        app.add_route(path, handler, methods=[method])
    for error in PROBLEM_KINDS:
        app.add_exception_handler(error, answer_error)
    app.add_exception_handler(HTTPException, answer_routing_error)
    app.add_middleware(Doorkeeper)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    await app.state.service.warm_up()
    worker: Worker | None = app.state.worker
    if worker is not None:
        worker.start()
    yield
    if worker is not None:
        await to_thread.run_sync(worker.stop)
    app.state.service.close()
