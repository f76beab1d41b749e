"""`python -m experiments.benchmarks.features --size 20m|100m|training|online|all --cache DIR --out FILE`."""

import json
import sys
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer

from experiments.benchmarks.features.race import PACKAGE, race, shrunk
from experiments.benchmarks.features.sizes import SIZES
from experiments.benchmarks.measure import machine_facts, run_quietly

ONLINE, ALL = "online", "all"
LIBRARIES = ("numpy", "numba", "pyarrow", "duckdb", "polars", "pandas")
ONLINE_MOST_US = 60.0


def main(
    size: Annotated[str, typer.Option(help="20m, 100m, training, online, feast or all.")] = ALL,
    cache: Annotated[
        Path | None, typer.Option(help="Where data is kept [default: a folder that goes].")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The JSON file; sizes it already has are kept.")] = None,
    feast_python: Annotated[Path | None, typer.Option(help="The Python that has Feast.")] = None,
    *,
    small: Annotated[bool, typer.Option("--small", help="Little data, one round: do all agree?")] = False,
) -> None:
    """Measure LeadPact's features beside its peers; exits with 1 when two engines disagree."""
    known = (*SIZES, ONLINE)
    if size not in (*known, ALL):
        raise typer.BadParameter(f"size must be one of {', '.join(known)} or all; got {size!r}")
    wanted = known if size == ALL else (size,)
    with tempfile.TemporaryDirectory() as temporary:
        folder = cache or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for name in wanted:
            figures = _measure(name, folder, feast_python, is_small=small)
            for target in figures.get("targets", []) if not small else []:
                typer.echo(f"{name}: {json.dumps(target)}")
            if out is not None:
                _add(out, name, figures)


def _measure(name: str, cache: Path, feast_python: Path | None, *, is_small: bool) -> dict[str, Any]:
    if name == ONLINE:
        return _online(is_small=is_small)
    size = shrunk(SIZES[name]) if is_small else SIZES[name]
    return race(size, cache, feast_python, lambda line: typer.echo(f"{name}: {line}"))


def _online(*, is_small: bool) -> dict[str, Any]:
    options = ["--rounds", "1", "--requests", "3"] if is_small else []
    engines = json.loads(run_quietly([sys.executable, "-m", f"{PACKAGE}.online", *options]))
    if wrong := {name: found["differs"] for name, found in engines.items() if found["differs"]}:
        raise RuntimeError(f"engines disagree with LeadPact: {wrong}")
    measured = engines["leadpact"]["median_us"]
    target = {
        "what": "median of one lead with 50 activities, microseconds",
        "most": ONLINE_MOST_US,
        "measured": measured,
        "is_reached": measured < ONLINE_MOST_US,
    }
    return {"engines": engines, "targets": [target]}


def _add(out: Path, name: str, figures: dict[str, Any]) -> None:
    results: dict[str, Any] = {"benchmark": "features", "sizes": {}}
    if out.is_file():
        results = json.loads(out.read_text(encoding="utf-8"))
    results["sizes"][name] = {"machine": machine_facts(LIBRARIES), **figures}
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
