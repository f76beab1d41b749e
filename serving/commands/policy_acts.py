"""`leadpact policy draft|comment|withdraw|reject|list|history`: the life of a policy from the command line.

Decides nothing: who may do what is the life of the policy in `sla.policy_life`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from features.errors import InputError
from serving.console import JsonOption, WorkspaceOption, print_json, show
from serving.settings import Settings, read_settings
from sla.stages import Side

if TYPE_CHECKING:
    from sqlalchemy import Engine

NOTHING_TO_SIGN = "there is no policy to sign; run `leadpact policy propose FILE --by NAME` first"
NO_POLICY = "there is no policy yet; run `leadpact policy propose FILE --by NAME` first"

FileArgument = Annotated[Path, typer.Argument(help="The policy as TOML.", metavar="FILE")]
PersonOption = Annotated[str, typer.Option("--by", help="The person who does this.")]
SideOption = Annotated[
    Side | None, typer.Option("--side", help="The side the person acts for in this version.")
]
VersionOption = Annotated[int | None, typer.Option("--version", help="The version [default: the newest].")]
LangOption = Annotated[str, typer.Option("--lang", help="en or de.")]


def draft(
    file: FileArgument, by: PersonOption, side: SideOption = None, workspace: WorkspaceOption = None
) -> None:
    """Store a policy as a draft, or edit a version that is not agreed.

    An edit voids the signatures under the old text.
    """
    from serving.clock import now
    from serving.operations.draft_policy import draft_policy

    with open_policies(read_settings(workspace)) as database:
        version = draft_policy(database, read_text(file), by=by, side=side, now=now(), source=str(file))
    show(f"policy version {version} is stored; next: leadpact policy propose {file} --by NAME")


def comment(
    text: Annotated[str, typer.Argument(help="What to say about it.")],
    by: PersonOption,
    side: SideOption = None,
    version: VersionOption = None,
    workspace: WorkspaceOption = None,
) -> None:
    """Comment on a version; both sides can."""
    from serving.clock import now
    from serving.operations.comment_policy import comment_policy

    with open_policies(read_settings(workspace), must_exist=True) as database:
        chosen = version or newest_version(database)
        comment_policy(database, chosen, by=by, side=side, text=text, now=now())
    show(f"policy version {chosen} is commented by {by}")


def withdraw(
    by: PersonOption,
    side: SideOption = None,
    version: VersionOption = None,
    workspace: WorkspaceOption = None,
) -> None:
    """Take a version back that your side drafted or proposed."""
    from serving.clock import now
    from serving.operations.withdraw_policy import withdraw_policy

    with open_policies(read_settings(workspace), must_exist=True) as database:
        chosen = version or newest_version(database)
        withdraw_policy(database, chosen, by=by, side=side, now=now())
    show(f"policy version {chosen} is withdrawn by {by}")


def reject(
    by: PersonOption,
    reason: Annotated[str, typer.Option("--reason", help="Why.")],
    side: SideOption = None,
    version: VersionOption = None,
    workspace: WorkspaceOption = None,
) -> None:
    """Say no to a version the other side proposed, and why."""
    from serving.clock import now
    from serving.operations.reject_policy import reject_policy

    with open_policies(read_settings(workspace), must_exist=True) as database:
        chosen = version or newest_version(database)
        reject_policy(database, chosen, by=by, side=side, reason=reason, now=now())
    show(f"policy version {chosen} is rejected by {by}")


def list_versions(workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """List every version: where it stands and who has signed."""
    from serving.clock import now
    from serving.operations.list_policies import list_policies

    with open_policies(read_settings(workspace), must_exist=True, missing=NO_POLICY) as database:
        listed = list_policies(database, now=now())
    if as_json:
        print_json([asdict(one) for one in listed])
        return
    for one in listed:
        signed = [f"{side}: {person}" for side in Side if (person := getattr(one, f"signed_{side}"))]
        show(f"{one.version:>4}  {one.state:<10}  {one.name}  {', '.join(signed) or 'not signed'}")


def history(
    version: VersionOption = None,
    lang: LangOption = "en",
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show every act on a version, with the words to it."""
    from serving.operations.read_policy_history import read_policy_history
    from sla.policy_life import ACT_WORDS, Act
    from sla.words_numbers import instant_text, side_name

    with open_policies(read_settings(workspace), must_exist=True, missing=NO_POLICY) as database:
        _, events = read_policy_history(database, version or newest_version(database))
    if as_json:
        print_json([asdict(one) for one in events])
        return
    for one in events:
        side = f" ({side_name(Side(one.side), lang)})" if one.side else ""
        note = f": {one.note}" if one.note else ""
        act = dict(ACT_WORDS)[Act(one.act)].in_language(lang)
        show(f"{instant_text(one.at, lang)} UTC  {act}  {one.person}{side}{note}")


@contextmanager
def open_policies(
    settings: Settings, *, must_exist: bool = False, missing: str = NOTHING_TO_SIGN
) -> "Iterator[Engine]":
    """Open the prepared database of the workspace for one command; create it unless it must be there."""
    from serving.db.migrate import find_database, prepare_database

    database = (find_database if must_exist else prepare_database)(settings.database)
    if database is None:
        raise InputError(missing)
    try:
        yield database
    finally:
        database.dispose()


def newest_version(database: "Engine") -> int:
    """Return the newest version, or raise `InputError`."""
    from sqlalchemy import func, select

    from serving.db.session import read_transaction
    from serving.db.tables import PolicyRow

    with read_transaction(database) as session:
        newest: int | None = session.scalar(select(func.max(PolicyRow.version)))
    if newest is None:
        raise InputError(NOTHING_TO_SIGN)
    return newest


def read_text(file: Path) -> str:
    """Return the text of a policy that has been read once, so that a broken encoding is reported as such."""
    from sla.policy_file import read_policy

    read_policy(read_bytes(file), source=str(file))
    return file.read_text(encoding="utf-8-sig")


def read_bytes(file: Path) -> bytes:
    """Return the bytes of a policy file, no more than a policy may have."""
    from sla.policy_file import MOST_CHARACTERS

    try:
        with file.open("rb") as stream:
            return stream.read(MOST_CHARACTERS + 1)
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror}") from error
