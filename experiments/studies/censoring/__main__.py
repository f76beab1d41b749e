"""`python -m experiments.studies.censoring --regime all --seeds 20 --out FILE`."""

import json
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from experiments.studies.censoring.measure import (
    Found,
    measure,
    measure_hazard,
    measure_recipe,
    prepare,
    summarise,
)
from experiments.studies.censoring.methods import MAIN, METHODS
from experiments.studies.censoring.regimes import REGIMES, Regime, draw_case

ALL, HAZARD, RECIPE = "all", "hazard_trees", "recipe"


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What to measure on every seed of a regime, and where results of seeds are kept."""

    regime: str
    names: tuple[str, ...]
    cache: Path | None

    def look_at(self, seed: int) -> dict[str, Any]:
        """Return the facts of one seed and what each method found; what is kept is not done again."""
        file = None if self.cache is None else self.cache / f"{self.regime}-{seed}.json"
        look: dict[str, Any] = {"methods": {}}
        if file is not None and file.is_file():
            look = json.loads(file.read_text(encoding="utf-8"))
        missing = tuple(name for name in self.names if name not in look["methods"])
        if missing:
            facts, found = _measure(REGIMES[self.regime], seed, missing)
            look = {**facts, "methods": {**look["methods"], **found}}
        if file is not None and missing:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(look), encoding="utf-8")
        return look


def _measure(
    regime: Regime, seed: int, names: tuple[str, ...]
) -> tuple[dict[str, float], dict[str, dict[str, Any]]]:
    """Draw one case and measure the named methods on it."""
    case = draw_case(regime, seed)
    prepared = prepare(case, seed)
    special = {HAZARD: lambda: measure_hazard(prepared), RECIPE: lambda: measure_recipe(case, seed)}
    found = {name: special[name]() if name in special else measure(prepared, METHODS[name]) for name in names}
    facts = {"open_share": case.open_share, "true_rate": float(case.open_won.mean())}
    return facts, {name: asdict(each) for name, each in found.items()}


def study(task: Task, *, seeds: int, workers: int) -> dict[str, Any]:
    """Return the facts of one regime and a summary per method, over the seeds 0 to seeds - 1."""
    if workers == 1:
        looks = [task.look_at(seed) for seed in range(seeds)]
    else:
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            looks = list(pool.map(task.look_at, range(seeds)))
    facts = {
        name: round(float(np.mean([look[name] for look in looks])), 4) for name in ("open_share", "true_rate")
    }
    methods = {name: summarise([Found(**look["methods"][name]) for look in looks]) for name in task.names}
    return {"what": REGIMES[task.regime].what, **facts, "methods": methods}


def main(
    regime: Annotated[str, typer.Option(help=f"{', '.join(REGIMES)} or {ALL}.")] = ALL,
    seeds: Annotated[int, typer.Option(min=1)] = 20,
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = 1,
    cache: Annotated[Path | None, typer.Option(help="A folder that keeps every seed's results.")] = None,
    out: Annotated[Path | None, typer.Option(help="The JSON file; regimes it already has are kept.")] = None,
    *,
    every: Annotated[
        bool, typer.Option("--every-method", help="Also those that take the error apart.")
    ] = False,
) -> None:
    """Compare mean predictions of open leads with the truth, for several ways to label what is not over."""
    if regime not in (*REGIMES, ALL):
        raise typer.BadParameter(f"regime must be one of {', '.join(REGIMES)} or {ALL}; got {regime!r}")
    names = (*METHODS, HAZARD, RECIPE) if every else (*MAIN, RECIPE)
    for name in REGIMES if regime == ALL else (regime,):
        start = time.perf_counter()
        result = study(Task(regime=name, names=names, cache=cache), seeds=seeds, workers=workers)
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
