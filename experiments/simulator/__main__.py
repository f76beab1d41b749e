"""`python -m experiments.simulator OUT --leads 8000 --months 18 --until 2026-11-23T00:00:00Z --seed 7`."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from experiments.simulator.simulate import simulate


def _aware(text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(
            f"must be an ISO 8601 time such as 2026-11-23T00:00:00Z; got {text!r}"
        ) from None
    if instant.utcoffset() is None:
        raise typer.BadParameter(f"must name its zone, such as 2026-11-23T00:00:00Z; got {text!r}")
    return instant


def main(
    out: Annotated[Path, typer.Argument(help="The folder of the export.")],
    until: Annotated[
        datetime, typer.Option(parser=_aware, metavar="TIME", help="The export's last instant.")
    ],
    leads: Annotated[int, typer.Option(min=1, max=1_000_000)] = 8000,
    months: Annotated[int, typer.Option(min=1, max=120)] = 18,
    seed: Annotated[int, typer.Option(min=0)] = 7,
    truth: Annotated[
        Path | None, typer.Option(help="The file of true probabilities [default: OUT/../truth/truth.csv].")
    ] = None,
) -> None:
    """Simulate a CRM with known truth and write it as an export in canonical form."""
    world = simulate(leads=leads, months=months, until=until, seed=seed)
    rows = world.write(out, truth or out.absolute().parent / "truth" / "truth.csv")
    typer.echo(", ".join(f"{count:,} {name}" for name, count in rows.items()))


if __name__ == "__main__":
    typer.run(main)
