"""`leadpact worker`: raises what the clocks of handovers have to say, and gives waiting leads an owner."""

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
    """Run clocks and reminders until stopped; several may run at once. On SQLite `serve` runs one."""
    import logging.config
    from dataclasses import asdict

    from serving import clock
    from serving.commands.serve import LOGGING
    from serving.db.migrate import prepare_database
    from serving.settings import read_settings
    from serving.worker import Worker

    database = prepare_database(read_settings(workspace).database)
    runner = Worker(lambda: database, clock.now, every_seconds=every_seconds)
    if once:
        swept = runner.turn()
        if json:
            print_json(asdict(swept))
        else:
            show(f"{swept.raised} clock events raised, {swept.assigned} waiting leads given to somebody")
        return
    logging.config.dictConfig(LOGGING)
    for stop in (signal.SIGTERM, signal.SIGINT):
        signal.signal(stop, lambda *_: runner.stop())
    say(f"worker.running every_seconds={every_seconds:g}")
    runner.run()
