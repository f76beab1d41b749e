"""Puts the service together: routes, errors, headers. Reads nothing and loads nothing until it is asked."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.exceptions import HTTPException

from serving import clock as wall
from serving.api.errors import PROBLEM_KINDS, answer_error, answer_routing_error
from serving.api.health import health, openapi, ready
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
from serving.service import Service
from serving.settings import Settings

ROUTES = (
    ("POST", "/v1/score", score),
    ("POST", "/v1/score/batch", score_batch),
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
    settings: Settings, clock: Clock = wall.now, monotonic: Callable[[], float] = time.monotonic
) -> FastAPI:
    """Return the ASGI application of one workspace; it starts whatever is missing there."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, lifespan=_lifespan)
    app.router.redirect_slashes = False
    app.state.service = Service(settings, clock, monotonic)
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
    yield
    app.state.service.close()
