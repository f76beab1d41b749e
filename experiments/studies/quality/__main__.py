"""`python -m experiments.studies.quality --data FOLDER`: every model on every task, results as JSON, a table.

Results of earlier runs in the same file stay unless they are measured again, so that peers with a Python of
their own can be added later.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from platform import python_version

from experiments.studies.quality.external import External
from experiments.studies.quality.judge import Result, measure, verdict
from experiments.studies.quality.peers import PEERS, Peer
from experiments.studies.quality.tasks import load_tasks

RESULTS = Path(__file__).parent / "results" / "quality.json"
LIBRARIES = ("lightgbm", "scikit-learn", "numpy", "pandas")
SECONDS = 300.0
ROLLING = "bank_rolling"
"""Twenty fits: peers that use all their time are not run on it, as they were not when the tasks were set."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, write, show."""
    options = _parser().parse_args(arguments)
    peers = _peers(options)
    results = _read(options.out)
    for task in load_tasks(options.data, options.tasks):
        for name, peer in peers.items():
            if task.name == ROLLING and name not in ("leadpact", "prior", "logreg", "odoo"):
                continue
            found = measure(task, name, peer, seconds=options.seconds)
            results = [each for each in results if (each.task, each.model) != (task.name, name)] + [found]
            print(_line(found), file=sys.stderr, flush=True)  # noqa: T201 - progress of a long study
            _write(options.out, results)
    print(json.dumps(verdict(results), indent=2))  # noqa: T201 - the answer
    print(table(results))  # noqa: T201 - the answer


def table(results: Sequence[Result]) -> str:
    """Return log loss and AUC of every model on every task as Markdown, and the mean skill."""
    tasks = list(dict.fromkeys(each.task for each in results))
    lines = [f"| log loss · AUC | {' | '.join(tasks)} | mean skill |", "|---" * (len(tasks) + 2) + "|"]
    for model in dict.fromkeys(each.model for each in results):
        own = {each.task: each for each in results if each.model == model}
        cells = [f"{own[task].log_loss:.4f} · {own[task].auc:.3f}" if task in own else "–" for task in tasks]
        mean = sum(each.skill for each in own.values()) / len(own)
        partly = "" if len(own) == len(tasks) else f" ({len(own)} tasks)"
        lines.append(f"| {model} | {' | '.join(cells)} | {mean:.3f}{partly} |")
    return "\n".join(lines)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m experiments.studies.quality", description=__doc__)
    parser.add_argument(
        "--data", type=Path, required=True, help="the folder that holds tasks.py and the data"
    )
    parser.add_argument("--tasks", nargs="*", default=[], help="which tasks; default: all")
    parser.add_argument("--models", nargs="*", default=list(PEERS), help=f"among {', '.join(PEERS)}")
    parser.add_argument("--flaml-python", type=Path, help="a Python that has FLAML and pyarrow")
    parser.add_argument("--autogluon-python", type=Path, help="a Python that has AutoGluon and pyarrow")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="most seconds of a peer's search")
    parser.add_argument("--out", type=Path, default=RESULTS, help="where results are kept")
    return parser


def _peers(options: argparse.Namespace) -> dict[str, Peer]:
    outside = {"flaml": options.flaml_python, "autogluon": options.autogluon_python}
    external: dict[str, Peer] = {name: External(name, python) for name, python in outside.items() if python}
    return {name: PEERS[name] for name in options.models} | external


def _read(path: Path) -> list[Result]:
    if not path.is_file():
        return []
    return [Result(**each) for each in json.loads(path.read_text(encoding="utf-8"))["results"]]


def _write(path: Path, results: Sequence[Result]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    versions = {"python": python_version(), **{name: version(name) for name in LIBRARIES}}
    ordered = sorted(results, key=lambda each: (each.task, each.model))
    document = {
        "versions": versions,
        "verdict": verdict(results),
        "results": [asdict(each) for each in ordered],
    }
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def _line(result: Result) -> str:
    return (
        f"{result.task} {result.model}: log loss {result.log_loss:.4f}, AUC {result.auc:.3f}, "
        f"ECE {result.ece:.4f}, skill {result.skill:.3f}, {result.fit_seconds:.0f} s"
    )


if __name__ == "__main__":
    main()
