"""`leadpact policy`: check, show, propose and sign the agreement.

Decides only where the text of a policy comes from; rules, words and signatures are those of `sla` and of
`serving.operations`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from features.errors import InputError
from serving.console import JsonOption, WorkspaceOption, command_app, print_json, say, show
from serving.settings import Settings, read_settings
from sla.stages import Side
from sla.texts import LANGUAGES

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from sla.errors import PolicyProblem
    from sla.policy import Policy

app = command_app("The agreement: check, show, propose, sign.")

NOTHING_TO_SIGN = "there is no policy to sign; run `leadpact policy propose FILE --by NAME` first"
COUNTED = ("personas", "thresholds", "overrides", "disqualifiers", "responses", "content")

FileArgument = Annotated[Path, typer.Argument(help="The policy as TOML.", metavar="FILE")]
PersonOption = Annotated[str, typer.Option("--by", help="The person who does this.")]


@app.command("check")
def check_policy(file: FileArgument, as_json: JsonOption = False) -> None:
    """Report every mistake of a policy file, or that it is sound."""
    from sla.errors import PolicyProblems

    try:
        policy = _read_file(file)
    except PolicyProblems as error:
        if as_json:
            print_json({"ok": False, "problems": [_problem_fields(one) for one in error.problems]})
            raise typer.Exit(2) from error
        raise
    if as_json:
        print_json({"ok": True, "problems": [], **_summary(policy)})
    else:
        counts = ", ".join(f"{name} {len(getattr(policy, name))}" for name in COUNTED)
        show(f"{file} is ok: {policy.name}, version {policy.version} ({counts})")


@app.command("show")
def show_policy(
    file: Annotated[
        Path | None, typer.Argument(help="A policy file [default: the policy in force].", metavar="FILE")
    ] = None,
    lang: Annotated[str, typer.Option("--lang", help="en or de.")] = "en",
    workspace: WorkspaceOption = None,
) -> None:
    """Render a policy in plain English or German, from its rules."""
    from sla.words import render_policy

    if lang not in LANGUAGES:
        raise InputError(f"--lang must be {' or '.join(LANGUAGES)}; got {lang!r}")
    policy = _policy_in_force(read_settings(workspace)) if file is None else _read_file(file)
    show(render_policy(policy, lang).rstrip())


@app.command("propose")
def propose(file: FileArgument, by: PersonOption, workspace: WorkspaceOption = None) -> None:
    """Store a policy as a version that both sides can sign.

    Nobody can change it after that; a change is a new version.
    """
    from serving.clock import now
    from serving.operations.propose_policy import propose_policy

    text = _read_text(file)
    with _database(read_settings(workspace)) as database:
        version = propose_policy(database, text, by=by, now=now(), source=str(file))
    show(f"policy version {version} is proposed by {by}")
    for side in Side:
        say(f"next: leadpact policy sign --side {side} --by NAME --version {version}")


@app.command("sign")
def sign(
    side: Annotated[Side, typer.Option("--side", help="The side that signs.")],
    by: PersonOption,
    version: Annotated[
        int | None, typer.Option("--version", help="The version [default: the newest].")
    ] = None,
    workspace: WorkspaceOption = None,
) -> None:
    """Sign a proposed policy for one side.

    It is in force with both signatures, by different people.
    """
    from serving.clock import now
    from serving.operations.active_policy import ActivePolicy, active_policy
    from serving.operations.sign_policy import sign_policy

    with _database(read_settings(workspace), must_exist=True) as database:
        signed = _newest_version(database) if version is None else version
        sign_policy(database, version=signed, side=side, person=by, now=now())
        state = active_policy(database, now=now())
    show(f"policy version {signed} is signed for {side} by {by}")
    show(f"policy version {state.version} is in force" if isinstance(state, ActivePolicy) else state.text())


@contextmanager
def _database(settings: Settings, *, must_exist: bool = False) -> "Iterator[Engine]":
    """Open the prepared database of the workspace for one command; create it unless it must be there."""
    from serving.db.migrate import find_database, prepare_database

    database = (find_database if must_exist else prepare_database)(settings.database)
    if database is None:
        raise InputError(NOTHING_TO_SIGN)
    try:
        yield database
    finally:
        database.dispose()


def _policy_in_force(settings: Settings) -> "Policy":
    """Return the policy in force; without one, the draft in the workspace."""
    from serving.clock import now
    from serving.operations.active_policy import ActivePolicy, find_policy

    state = find_policy(settings.database, now=now())
    if isinstance(state, ActivePolicy):
        return state.policy
    draft = settings.workspace.policy_file
    if not draft.is_file():
        raise InputError(f"{state.text()}; and there is no draft {draft}")
    say(f"{state.reason}; showing the draft {draft}")
    return _read_file(draft)


def _newest_version(database: "Engine") -> int:
    from sqlalchemy import func, select

    from serving.db.session import read_transaction
    from serving.db.tables import PolicyRow

    with read_transaction(database) as session:
        newest: int | None = session.scalar(select(func.max(PolicyRow.version)))
    if newest is None:
        raise InputError(NOTHING_TO_SIGN)
    return newest


def _read_file(file: Path) -> "Policy":
    from sla.policy_file import read_policy

    return read_policy(_read_bytes(file), source=str(file))


def _read_text(file: Path) -> str:
    """Return the text of a policy that has been read once, so that a broken encoding is reported as such."""
    _read_file(file)
    return file.read_text(encoding="utf-8-sig")


def _read_bytes(file: Path) -> bytes:
    from sla.policy_file import MOST_CHARACTERS

    try:
        with file.open("rb") as stream:
            return stream.read(MOST_CHARACTERS + 1)
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror}") from error


def _summary(policy: "Policy") -> dict[str, object]:
    from sla.clauses import ON_SIGNATURE
    from sla.policy_file import policy_hash

    return {
        "name": policy.name,
        "version": policy.version,
        "valid_from": ON_SIGNATURE if policy.valid_from is None else policy.valid_from.isoformat(),
        "hash": policy_hash(policy),
        **{name: len(getattr(policy, name)) for name in COUNTED},
    }


def _problem_fields(problem: "PolicyProblem") -> dict[str, object]:
    return {"line": problem.line, "path": problem.path, "rule": problem.rule, "value": problem.value}
