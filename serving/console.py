"""What every command of the command line shares: options, progress, JSON. No command logic."""

import json
import os
import pwd
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal

import typer

WorkspaceOption = Annotated[
    Path | None,
    typer.Option(
        "--workspace", "-w", help="The workspace folder; default: LEADPACT_WORKSPACE, else ./workspace."
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")]
LINES_OF_PROGRESS = 10

EngineOption = Annotated[
    Literal["local", "spark"],
    typer.Option(help="Where it runs: on this machine, or on Spark; then OUT is a new folder of Parquet."),
]


def command_app(about: str | None = None) -> typer.Typer:
    """Return the Typer application of one command, or with `about` of a group of commands.

    Help texts are plain, so that no bracket in them is taken for markup; errors are shown by `serving.cli`.
    """
    return typer.Typer(
        help=about,
        no_args_is_help=about is not None,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )


def print_json(value: Mapping[str, object] | list[object]) -> None:
    """Print one JSON document on standard output, and nothing else."""
    print(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def say(text: str) -> None:
    """Print one line for people on standard error, so that standard output stays data."""
    print(text, file=sys.stderr, flush=True)


def show(text: str) -> None:
    """Print an answer for people on standard output."""
    print(text, flush=True)


def system_user() -> str:
    """Return who runs this command, as the machine knows it: for acts that ask for no name."""
    number = os.getuid()
    try:
        return f"command line, user {pwd.getpwuid(number).pw_name}"
    except KeyError:
        return f"command line, user {number}"


@contextmanager
def step(title: str) -> Iterator[None]:
    """Show that a step is running: a spinner on a terminal, a plain line elsewhere."""
    if not sys.stderr.isatty():
        say(f"{title} …")
        yield
        return
    from rich.console import Console

    console = Console(stderr=True)
    with console.status(f"{title} …"):
        yield
    console.print(f"[green]✓[/green] {title}")


@contextmanager
def progress_of(total: int, title: str, what: str) -> Iterator[Callable[[int], None]]:
    """Show a bar on a terminal, a plain line for each tenth elsewhere; gives the function to advance it."""
    if not sys.stderr.isatty():
        yield _plain_progress(total, title, what)
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True)) as bar:
        task = bar.add_task(title, total=total)
        yield lambda done: bar.advance(task, done)


def _plain_progress(total: int, title: str, what: str) -> Callable[[int], None]:
    done = 0

    def advance(more: int) -> None:
        nonlocal done
        before, done = done, done + more
        if done * LINES_OF_PROGRESS // max(total, 1) > before * LINES_OF_PROGRESS // max(total, 1):
            say(f"  {title}: {done:,} of {total:,} {what}")

    return advance
