"""`python -m experiments.studies.censoring --regime all --seeds 20 --out FILE`."""

import json
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from experiments.studies.censoring.measure import Found, measure, measure_hazard, prepare, summarise
from experiments.studies.censoring.methods import MAIN, METHODS
from experiments.studies.censoring.regimes import REGIMES, draw_case

ALL, HAZARD = "all", "hazard_trees"


def look_at(seed: int, regime: str, names: tuple[str, ...]) -> tuple[dict[str, float], dict[str, Found]]:
    """Draw one case and measure the named methods on it."""
    case = draw_case(REGIMES[regime], seed)
    prepared = prepare(case, seed)
    results = {name: measure(prepared, METHODS[name]) for name in names if name in METHODS}
    if HAZARD in names:
        results[HAZARD] = measure_hazard(prepared)
    return {"open_share": case.open_share, "true_rate": float(case.open_won.mean())}, results


def study(regime: str, names: tuple[str, ...], seeds: int, workers: int) -> dict[str, Any]:
    """Return the facts of one regime and a summary per method, over the seeds 0 to seeds - 1."""
    task = partial(look_at, regime=regime, names=names)
    if workers == 1:
        looks = [task(seed) for seed in range(seeds)]
    else:
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            looks = list(pool.map(task, range(seeds)))
    facts = {name: round(float(np.mean([look[0][name] for look in looks])), 4) for name in looks[0][0]}
    methods = {name: summarise([look[1][name] for look in looks]) for name in looks[0][1]}
    return {"what": REGIMES[regime].what, **facts, "methods": methods}


def main(
    regime: Annotated[str, typer.Option(help=f"{', '.join(REGIMES)} or {ALL}.")] = ALL,
    seeds: Annotated[int, typer.Option(min=1)] = 20,
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = 1,
    out: Annotated[Path | None, typer.Option(help="The JSON file; regimes it already has are kept.")] = None,
    *,
    every: Annotated[
        bool, typer.Option("--every-method", help="Also those that take the error apart.")
    ] = False,
) -> None:
    """Compare mean predictions of open leads with the truth, for several ways to label what is not over."""
    if regime not in (*REGIMES, ALL):
        raise typer.BadParameter(f"regime must be one of {', '.join(REGIMES)} or {ALL}; got {regime!r}")
    names = (*METHODS, HAZARD) if every else (*MAIN, HAZARD)
    for name in REGIMES if regime == ALL else (regime,):
        start = time.perf_counter()
        result = study(name, names, seeds, workers)
        for method, summary in result["methods"].items():
            typer.echo(f"{name:20s} {method:18s} {json.dumps(summary)}")
        typer.echo(f"{name}: {time.perf_counter() - start:.0f} s")
        if out is not None:
            _add(out, name, result)


def _add(out: Path, name: str, result: dict[str, Any]) -> None:
    results: dict[str, Any] = {"study": "censoring", "regimes": {}}
    if out.is_file():
        results = json.loads(out.read_text(encoding="utf-8"))
    results["regimes"][name] = result
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
