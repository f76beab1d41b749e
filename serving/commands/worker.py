"""`leadpact worker`: what clocks have to say, an owner for waiting leads, open leads scored again."""

import signal
from typing import Annotated

import typer

from serving.console import JsonOption, WorkspaceOption, command_app, print_json, say, show

app = command_app()


@app.command()
def worker(
    once: Annotated[bool, typer.Option("--once", help="Look once and say what was found.")] = False,
    every_seconds: Annotated[float, typer.Option(min=1, max=3600, help="Seconds between two looks.")] = 15.0,
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Run clocks, reminders and rescoring until stopped.

    Several may run at once. On SQLite `serve` runs one.
    """
    import logging.config
    from dataclasses import asdict

    from serving import clock
    from serving.commands.serve import LOGGING
    from serving.db.migrate import prepare_database
    from serving.rescorer import Rescorer
    from serving.settings import read_settings
    from serving.worker import Worker

    settings = read_settings(workspace)
    database = prepare_database(settings.database)
    rescorer = Rescorer(settings, lambda: database, clock.now)
    runner = Worker(lambda: database, clock.now, every_seconds=every_seconds, rescorer=rescorer)
    if once:
        swept, rescored = runner.turn(), runner.rescore()
        if json:
            print_json({**asdict(swept), "rescored": rescored.looked_at, "changed": rescored.changed})
        else:
            show(
                f"{swept.raised} clock events raised, {swept.assigned} waiting leads given to somebody, "
                f"{rescored.looked_at} leads scored again, {rescored.changed} of them changed"
            )
        return
    logging.config.dictConfig(LOGGING)
    for stop in (signal.SIGTERM, signal.SIGINT):
        signal.signal(stop, lambda *_: runner.stop())
    say(f"worker.running every_seconds={every_seconds:g}")
    runner.run()
