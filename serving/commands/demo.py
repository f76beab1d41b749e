"""`leadpact demo`: from nothing to a served score in one command; a second start finds everything there.

What has to be done is decided in `demo_steps`, the request it shows in `demo_request`.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, time
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from threading import Thread
from time import sleep
from typing import Annotated

import typer

from features.errors import LeadPactError
from serving import clock
from serving.commands.demo_request import curl_command
from serving.commands.demo_steps import DemoPlan, embedded_only, prepare_demo
from serving.console import WorkspaceOption, command_app, say, show
from serving.settings import read_settings

app = command_app()

HIGHEST_PORT = 65535
READY_LOOKS, SECONDS_BETWEEN_LOOKS = 300, 0.2


def _aware(text: str) -> datetime:
    rule = "must be an ISO 8601 time with its zone, such as 2026-11-23T00:00:00Z"
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{rule}; got {text!r}") from None
    if instant.utcoffset() is None:
        raise typer.BadParameter(f"{rule}; got {text!r}")
    return instant


UntilOption = Annotated[
    datetime | None,
    typer.Option(parser=_aware, metavar="TIME", help="End of the simulated CRM [default: today, 0:00 UTC]."),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where the demo serves."""

    host: str
    port: int

    @property
    def url(self) -> str:
        """The address as a URL without a path."""
        return f"http://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"


@app.command()
def demo(
    workspace: WorkspaceOption = None,
    host: Annotated[str | None, typer.Option(help="Address to serve at [default: 127.0.0.1].")] = None,
    port: Annotated[
        int | None, typer.Option(min=1, max=HIGHEST_PORT, help="Port to serve at [default: 8000].")
    ] = None,
    until: UntilOption = None,
    leads: Annotated[int, typer.Option(min=1000, max=200_000, help="Leads to simulate.")] = 8000,
    seed: Annotated[int, typer.Option(min=0, help="Another seed gives other leads.")] = 7,
    serve: Annotated[bool, typer.Option("--serve/--no-serve", help="Serve when everything is ready.")] = True,
) -> None:
    """Simulate a CRM, import, train, promote, sign a first policy, serve."""
    from serving.commands.serve import run_service

    settings = embedded_only(read_settings(workspace))
    address = Address(host=host or settings.host, port=port or settings.port)
    now = clock.now()
    if serve:
        refuse_busy_port(address)
    end = until or datetime.combine(now.date(), time(), tzinfo=UTC)
    key = prepare_demo(settings, DemoPlan(leads=leads, until=end, seed=seed, now=now))
    if not serve:
        show(invitation(key, address))
        return
    Thread(target=invite_when_ready, args=(key, address), daemon=True).start()
    run_service(settings, host=address.host, port=address.port)


def refuse_busy_port(address: Address) -> None:
    """Raise LeadPactError when nobody could listen there; asked before any work is done."""
    from serving.commands.serve import listen

    other = address.port + 1 if address.port < HIGHEST_PORT else address.port - 1
    try:
        listen(address.host, address.port).close()
    except LeadPactError as error:
        raise LeadPactError(f"{error}, for example: PORT={other} make demo") from error


def invite_when_ready(key: str, address: Address) -> None:
    """Show the command to paste as soon as the service says that it can answer it."""
    for _ in range(READY_LOOKS):
        if is_ready(address):
            show(invitation(key, address))
            say("Stop with Ctrl+C.")
            return
        sleep(SECONDS_BETWEEN_LOOKS)
    say("The service is not ready yet; `leadpact doctor` says what is missing.")


def is_ready(address: Address) -> bool:
    """Ask the service whether model, policy and database are ready."""
    connection = HTTPConnection(address.host, address.port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == HTTPStatus.OK
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def invitation(key: str, address: Address) -> str:
    """Return what a new user reads: where the service is, and a command to paste."""
    command = curl_command(address.url, key, clock.now())
    return f"LeadPact serves at {address.url}\nAsk for a score:\n\n{command}\n"
