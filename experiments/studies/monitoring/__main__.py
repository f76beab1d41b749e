"""`python -m experiments.studies.monitoring`: 50 seeds, one line per case, the answer as JSON.

Seeds that the file already holds are not run again: the study can be cut into pieces.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from experiments.studies.monitoring.trial import LEADS, Seen, run_seed

FIRST_SEED = 100
"""Seeds below were looked at while the rules were made; see the README."""

RESULTS = Path(__file__).with_name("results.json")


def summarise(seeds: Mapping[str, Sequence[Seen]]) -> dict[str, dict[str, Any]]:
    """Return per case how many looks said something, how many warned, and which codes were heard."""
    looks = [seen for said in seeds.values() for seen in said]
    return {case: _summary([seen for seen in looks if seen.case == case]) for case in _cases(looks)}


def _cases(looks: Sequence[Seen]) -> list[str]:
    return list(dict.fromkeys(seen.case for seen in looks))


def _summary(looks: Sequence[Seen]) -> dict[str, Any]:
    codes = [text.split(":")[0] for seen in looks for text in {*seen.warnings, *seen.notes}]
    return {
        "looks": len(looks),
        "with_a_finding": sum(bool(seen.warnings or seen.notes) for seen in looks),
        "with_a_warning": sum(bool(seen.warnings) for seen in looks),
        "findings_by_code": {code: codes.count(code) for code in sorted(set(codes))},
    }


def main(
    seeds: Annotated[int, typer.Option(min=1)] = 50,
    first: Annotated[int, typer.Option(min=0)] = FIRST_SEED,
    leads: Annotated[int, typer.Option(min=2000)] = LEADS,
    out: Annotated[Path, typer.Option(help="The answer; read first, if it is there.")] = RESULTS,
) -> None:
    """Run what is missing and write the answer after each seed."""
    known = json.loads(out.read_text(encoding="utf-8"))["seeds"] if out.is_file() else {}
    said = {seed: [read_seen(row) for row in rows] for seed, rows in known.items()}
    for seed in range(first, first + seeds):
        if str(seed) not in said:
            said[str(seed)] = list(run_seed(seed, leads=leads))
            out.write_text(_text(said, leads), encoding="utf-8")
            typer.echo(f"seed {seed}: {sum(bool(seen.warnings) for seen in said[str(seed)])} looks warned")
    for case, summary in summarise(said).items():
        typer.echo(f"{case}: {summary['with_a_finding']} of {summary['looks']} looks said something")


def _text(said: Mapping[str, Sequence[Seen]], leads: int) -> str:
    rows = {
        seed: [[seen.case, seen.days_ago, list(seen.warnings), list(seen.notes)] for seen in looks]
        for seed, looks in said.items()
    }
    lines = ",\n".join(f'  "{seed}": {json.dumps(row)}' for seed, row in rows.items())
    summary = json.dumps(summarise(said), indent=1)
    return f'{{"leads": {leads},\n"summary": {summary},\n"seeds": {{\n{lines}\n}}}}\n'


def read_seen(row: Sequence[Any]) -> Seen:
    """Read one look of the answer."""
    case, days_ago, warnings, notes = row
    return Seen(case=case, days_ago=days_ago, warnings=tuple(warnings), notes=tuple(notes))


if __name__ == "__main__":
    typer.run(main)
