"""`leadpact key`: API keys for the CRM. A key is shown once, when it is made."""

from dataclasses import asdict
from datetime import timedelta
from typing import Annotated

import typer

from serving.console import (
    JsonOption,
    WorkspaceOption,
    command_app,
    print_json,
    say,
    show,
    system_user,
)
from serving.keys import Scope

app = command_app("API keys for the CRM: create, list, revoke.")

DEFAULT_SCOPES = [Scope.SCORE, Scope.READ]
SCOPE_HELP = f"What it may do: {', '.join(Scope)}; may be repeated."


@app.command("create")
def create(
    name: Annotated[str, typer.Option(help="Who will use it, such as crm.")],
    scope: Annotated[list[Scope], typer.Option(help=SCOPE_HELP, metavar="SCOPE")] = DEFAULT_SCOPES,
    person: Annotated[
        str | None, typer.Option(help="Whom a key with a policy scope acts for: one person, one side.")
    ] = None,
    expires_days: Annotated[int | None, typer.Option(min=1, max=3650, help="Days until it expires.")] = None,
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Create a key and print it, once."""
    from serving import clock
    from serving.db.migrate import prepare_database
    from serving.keys import read_or_create_secret
    from serving.operations.create_api_key import create_api_key
    from serving.settings import read_settings

    settings, now = read_settings(workspace), clock.now()
    expires_at = None if expires_days is None else now + timedelta(days=expires_days)
    key = create_api_key(
        prepare_database(settings.database),
        name=name,
        scopes=scope,
        expires_at=expires_at,
        secret=read_or_create_secret(settings.workspace.secret_file),
        now=now,
        person=person,
        by=system_user(),
    )
    if json:
        shown = {"key": key.text, "prefix": key.prefix, "name": name, "scopes": list(scope)}
        print_json(shown if person is None else shown | {"person": person})
        return
    show(key.text)
    say(f"Key {key.prefix} for {name} with the scopes {', '.join(scope)}. It is shown once: keep it safe.")


@app.command("list")
def list_keys(workspace: WorkspaceOption = None, json: JsonOption = False) -> None:
    """List the keys: prefix, owner, scopes, state; never their text."""
    from serving import clock
    from serving.db.migrate import find_database
    from serving.operations.list_api_keys import list_api_keys
    from serving.settings import read_settings

    database, now = find_database(read_settings(workspace).database), clock.now()
    keys = () if database is None else list_api_keys(database)
    if json:
        print_json([asdict(key) | {"usable": key.is_usable(now)} for key in keys])
        return
    for key in keys:
        state = "usable" if key.is_usable(now) else "not usable any more"
        show(f"{key.prefix}  {key.name}  {', '.join(key.scopes)}  {state}")


@app.command("revoke")
def revoke(
    prefix: Annotated[str, typer.Argument(help="The prefix, as `key list` shows it.")],
    workspace: WorkspaceOption = None,
) -> None:
    """Revoke a key; running services refuse it within two seconds."""
    from serving import clock
    from serving.db.migrate import find_database
    from serving.operations.revoke_api_key import revoke_api_key, unknown_key
    from serving.settings import read_settings

    database = find_database(read_settings(workspace).database)
    if database is None:
        raise unknown_key(prefix)
    revoke_api_key(database, prefix, now=clock.now(), by=system_user())
    say(f"Key {prefix} is revoked.")
