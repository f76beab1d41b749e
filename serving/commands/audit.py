"""`leadpact audit`: who did what, whether the log is whole, and its head to keep elsewhere."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from features.errors import InputError
from serving.console import JsonOption, WorkspaceOption, command_app, print_json, show

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from serving.audit import AuditHead, ChainVerdict
    from serving.operations.list_audit import ListedAct

app = command_app("The audit log: every act, and the proof that none was changed.")

BROKEN = 1
MOST_SHOWN = 20

HeadOption = Annotated[
    Path | None,
    typer.Option("--head", help="A head that `leadpact audit head` gave earlier.", metavar="FILE"),
]


@app.command("verify")
def verify(head: HeadOption = None, workspace: WorkspaceOption = None, json: JsonOption = False) -> None:
    """Check every entry of the log: exit code 1 if one was changed.

    A row that is gone is found too.

    Without a head that was kept elsewhere, nobody can tell whether the end was cut off together with
    the stored head.
    """
    from serving.operations.verify_audit import verify_audit

    exported = None if head is None else _read_head(head)
    with _database(workspace) as database:
        verdict = verify_audit(database, exported)
    if json:
        print_json({"whole": verdict.is_whole, **asdict(verdict)})
    else:
        _show_verdict(verdict)
    raise typer.Exit(0 if verdict.is_whole else BROKEN)


@app.command("list")
def list_acts(
    what: Annotated[
        str | None, typer.Option("--what", help='Only about this, such as "policy version 2".')
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=1_000_000, help="How many, newest first.")] = 100,
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """List the acts, newest first."""
    from serving.operations.list_audit import list_audit

    with _database(workspace) as database:
        acts = list_audit(database, limit=limit, what=what)
    if json:
        print_json([asdict(act) for act in acts])
        return
    for act in acts:
        show(_line(act))


@app.command("head")
def print_head(workspace: WorkspaceOption = None) -> None:
    """Print the head of the log as JSON, to be kept elsewhere.

    Keep it where the database's owner cannot change it.
    """
    from serving.operations.verify_audit import read_audit_head

    with _database(workspace) as database:
        print_json(asdict(read_audit_head(database)))


def _show_verdict(verdict: "ChainVerdict") -> None:
    for fault in verdict.faults[:MOST_SHOWN]:
        show(fault.text())
    if len(verdict.faults) > MOST_SHOWN:
        show(f"and {len(verdict.faults) - MOST_SHOWN:,} more")
    if verdict.is_whole:
        show(f"the audit log is whole: {verdict.entries:,} entries, head {verdict.head.entry_hash}")


def _line(act: "ListedAct") -> str:
    after = act.after if isinstance(act.after, dict) else {}
    details = ", ".join(f"{name} {value}" for name, value in after.items() if value is not None)
    return f"{act.number:>6}  {act.at[:19]}Z  {act.who}  {act.act}  {act.what}" + (
        f"  ({details})" if details else ""
    )


@contextmanager
def _database(workspace: Path | None) -> "Iterator[Engine]":
    from serving.db.migrate import find_database
    from serving.settings import read_settings

    database = find_database(read_settings(workspace).database)
    if database is None:
        raise InputError("there is no database in this workspace, so nothing was done that a log could hold")
    try:
        yield database
    finally:
        database.dispose()


def _read_head(file: Path) -> "AuditHead":
    import msgspec

    from serving.audit import AuditHead

    try:
        return msgspec.json.decode(file.read_bytes(), type=AuditHead)
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror}") from error
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise InputError(f"{file} must be what `leadpact audit head` printed: {error}") from error
