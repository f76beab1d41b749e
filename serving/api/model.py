"""GET /v1/model and POST /v1/model/reload: which model is in service, and swapping it."""

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from serving.api.security import authorise
from serving.champion import Champion
from serving.keys import Scope
from serving.service import Service


async def get_model(request: Request) -> Response:
    """Say which model is in service."""
    service: Service = request.app.state.service
    await authorise(request, service, Scope.READ)
    return _describe(await service.champion())


async def reload_model(request: Request) -> Response:
    """Load the champion beside the one in service and swap; a broken one is refused, the old one goes on."""
    service: Service = request.app.state.service
    await authorise(request, service, Scope.ADMIN)
    return _describe(await service.reload())


def _describe(champion: Champion) -> Response:
    manifest, feature_set = champion.model.manifest, champion.model.feature_set
    answer = {
        "name": manifest.name,
        "version": manifest.version or champion.pointer.version,
        "manifest_hash": manifest.manifest_hash,
        "feature_set_hash": manifest.feature_set_hash,
        "crm_name": manifest.crm_name,
        "evidence": manifest.evidence,
        "horizon_days": manifest.horizon_days,
        "created_at": manifest.created_at,
        "trained_from": manifest.trained_from,
        "trained_until": manifest.trained_until,
        "split": manifest.split,
        "base_points": champion.model.base_points,
        "metrics": [{"name": name, "value": value} for name, value in manifest.metrics],
        "features": feature_set.names,
    }
    return Response(msgspec.json.encode(answer), media_type="application/json")
