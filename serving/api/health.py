"""GET /healthz (the process answers), /readyz (it can score), /openapi.json and /swagger.json."""

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from serving.api.openapi import openapi_bytes
from serving.api.swagger import swagger_bytes
from serving.service import Service


async def health(_request: Request) -> Response:
    """Say that the process is alive; looks at nothing else."""
    return _json({"status": "alive"})


async def ready(request: Request) -> Response:
    """Say which model and policy score, or answer 503 with what is missing and the command that gets it."""
    service: Service = request.app.state.service
    scorer = await service.scorer()
    return _json(
        {"status": "ready", "model_version": scorer.model_version, "policy_version": scorer.policy_version}
    )


async def openapi(_request: Request) -> Response:
    """Publish the contract."""
    return Response(openapi_bytes(), media_type="application/json")


async def swagger(_request: Request) -> Response:
    """Publish the contract for those who read Swagger 2.0."""
    return Response(swagger_bytes(), media_type="application/json")


def _json(answer: dict[str, str]) -> Response:
    return Response(msgspec.json.encode(answer), media_type="application/json")
