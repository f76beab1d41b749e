"""`leadpact serve`: scores over HTTP. Starts whatever is missing; /readyz and the first lines say what."""

import os
import signal
import socket
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from serving.console import WorkspaceOption, command_app, say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from serving.settings import Settings

app = command_app()

BACKLOG = 2048
MOST_HEADER_BYTES = 32_768
KEEP_ALIVE_SECONDS = 15
GRACEFUL_STOP_SECONDS = 15


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on [default: 127.0.0.1].")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port [default: 8000]; 0: any free one.")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes that answer.")] = 1,
    workspace: WorkspaceOption = None,
) -> None:
    """Serve scores over HTTP until stopped."""
    from serving.settings import read_settings

    run_service(read_settings(workspace), host=host, port=port, workers=workers)


def run_service(
    settings: "Settings", *, host: str | None = None, port: int | None = None, workers: int = 1
) -> None:
    """Listen and serve until SIGTERM or SIGINT; requests in flight are finished first.

    Raises `LeadPactError` when the address is taken or not ours.
    """
    from functools import partial

    import uvicorn
    from uvicorn.supervisors import Multiprocess

    from serving.app import create_app

    listener = listen(host or settings.host, settings.port if port is None else port)
    say("\n".join(start_lines(settings, listener, workers)))
    config = uvicorn.Config(
        partial(create_app, settings, runs_worker=settings.database_url is None),
        factory=True,
        workers=workers,
        log_config=LOGGING,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        h11_max_incomplete_event_size=MOST_HEADER_BYTES,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACEFUL_STOP_SECONDS,
    )
    server = uvicorn.Server(config)
    if workers > 1:
        Multiprocess(config, sockets=[listener]).run()
        return
    for stop in (signal.SIGTERM, signal.SIGINT):
        signal.signal(stop, lambda *_: sys.exit(0))  # uvicorn stops first, then passes the signal on
    server.run(sockets=[listener])


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket, or say in one sentence why there is none."""
    from features.errors import InputError, LeadPactError

    # asyncio switches Nagle's delay off only where the protocol is named; with it every answer waits 40 ms.
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except socket.gaierror as error:
        listener.close()
        raise InputError(f"host must be an address or a name of this machine; got {host!r}") from error
    except OSError as error:
        listener.close()
        reason = str(error) if error.errno is None else os.strerror(error.errno)
        raise LeadPactError(
            f"cannot listen on {host} port {port}: {reason}; choose another address with --host and --port"
        ) from error
    return listener


def start_lines(settings: "Settings", listener: socket.socket, workers: int) -> "Iterator[str]":
    """Yield the line that says where the service is and whether it can score, then what is missing."""
    from serving import clock
    from serving.scorer_loading import find_missing

    missing = find_missing(settings, now=clock.now())
    host, port = listener.getsockname()[:2]
    address = f"[{host}]" if ":" in host else host
    place = f'url=http://{address}:{port} workspace="{settings.workspace.root}" workers={workers}'
    yield f"service.started {place} ready={'no' if missing else 'yes'}"
    yield from (f"  {part.text()}" for part in missing)


LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": "line", "stream": "ext://sys.stderr"}
    },
    "loggers": {
        "leadpact": {"handlers": ["stderr"], "level": "INFO", "propagate": False},
        "uvicorn": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
    },
}
