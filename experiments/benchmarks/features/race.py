"""One size: data, one round to warm up and compare, then rounds in which the engines take turns."""

import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from experiments.benchmarks.features.chosen import chosen_features
from experiments.benchmarks.features.sizes import (
    FEAST,
    LEADPACT,
    SMALL_LEADS,
    SMALL_POINTS,
    Entrant,
    Size,
    Target,
)
from experiments.benchmarks.features.task import SEED, Form, Task, Work
from experiments.benchmarks.measure import Usage, run_measured, run_quietly, summary

PACKAGE = "experiments.benchmarks.features"
FEAST_SCRIPT = Path(__file__).with_name("peer_feast.py")
Say = Callable[[str], None]
FILES = {
    Form.HISTORY: "the history's files",
    Form.WIDE: "a copy in wide row groups",
    Form.PREPARED: "a copy prepared for it",
}


def shrunk(size: Size) -> Size:
    """Return the smoke form of a size: the same engines on little data, one round."""
    entrants = tuple(replace(each, n_leads=each.n_leads and SMALL_LEADS // 2) for each in size.entrants)
    n_points = min(size.n_points, SMALL_POINTS)
    return replace(size, n_leads=SMALL_LEADS, n_points=n_points, rounds=1, entrants=entrants)


def race(size: Size, cache: Path, feast_python: Path | None, say: Say) -> dict[str, Any]:
    """Measure one size and return its figures; RuntimeError when two engines disagree."""
    entrants = [each for each in size.entrants if _is_there(each, feast_python)]
    for absent in [each.name for each in size.entrants if each not in entrants]:
        say(f"{absent} is not installed and left out")
    _prepare(size, entrants, cache)
    usages: dict[str, list[Usage]] = {each.name: [] for each in entrants}
    with tempfile.TemporaryDirectory(dir=cache) as out:
        tasks = {each.name: _task(size, each, cache, Path(out)) for each in entrants}
        for entrant in entrants:
            usage = _run(entrant, tasks[entrant.name], feast_python)
            say(f"warm-up {entrant.name}: {usage.wall_s} s")
            if not entrant.n_leads and entrant is not entrants[0]:
                _compare(tasks[entrants[0].name], tasks[entrant.name])
        for number in range(size.rounds):
            for entrant in entrants:
                usage = _run(entrant, tasks[entrant.name], feast_python)
                usages[entrant.name].append(usage)
                say(f"round {number + 1} {entrant.name}: {usage.wall_s} s, {usage.peak_mb} MB")
    figures = _figures(size, entrants, usages)
    if any(each.engine == FEAST for each in entrants):
        version = "import feast; print(feast.__version__)"
        figures["feast"] = run_quietly([str(feast_python), "-W", "ignore", "-c", version]).strip()
    return figures


def _is_there(entrant: Entrant, feast_python: Path | None) -> bool:
    if entrant.engine == FEAST:
        return feast_python is not None
    return entrant.engine == LEADPACT.engine or find_spec(entrant.engine) is not None


def _prepare(size: Size, entrants: Sequence[Entrant], cache: Path) -> None:
    for n_leads in {each.n_leads or size.n_leads for each in entrants}:
        folder = str(_folder(cache, n_leads))
        run_quietly([sys.executable, "-m", f"{PACKAGE}.data", folder, str(n_leads), str(size.n_points)])
    if any(each.engine == FEAST for each in entrants):
        run_quietly([sys.executable, "-m", f"{PACKAGE}.precompute", str(_folder(cache, size.n_leads))])


def _folder(cache: Path, n_leads: int) -> Path:
    return cache / f"leads-{n_leads}"


def _task(size: Size, entrant: Entrant, cache: Path, out: Path) -> Task:
    return Task(
        work=size.work,
        folder=_folder(cache, entrant.n_leads or size.n_leads),
        out=out / entrant.name,
        form=entrant.form,
        parts=entrant.parts,
    )


def _run(entrant: Entrant, task: Task, feast_python: Path | None) -> Usage:
    task.out.mkdir(exist_ok=True)
    if entrant.engine == FEAST:
        with tempfile.TemporaryDirectory(dir=task.out.parent) as registry:
            files = (task.precomputed, task.snapshots, task.out)
            store = (str(entrant.store), registry, *map(str, files))
            return run_measured([str(feast_python), str(FEAST_SCRIPT), *store])
    options = ("--parts", str(task.parts), "--form", task.form)
    given = (entrant.engine, task.work, str(task.folder), str(task.out))
    return run_measured([sys.executable, "-m", f"{PACKAGE}.run", *given, *options])


def _compare(expected: Task, found: Task) -> None:
    """Refuse to measure an engine that computes something else."""
    module = f"{PACKAGE}.equality"
    given = [sys.executable, "-m", module, str(expected.out), str(found.out), *expected.keys]
    if differences := run_quietly(given):
        raise RuntimeError(f"{found.out.name} disagrees with {expected.out.name}:\n{differences}")


def _figures(size: Size, entrants: Sequence[Entrant], usages: Mapping[str, list[Usage]]) -> dict[str, Any]:
    rows = {"leads": size.n_leads} if size.work is Work.BATCH else {"snapshots": size.n_points}
    per = next(iter(rows.values()))
    engines = {}
    for entrant in entrants:
        figures = summary(usages[entrant.name])
        count = entrant.n_leads or per
        engines[entrant.name] = {
            **figures,
            "rows_per_s": round(count / figures["wall_s"]["median"]),
            "cores_used": round(figures["cpu_s"]["median"] / figures["wall_s"]["median"], 2),
            "equals_leadpact": True if not entrant.n_leads else None,
            "entrant": asdict(entrant),
            "rounds": [asdict(usage) for usage in usages[entrant.name]],
        }
    return {
        "parameters": {
            **rows,
            "leads": size.n_leads,
            "features": len(chosen_features().features),
            "rounds": size.rounds,
            "seed": SEED,
        },
        "engines": engines,
        "targets": _targets(size.target, entrants, engines) if size.target else [],
        "note": size.note,
    }


def _targets(target: Target, entrants: Sequence[Entrant], engines: Mapping[str, Any]) -> list[dict[str, Any]]:
    ours = engines["leadpact"]
    found = []
    for form, files in FILES.items():
        rivals = [each.name for each in entrants if each.engine != "leadpact" and each.form is form]
        if rivals:
            best = min(rivals, key=lambda name: engines[name][target.clock]["median"])
            ratio = engines[best][target.clock]["median"] / ours[target.clock]["median"]
            what = f"times as fast as the best rival on {files} ({best}), {target.clock}"
            # the copies are more than was asked for: reported, with the same bound
            found.append(_target(what, ratio, target.least, is_least=True))
    if target.most_mb is not None:
        found.append(_target("peak memory, MB", ours["peak_mb"]["max"], target.most_mb, is_least=False))
    if target.most_times is not None:
        times = ours[target.clock]["median"] / engines["leadpact_20m"][target.clock]["median"]
        found.append(_target("times the time of 20 M activities", times, target.most_times, is_least=False))
    return found


def _target(what: str, value: float, bound: float, *, is_least: bool) -> dict[str, Any]:
    is_reached = value >= bound if is_least else value <= bound
    side = "least" if is_least else "most"
    return {"what": what, side: bound, "measured": round(value, 2), "is_reached": is_reached}
