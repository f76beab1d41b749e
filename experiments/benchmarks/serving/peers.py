"""The peers, as an expert would write them: `python -m experiments.benchmarks.serving.peers NAME PORT MODEL`.

`echo` and `validate` compute nothing: they are what the server and the checking of the body cost alone.
`lightgbm` gives the probability and LightGBM's own exact contributions, from features by our kernel, which
spares it the part that others are slow at. `mlflow` gets a finished feature row, so it computes no features.
"""

import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import lightgbm
import msgspec
import numpy as np
import uvicorn
from fastapi import FastAPI, Request, Response
from pydantic import BaseModel, ConfigDict

from experiments.benchmarks.serving.workspace import AS_OF
from features.definitions import FeatureSet
from features.online import OnlineFeatures
from features.times import EPOCH, MICROSECOND


class Activity(BaseModel):
    """Something a lead did."""

    activity_id: str
    occurred_at: datetime
    kind: str
    asset: str | None = None
    channel: str | None = None


class Lead(BaseModel):
    """A lead: id, creation and any attributes."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, str | float | bool | None]

    lead_id: str
    created_at: datetime


class ScoreBody(BaseModel):
    """The body of a score."""

    lead: Lead
    activities: list[Activity]
    as_of: datetime


def echo_app() -> FastAPI:
    """Return the body as it came."""
    app = FastAPI()

    @app.post("/v1/score")
    async def echo(request: Request) -> Response:
        return Response(await request.body(), media_type="application/json")

    return app


def validate_app() -> FastAPI:
    """Check the body with pydantic, and answer in one word."""
    app = FastAPI()

    @app.post("/v1/score")
    async def validate(body: ScoreBody) -> dict[str, str]:
        return {"lead_id": body.lead.lead_id}

    return app


def lightgbm_app(model: Path) -> FastAPI:
    """Score with LightGBM, contributions included."""
    app = FastAPI()
    chosen = FeatureSet.from_dict(msgspec.json.decode((model / "features.json").read_bytes()))
    online, booster = OnlineFeatures(chosen), lightgbm.Booster(model_file=str(model / "model.txt"))
    as_of_us = (AS_OF - EPOCH) // MICROSECOND

    @app.post("/v1/score")
    async def score(request: Request) -> Response:
        body: dict[str, Any] = msgspec.json.decode(await request.body())
        row = online.row(body["lead"], body["activities"], as_of_us).values[np.newaxis]
        shares = np.asarray(booster.predict(row, pred_contrib=True, num_threads=1))[0]
        margin = float(shares.sum())
        answer = {"probability": float(1.0 / (1.0 + np.exp(-margin))), "contributions": shares.tolist()}
        return Response(msgspec.json.encode(answer), media_type="application/json")

    return app


def main(arguments: list[str]) -> None:
    """Serve one peer until it is stopped."""
    name, port, model = arguments
    apps: dict[str, Callable[[], FastAPI]] = {
        "echo": echo_app,
        "validate": validate_app,
        "lightgbm": lambda: lightgbm_app(Path(model)),
    }
    uvicorn.run(apps[name](), port=int(port), access_log=False, log_level="warning", server_header=False)


if __name__ == "__main__":
    main(sys.argv[1:])
