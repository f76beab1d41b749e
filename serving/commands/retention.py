"""`leadpact retention`: what was kept long enough, class by class; the worker deletes it every hour."""

from dataclasses import asdict
from typing import Annotated

import typer

from serving.console import JsonOption, WorkspaceOption, command_app, print_json, show, system_user

app = command_app()


@app.command()
def retention(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count; delete nothing.")] = False,
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Delete what was kept long enough, or count it.

    How long is set by LEADPACT_KEEP_MESSAGES_DAYS, LEADPACT_KEEP_SCORES_DAYS, LEADPACT_KEEP_REJECTS_DAYS and
    LEADPACT_KEEP_LEADS_DAYS; without the last no lead is deleted for its age.
    """
    from serving import clock
    from serving.db.migrate import prepare_database
    from serving.operations.run_retention import run_retention
    from serving.settings import read_settings

    settings = read_settings(workspace)
    database = prepare_database(settings.database)
    counts = run_retention(database, settings, by=system_user(), now=clock.now(), dry_run=dry_run)
    database.dispose()
    if json:
        print_json([asdict(one) for one in counts])
        return
    for one in counts:
        kept = "for ever" if one.keep_days is None else f"for {one.keep_days} days"
        show(f"{one.what:9} kept {kept:13} {one.count:,} {'would go' if dry_run else 'gone'}")
