"""Who may call: the key of a request and the scope a route asks for; headers every answer carries."""

from dataclasses import dataclass

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Send
from starlette.types import Scope as AsgiScope

from serving.api.errors import HeadersTooLargeError, describe, problem_response
from serving.errors import ScopeMissingError
from serving.keys import Scope
from serving.operations.check_api_key import VerifiedKey
from serving.service import Service
from sla.stages import Side

SIDE_OF_SCOPE = ((Scope.POLICY_MARKETING, Side.MARKETING), (Scope.POLICY_SALES, Side.SALES))
MOST_HEADER_BYTES = 32_768
KEY_HEADER = "X-API-Key"
BEARER = "bearer "
SECURITY_HEADERS = (
    ("X-Content-Type-Options", "nosniff"),
    ("Cache-Control", "no-store"),
    ("Referrer-Policy", "no-referrer"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
)


async def authorise(request: Request, service: Service, scope: Scope) -> VerifiedKey:
    """Return the caller's key; raises `KeyRefusedError` or `ScopeMissingError`."""
    key = await service.verify_key(sent_key(request))
    if scope not in key.scopes:
        raise ScopeMissingError(scope)
    return key


@dataclass(frozen=True, slots=True, kw_only=True)
class Signatory:
    """The person a key acts for, the side, and the key."""

    person: str
    side: Side
    key: VerifiedKey


async def authorise_side(request: Request, service: Service) -> Signatory:
    """Return for whom the caller's key acts; raises `KeyRefusedError` or `ScopeMissingError`."""
    key = await service.verify_key(sent_key(request))
    for scope, side in SIDE_OF_SCOPE:
        if scope in key.scopes and key.person is not None:
            return Signatory(person=key.person, side=side, key=key)
    raise ScopeMissingError(" or ".join(scope for scope, _ in SIDE_OF_SCOPE))


def sent_key(request: Request) -> str | None:
    """Return the key from `X-API-Key` or `Authorization: Bearer`, the former first."""
    sent = request.headers.get(KEY_HEADER)
    authorization = request.headers.get("authorization", "")
    if sent is None and authorization[: len(BEARER)].lower() == BEARER:
        sent = authorization[len(BEARER) :]
    return sent and sent.strip()


class Doorkeeper:
    """Refuses requests with oversized headers, answers errors nobody foresaw, completes every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        """Pass one request on, or refuse it, and complete the headers of its answer."""
        is_answered = False

        async def send_with_headers(message: Message) -> None:
            nonlocal is_answered
            if message["type"] == "http.response.start":
                is_answered = True
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS:
                    headers.setdefault(name, value)
            await send(message)

        try:
            await self._pass_on(scope, receive, send_with_headers)
        except Exception as error:  # whatever it is, the caller gets an answer and the server logs it
            if scope["type"] == "http" and not is_answered:
                await problem_response(describe(error))(scope, receive, send_with_headers)
            raise

    async def _pass_on(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        if sum(len(name) + len(value) for name, value in scope.get("headers", ())) > MOST_HEADER_BYTES:
            error = HeadersTooLargeError(f"all headers together may have {MOST_HEADER_BYTES:,} bytes")
            await problem_response(describe(error))(scope, receive, send)
        else:
            await self._app(scope, receive, send)
