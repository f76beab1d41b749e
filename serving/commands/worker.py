"""`leadpact worker`: clocks, an owner for waiting leads, open leads scored again, messages, retention."""

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
    """Run clocks, rescoring and webhooks until stopped.

    Several may run at once. On SQLite `serve` runs one.
    """
    import logging.config
    from dataclasses import asdict

    from serving import clock
    from serving.commands.serve import LOGGING
    from serving.courier import Courier
    from serving.crm.retries import DeliveryStatus
    from serving.crm.sender import HttpSender
    from serving.db.migrate import prepare_database
    from serving.janitor import Janitor
    from serving.keys import read_or_create_secret
    from serving.rescorer import Rescorer
    from serving.settings import read_settings
    from serving.worker import Worker

    settings = read_settings(workspace)
    database = prepare_database(settings.database)
    rescorer = Rescorer(settings, lambda: database, clock.now)
    runner = Worker(lambda: database, clock.now, every_seconds=every_seconds, rescorer=rescorer)
    send = HttpSender(allow_local=settings.webhooks_allow_local)
    secret_file = settings.workspace.secret_file
    courier = Courier(lambda: database, lambda: read_or_create_secret(secret_file), clock.now, send)
    janitor = Janitor(lambda: database, lambda: read_or_create_secret(secret_file), clock.now, settings)
    if once:
        janitor.turn()
        swept, rescored, sent = runner.turn(), runner.rescore(), courier.turn()
        counts = {status.value: sent[status.value] for status in DeliveryStatus}
        if json:
            told = {"rescored": rescored.looked_at, "changed": rescored.changed, "messages": counts}
            print_json({**asdict(swept), **told})
        else:
            show(f"{swept.raised} clock events raised, {swept.assigned} waiting leads given to somebody")
            show(f"{rescored.looked_at} leads scored again, {rescored.changed} of them changed")
            show(f"{counts['delivered']} messages delivered, {counts['pending'] + counts['parked']} not")
        return
    logging.config.dictConfig(LOGGING)
    for stop in (signal.SIGTERM, signal.SIGINT):
        signal.signal(stop, lambda *_: runner.stop())
    say(f"worker.running every_seconds={every_seconds:g}")
    courier.start()
    janitor.start()
    runner.run()
    courier.stop()
    janitor.stop()
