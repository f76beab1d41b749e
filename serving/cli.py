"""The one command `leadpact`: a table of names, each loaded only when called.

Decides which command runs and how an error leaves the process. `leadpact --help` imports no command,
so it answers at once, and `leadpact serve` never loads the trainer.
"""

import importlib
import sys
from dataclasses import dataclass
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from features.errors import InputError, LeadPactError
from serving.errors import ServiceNotReadyError
from sla.errors import AgreementError, PolicyProblems


@dataclass(frozen=True, slots=True)
class CommandEntry:
    """One row of the table: the module below `serving.commands` and the line `--help` shows."""

    module: str
    help: str


COMMANDS = {
    "demo": CommandEntry("demo", "Simulate a CRM, train, promote, sign a first policy, serve."),
    "import": CommandEntry("import_", "Validate an export and add it to the history."),
    "features": CommandEntry("features", "The declared features: list, build a table, look for leaks."),
    "train": CommandEntry("train", "Train a challenger and register it in MLflow."),
    "evaluate": CommandEntry("evaluate", "Champion and challenger on time that neither was trained on."),
    "promote": CommandEntry("promote", "Run the gates; on pass the challenger becomes champion."),
    "monitor": CommandEntry("monitor", "What changed since the champion was trained, with advice."),
    "model": CommandEntry("model", "Model directories: pull, register, bring in another one."),
    "score": CommandEntry("score", "Score a folder, a file of leads, or the history."),
    "score replay": CommandEntry("replay", "Compute a stored score again, bit for bit."),
    "policy": CommandEntry("policy", "The agreement: check, show, propose, sign."),
    "persona": CommandEntry("persona", "Personas: how they cover the leads; a draft from won deals."),
    "goal": CommandEntry("goal", "How the joint goal of both teams stands."),
    "report": CommandEntry("report", "Reports of both teams: funnel, pledges, response, load, goal."),
    "serve": CommandEntry("serve", "Serve scores over HTTP."),
    "worker": CommandEntry("worker", "Clocks, rescoring, messages; `serve` runs it too on SQLite."),
    "webhooks": CommandEntry("webhooks", "Who is told what happens: add, list, test, replay, remove."),
    "retention": CommandEntry("retention", "What is kept too long: count it, or delete it."),
    "leads": CommandEntry("leads", "Leads a new model or policy would take down: list, release."),
    "key": CommandEntry("key", "API keys for the CRM."),
    "audit": CommandEntry("audit", "Who did what; the proof that no entry was changed."),
    "doctor": CommandEntry("doctor", "What is missing or wrong in this workspace, in plain words."),
}

WRONG_INPUT, FAILURE = 2, 1


class LazyGroup(TyperGroup):
    """Lists commands from the table and imports one only to run it.

    Typer does not name the type of its contexts in public, hence `Any`.
    """

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - Typer's signature
        """Name the commands in the order of the table: the order a new user needs them in."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> TyperCommand | None:  # noqa: ARG002 - Typer's signature
        """Return a stand-in that knows name and help only; `resolve_command` loads the real one."""
        entry = COMMANDS.get(cmd_name)
        return None if entry is None else TyperCommand(cmd_name, help=entry.help, rich_markup_mode=None)

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Load the module of the command that was asked for; one of two words goes before one of one."""
        two_words = " ".join(args[:2])
        if two_words != args[0] and two_words in COMMANDS:
            return two_words, load_command(two_words), args[2:]
        name, stand_in, rest = super().resolve_command(ctx, args)
        return name, stand_in if name is None else load_command(name), rest


def load_command(name: str) -> TyperCommand | TyperGroup:
    """Import the module of one command and return what Typer made of its `app`."""
    from serving.settings import refuse_telemetry

    refuse_telemetry()
    module = importlib.import_module(f"serving.commands.{COMMANDS[name].module}")
    command = typer.main.get_command(module.app)
    if not isinstance(command, TyperCommand | TyperGroup):
        raise LeadPactError(f"serving.commands.{COMMANDS[name].module}.app is no Typer application")
    command.name = name
    return command


app = typer.Typer(
    cls=LazyGroup,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@app.callback()
def leadpact(debug: bool = typer.Option(False, "--debug", help="Show the traceback of an error.")) -> None:  # noqa: FBT001, FBT003
    """Calibrated lead scores, and the agreement between marketing and sales that acts on them."""


def describe_error(error: Exception) -> tuple[int, str]:
    """Turn an error into exit code and text: 2 for wrong input with every problem, 1 for a failure."""
    match error:
        case InputError():
            lines = [error.summary, *(f"  {problem.text()}" for problem in error.problems)]
            return WRONG_INPUT, "\n".join(lines)
        case PolicyProblems():
            return WRONG_INPUT, error.text()
        case ServiceNotReadyError():
            return FAILURE, "\n".join(
                ["not ready for this yet", *(f"  {part.text()}" for part in error.missing)]
            )
        case LeadPactError() | AgreementError():
            return FAILURE, str(error)
        case _:
            return FAILURE, f"unexpected {type(error).__name__}: {error} (leadpact --debug … shows where)"


def main(arguments: list[str] | None = None) -> Any:
    """Run the command line; the only place where an error becomes an exit code."""
    given = sys.argv[1:] if arguments is None else arguments
    try:
        app(given)
    except Exception as error:
        if "--debug" in given:
            raise
        code, text = describe_error(error)
        print(f"leadpact: {text}", file=sys.stderr)
        sys.exit(code)
