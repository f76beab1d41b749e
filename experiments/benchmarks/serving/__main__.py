"""`python -m experiments.benchmarks.serving [--seconds N] [--rounds N] [--only NAME …] [--out FILE]`.

Every server is one process with one worker on loopback; the rounds take turns, A B C, A B C, so that whatever
else the machine does hits all of them. Ratios are those of the medians within this run.
"""

import argparse
import json
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from experiments.benchmarks.measure import machine_facts
from experiments.benchmarks.serving.load import Load, run_wrk
from experiments.benchmarks.serving.servers import Server, running, save_mlflow_model
from experiments.benchmarks.serving.workspace import (
    N_ACTIVITIES,
    N_ATTRIBUTES,
    N_FEATURES,
    N_LEAVES,
    N_TREES,
    Place,
    prepare,
)

NAMES = ("leadpact", "echo", "validate", "lightgbm", "mlflow")
LIBRARIES = ("fastapi", "uvicorn", "pydantic", "msgspec", "numba", "lightgbm", "mlflow")
CONCURRENCY = 32
WARM_UP_SECONDS = 1


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and write the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=4, help="seconds of load per server and round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="*", choices=NAMES, default=list(NAMES))
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        place = prepare(Path(folder))
        if "mlflow" in asked.only:
            save_mlflow_model(place)
        figures = measure(place, tuple(asked.only), seconds=asked.seconds, rounds=asked.rounds)
    text = json.dumps(figures, indent=2)
    sys.stdout.write(text + "\n")
    if asked.out is not None:
        asked.out.write_text(text + "\n", encoding="utf-8")


def measure(place: Place, names: tuple[str, ...], *, seconds: int, rounds: int) -> dict[str, Any]:
    """Return the figures of every server and the ratios between them."""
    with running(place, names) as servers:
        found: dict[str, list[dict[str, float]]] = {server.name: [] for server in servers}
        for server in servers:
            _load(place, server, WARM_UP_SECONDS)
        for _ in range(rounds):
            for server in servers:
                found[server.name].append(_measured(place, server, seconds))
        figures = {server.name: _figures(server, found[server.name]) for server in servers}
    return {
        "machine": machine_facts(LIBRARIES),
        "model": {"trees": N_TREES, "leaves": N_LEAVES, "features": N_FEATURES},
        "request": {"attributes": N_ATTRIBUTES, "activities": N_ACTIVITIES},
        "load": {"tool": "wrk", "concurrency": CONCURRENCY, "seconds": seconds, "rounds": rounds},
        "servers": figures,
        "ratios": ratios(figures),
    }


def ratios(figures: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    """Return how often the service answers for each answer of a peer, its cost and its p99 beside theirs."""
    own = figures.get("leadpact")
    if own is None:
        return {}
    peers = {name: one for name, one in figures.items() if name != "leadpact"}
    found = {f"per_second_to_{name}": own["per_second"] / one["per_second"] for name, one in peers.items()}
    found |= {f"cpu_ms_to_{name}": own["cpu_ms"] / one["cpu_ms"] for name, one in peers.items()}
    if "validate" in figures:
        found["p99_to_validate"] = own["p99_ms"] / figures["validate"]["p99_ms"]
    return {name: round(value, 3) for name, value in found.items()}


def _measured(place: Place, server: Server, seconds: int) -> dict[str, float]:
    before = server.cpu_s()
    load = _load(place, server, seconds)
    cpu_ms = (server.cpu_s() - before) / load.requests * 1e3
    return {"per_second": load.per_second, "p50_ms": load.p50_ms, "p99_ms": load.p99_ms, "cpu_ms": cpu_ms}


def _load(place: Place, server: Server, seconds: int) -> Load:
    return run_wrk(server.url, server.body, key=place.key, concurrency=CONCURRENCY, seconds=seconds)


def _figures(server: Server, rounds: Sequence[Mapping[str, float]]) -> dict[str, Any]:
    """Return the median of each figure, with the least and most of requests per second."""
    median = {name: round(statistics.median(one[name] for one in rounds), 3) for name in rounds[0]}
    each = [round(one["per_second"], 1) for one in rounds]
    return {
        **median,
        "per_second_each": each,
        "memory_mb": round(server.memory_mb(), 1),
        "started_s": round(server.started_s, 2),
    }


if __name__ == "__main__":
    main()
