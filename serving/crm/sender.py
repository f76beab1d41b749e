"""One try to send one message: to the judged address, within a fixed time, without redirects or proxies.

Nothing of an answer but its status and Retry-After is read: what a receiver says cannot fill memory or logs.
"""

import http.client
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from features.errors import LeadPactError
from serving.crm.addresses import Resolver, Target, pinned_address, read_target, resolve_name
from serving.crm.retries import Sent

SEND_SECONDS = 15.0
CONNECT_SECONDS = 5.0
LONGEST_REASON = 160
CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A message for one receiver, signed and ready."""

    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes


Send = Callable[[Outgoing], Sent]


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpSender:
    """Sends over HTTP/1.1; `allow_local` is for development, `resolve` turns a name into addresses."""

    allow_local: bool = False
    resolve: Resolver = resolve_name
    send_seconds: float = SEND_SECONDS

    def __call__(self, outgoing: Outgoing) -> Sent:
        """Try once; whatever goes wrong is an answer too."""
        try:
            target = read_target(outgoing.url, allow_local=self.allow_local)
            address = pinned_address(target, self.resolve, allow_local=self.allow_local)
            return self._send(target, address, outgoing)
        except (OSError, http.client.HTTPException, ValueError, LeadPactError) as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            return Sent(status=None, reason=reason[:LONGEST_REASON])

    def _send(self, target: Target, address: str, outgoing: Outgoing) -> Sent:
        connection = PinnedConnection(target, address)
        watchdog = threading.Timer(self.send_seconds, connection.cut)
        watchdog.daemon = True
        watchdog.start()
        try:
            headers = {"Content-Type": CONTENT_TYPE, "User-Agent": "LeadPact-Webhooks", "Connection": "close"}
            connection.request(
                "POST",
                target.path,
                outgoing.body,
                {"Host": target.authority} | headers | dict(outgoing.headers),
            )
            answer = connection.getresponse()
            if connection.was_cut:  # the end of the stream ends the headers, so half an answer looks whole
                raise http.client.IncompleteRead(b"")
            return Sent(
                status=answer.status,
                reason=f"the receiver answered {answer.status}",
                retry_after=answer.headers.get("Retry-After"),
            )
        except (OSError, http.client.HTTPException) as error:
            if connection.was_cut:
                raise TimeoutError(f"no answer within {self.send_seconds:g} seconds") from error
            raise
        finally:
            watchdog.cancel()
            connection.close()


class PinnedConnection(http.client.HTTPConnection):
    """A connection to one address whose certificate must still be that of the name."""

    def __init__(self, target: Target, address: str) -> None:
        super().__init__(target.host, target.port, timeout=CONNECT_SECONDS)
        self._target = target
        self._address = address
        self.was_cut = False

    def connect(self) -> None:
        """Connect to the judged address; the name is not resolved again."""
        plain = socket.create_connection((self._address, self._target.port), CONNECT_SECONDS)
        self.sock = plain
        plain.settimeout(SEND_SECONDS)
        if self._target.scheme == "https":
            context = ssl.create_default_context()
            self.sock = context.wrap_socket(plain, server_hostname=self._target.host)

    def cut(self) -> None:
        """End whatever is under way: the time is up."""
        self.was_cut = True
        with suppress(OSError, AttributeError):
            self.sock.shutdown(socket.SHUT_RDWR)
