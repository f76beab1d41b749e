"""`leadpact score`: batch scores of the history, a folder or a file of leads, equal to the service's."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from serving.console import JsonOption, WorkspaceOption, command_app, print_json, say, step

if TYPE_CHECKING:
    from serving.batch_input import BatchInput

app = command_app()

LINES_OF_PROGRESS = 10
MOST_SHOWN_PROBLEMS = 20


@app.command()
def score(
    source: Annotated[str, typer.Argument(metavar="IN", help="A folder, a file of leads, or: history.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The scores: .parquet or .csv.")],
    as_of: Annotated[
        str | None, typer.Option(help="Score as of this time (ISO 8601 with zone) [now].")
    ] = None,
    lang: Annotated[Literal["en", "de"], typer.Option(help="Language of the texts.")] = "en",
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Score leads in bulk, one row per lead, with the numbers of the service."""
    from serving import clock
    from serving.batch import plan_batch, score_blocks
    from serving.batch_input import read_batch
    from serving.batch_output import open_output
    from serving.scorer_loading import load_scorer
    from serving.settings import read_settings

    settings, now = read_settings(workspace), clock.now()
    instant = now if as_of is None else read_instant(as_of)
    scorer = load_scorer(settings, now=now)
    with step(f"Reading {source}"):
        leads = read_batch(source, settings.workspace, timezone=scorer.model.feature_set.timezone)
    plan = plan_batch(scorer, leads.tables, as_of=instant, lang=lang)
    report_input(leads, plan.notes)
    with open_output(out) as write, _progress(len(plan.lead_index)) as advance:
        for answers in score_blocks(scorer, plan):
            write(answers)
            advance(len(answers))
    result = {
        "scored": len(plan.lead_index),
        "created_after_as_of": plan.left_out,
        "as_of": instant.isoformat(),
        "out": str(out),
        "model_version": scorer.model_version,
        "policy_version": scorer.policy_version,
        "notes": list(plan.notes),
        "problems": [problem.to_dict() for problem in leads.problems],
        "rejects_file": None if leads.rejects_file is None else str(leads.rejects_file),
    }
    _tell(result, as_json=json)


def read_instant(text: str) -> datetime:
    """Return the instant of an option in UTC; InputError names the rule."""
    from features.errors import InputError

    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise InputError(
            f"--as-of must be an ISO 8601 time such as 2026-11-23T09:00:00Z; got {text!r}"
        ) from None
    if instant.tzinfo is None:
        raise InputError(f"--as-of must carry a time zone, such as {text}Z; got {text!r}")
    return instant.astimezone(UTC)


def report_input(leads: "BatchInput", notes: tuple[str, ...]) -> None:
    """Say what was wrong with the input and what of it the model does not use."""
    for problem in leads.problems[:MOST_SHOWN_PROBLEMS]:
        say(f"  {problem.text()}")
    if len(leads.problems) > MOST_SHOWN_PROBLEMS:
        say(f"  … and {len(leads.problems) - MOST_SHOWN_PROBLEMS} more problems")
    if leads.rejects_file is not None:
        say(f"  rows that break a rule were set aside in {leads.rejects_file}")
    for note in notes:
        say(f"  {note}")


def _tell(result: dict[str, object], *, as_json: bool) -> None:
    if as_json:
        print_json(result)
        return
    left_out = result["created_after_as_of"]
    more = f"; {left_out} did not exist yet and were left out" if left_out else ""
    say(f"Scored {result['scored']:,} leads as of {result['as_of']} into {result['out']}{more}")


@contextmanager
def _progress(total: int) -> Iterator[Callable[[int], None]]:
    """Show a bar on a terminal, a plain line for each tenth elsewhere."""
    import sys

    if not sys.stderr.isatty():
        yield _plain_progress(total)
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True)) as bar:
        task = bar.add_task("Scoring", total=total)
        yield lambda done: bar.advance(task, done)


def _plain_progress(total: int) -> Callable[[int], None]:
    done = 0

    def advance(more: int) -> None:
        nonlocal done
        before, done = done, done + more
        if done * LINES_OF_PROGRESS // max(total, 1) > before * LINES_OF_PROGRESS // max(total, 1):
            say(f"  scored {done:,} of {total:,}")

    return advance
