"""Receivers of webhooks for tests: a real one on loopback, and one in memory that answers as told."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import msgspec
from sqlalchemy import Engine

from serving.crm.retries import Sent
from serving.crm.sender import Outgoing
from serving.db.audited import audited_transaction
from serving.outbox import Event, News, tell
from tests.builders_serving import NOW

HANG_UP = 0
"""The status of an answer that never comes: the connection is closed instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Got:
    """One request as it arrived."""

    headers: Mapping[str, str]
    body: bytes

    @property
    def message(self) -> "dict[str, object]":
        """Return the message in the body."""
        said: dict[str, object] = msgspec.json.decode(self.body)
        return said


@dataclass
class Receiver:
    """A server on loopback: what it got, and how it answers (200 until told otherwise)."""

    port: int = 0
    got: list[Got] = field(default_factory=list)
    connections: int = 0
    answer: Callable[[Got], tuple[int, Mapping[str, str]]] = lambda _: (200, {})

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}/hook?of=crm"


@contextmanager
def running_receiver() -> Iterator[Receiver]:
    """Start a receiver and stop it at the end."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def setup(self) -> None:
            receiver.connections += 1
            super().setup()

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got = Got(headers=dict(self.headers), body=body)
            receiver.got.append(got)
            status, headers = receiver.answer(got)
            if status == HANG_UP:
                self.close_connection = True
                return
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class Inbox:
    """A receiver in memory: keeps every try and answers what `decide` says; 200 until told otherwise."""

    decide: Callable[[str], Sent] = lambda _: Sent(status=200, reason="taken")
    tries: list[str] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, outgoing: Outgoing) -> Sent:
        """Take one message: its subject and number are all the tests look at."""
        said = msgspec.json.decode(outgoing.body)
        name = f"{said.get('subject', '')}:{said['data'].get('number', '')}"
        sent = self.decide(name)
        with self._guard:
            self.tries.append(name)
            if sent.is_taken:
                self.taken.append(name)
        return sent


def tell_about(database: Engine, *numbers: tuple[str, int], event: Event = Event.DEAL_WON) -> None:
    """Write a message for each lead and number."""
    with audited_transaction(database, now=NOW) as work:
        for lead_id, number in numbers:
            data = {"number": number}
            news = News(event=event, about=f"{lead_id} {number}", at=NOW, lead_id=lead_id, data=data)
            tell(work.session, news, now=NOW)
        work.note("test.told", who="test", what="messages")
