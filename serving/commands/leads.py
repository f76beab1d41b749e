"""`leadpact leads`: whom a new model or policy would take down, and releasing it."""

from dataclasses import asdict
from typing import Annotated

import typer

from serving.console import JsonOption, WorkspaceOption, command_app, print_json, say, show

app = command_app("Leads in the database: whose stage a new model or policy would lower.")


@app.callback()
def leads() -> None:
    """Keep `held` a command of its own, so that others can join it."""


@app.command("held")
def held(
    release: Annotated[
        bool, typer.Option("--release", help="Let them sink; leads a seller works on stay.")
    ] = False,
    by: Annotated[str, typer.Option(help="Who releases it; goes to the audit log.")] = "",
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """List leads that only a new model or policy takes down.

    Nobody sinks before a release.
    """
    from features.errors import InputError
    from serving import clock
    from serving.db.migrate import find_database
    from serving.operations.held_stages import list_held_leads, release_held_leads
    from serving.policies import person_name
    from serving.settings import read_settings

    database = find_database(read_settings(workspace).database)
    found = () if database is None else list_held_leads(database)
    if json:
        print_json([asdict(one) for one in found])
    else:
        show("\n".join(f"{one.lead_id}: {one.stage}, would be {one.held_stage}" for one in found) or "none")
    if release:
        if not by.strip():
            raise InputError("releasing needs a name: --by NAME")
        count = release_held_leads(database, by=person_name(by), now=clock.now()) if database else 0
        say(f"released {count} leads")
