"""`leadpact webhooks`: who is told what happens here. A signing secret is shown once, when it is made."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from features.errors import InputError
from serving.console import (
    JsonOption,
    WorkspaceOption,
    command_app,
    print_json,
    say,
    show,
    system_user,
)

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from serving.operations.list_webhooks import ListedWebhook
    from serving.outbox import Event
    from serving.settings import Settings

app = command_app("Webhooks: who is told what happens; add, list, test, replay, rotate, remove.")

NOT_TAKEN = 1
IdArgument = Annotated[str, typer.Argument(help="The webhook, as `webhooks list` shows it.")]
EventOption = Annotated[
    list[str] | None,
    typer.Option(help="What to tell it, such as deal.won; may be repeated. Default: all."),
]


@app.command("add")
def add(
    url: Annotated[str, typer.Argument(help="Where to send: https and a public address.")],
    event: EventOption = None,
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Add a receiver and print its signing secret, once."""
    from serving import clock
    from serving.keys import read_or_create_secret
    from serving.operations.add_webhook import add_webhook

    events = [_event(text) for text in event or ()]
    with _opened(workspace) as (settings, database):
        added = add_webhook(
            database,
            url,
            events,
            secret=read_or_create_secret(settings.workspace.secret_file),
            by=system_user(),
            now=clock.now(),
            allow_local=settings.webhooks_allow_local,
        )
    if json:
        print_json(asdict(added))
        return
    show(added.secret)
    say(f"Webhook {added.webhook_id} is told {', '.join(added.events)}. The secret is shown once: keep it.")


@app.command("list")
def list_all(workspace: WorkspaceOption = None, json: JsonOption = False) -> None:
    """List receivers, and what did not reach them."""
    from serving.operations.list_webhooks import list_webhooks

    with _opened(workspace) as (_, database):
        found = list_webhooks(database)
    if json:
        print_json([asdict(one) for one in found])
        return
    if not found:
        say("No webhook is told anything yet: `leadpact webhooks add URL` adds one.")
    for one in found:
        _show(one)


@app.command("test")
def send_test(webhook_id: IdArgument, workspace: WorkspaceOption = None, json: JsonOption = False) -> None:
    """Send a message now; exit code 1 if it was not taken."""
    from serving import clock
    from serving.crm.sealing import unseal
    from serving.crm.sender import HttpSender, Outgoing
    from serving.crm.signatures import signed_headers
    from serving.keys import read_or_create_secret
    from serving.operations.read_webhook import read_webhook
    from serving.outbox import probe_message

    now = clock.now()
    with _opened(workspace) as (settings, database):
        receiver = read_webhook(database, webhook_id, now=now)
    secret = read_or_create_secret(settings.workspace.secret_file)
    texts = [unseal(one, webhook_id=webhook_id, secret=secret) for one in receiver.secrets]
    message_id, body = probe_message(webhook_id, now=now)
    headers = signed_headers(texts, message_id=message_id, body=body, now=now)
    sent = HttpSender(allow_local=settings.webhooks_allow_local)(
        Outgoing(url=receiver.url, headers=headers, body=body)
    )
    if json:
        print_json({"taken": sent.is_taken, "status": sent.status, "reason": sent.reason})
    else:
        show(f"{'taken' if sent.is_taken else 'not taken'}: {sent.reason}")
    raise typer.Exit(0 if sent.is_taken else NOT_TAKEN)


@app.command("replay")
def replay(
    webhook_id: IdArgument,
    since: Annotated[
        datetime | None, typer.Option(help="Everything since then (UTC), not only what is parked.")
    ] = None,
    workspace: WorkspaceOption = None,
) -> None:
    """Send parked messages again.

    A webhook that was switched off because it answered 410 is on again.
    """
    from datetime import UTC

    from serving import clock
    from serving.operations.replay_messages import replay_messages

    moment = None if since is None else since.replace(tzinfo=UTC)
    with _opened(workspace) as (_, database):
        count = replay_messages(database, webhook_id, since=moment, by=system_user(), now=clock.now())
    say(f"{count} messages are due again; `leadpact worker`, or `serve` on SQLite, delivers them.")


@app.command("rotate")
def rotate(
    webhook_id: IdArgument,
    hours: Annotated[int, typer.Option(min=0, max=720, help="How long the old secret signs too.")] = 24,
    workspace: WorkspaceOption = None,
) -> None:
    """Make a new signing secret and print it, once."""
    from serving import clock
    from serving.keys import read_or_create_secret
    from serving.operations.rotate_webhook_secret import rotate_webhook_secret

    with _opened(workspace) as (settings, database):
        text = rotate_webhook_secret(
            database,
            webhook_id,
            keep_old=timedelta(hours=hours),
            secret=read_or_create_secret(settings.workspace.secret_file),
            by=system_user(),
            now=clock.now(),
        )
    show(text)
    say(f"Messages to {webhook_id} carry signatures of the new and the old secret for {hours} hours.")


@app.command("remove")
def remove(webhook_id: IdArgument, workspace: WorkspaceOption = None) -> None:
    """Remove a receiver and what was on its way to it."""
    from serving import clock
    from serving.operations.remove_webhook import remove_webhook

    with _opened(workspace) as (_, database):
        unsent = remove_webhook(database, webhook_id, by=system_user(), now=clock.now())
    say(f"Webhook {webhook_id} is removed; {unsent} messages had not reached it.")


@contextmanager
def _opened(workspace: WorkspaceOption) -> "Iterator[tuple[Settings, Engine]]":
    from serving.db.migrate import prepare_database
    from serving.settings import read_settings

    settings = read_settings(workspace)
    database = prepare_database(settings.database)
    try:
        yield settings, database
    finally:
        database.dispose()


def _event(text: str) -> "Event":
    from serving.outbox import Event

    try:
        return Event(text)
    except ValueError as error:
        raise InputError(f"an event must be one of {', '.join(Event)}; got {text[:80]!r}") from error


def _show(one: "ListedWebhook") -> None:
    state = "on" if one.disabled_at is None else f"off: {one.disabled_because}"
    show(f"{one.webhook_id}  {one.url}  {state}")
    show(f"  {one.pending} wait, {one.delivered} delivered, {one.parked} parked  ({', '.join(one.events)})")
    for parked in one.parked_first:
        about = f"{parked.event} {parked.subject}".strip()
        show(f"  parked: {parked.message_id}  {about}  after {parked.tries} tries: {parked.last_result}")
