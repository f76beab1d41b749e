"""Idempotency-Key: which request a caller means, and the answer that is given once or given again."""

import hashlib
import re
from collections.abc import Callable

import msgspec
from anyio import to_thread
from sqlalchemy import Engine
from starlette.requests import Request
from starlette.responses import Response

from serving.api.errors import WrongIdempotencyKeyError
from serving.operations.answer_once import NamedRequest, answer_once
from serving.operations.check_api_key import VerifiedKey
from serving.service import Service

HEADER = "Idempotency-Key"
REPEATED = {"Idempotent-Replayed": "true"}
QUOTED = re.compile(r'"((?:[^"\\]|\\["\\]){1,510})"')
LONGEST_KEY = 255
BODY_OF_NONE = hashlib.sha256(b"").hexdigest()


def named_request(request: Request, key: VerifiedKey) -> NamedRequest | None:
    """Return what identifies a request whose body was read, None when the caller gave it no name.

    The name may be a plain text or, as the draft says, a quoted one. Raises `WrongIdempotencyKeyError`.
    """
    sent = request.headers.getlist(HEADER)
    if not sent:
        return None
    digest = getattr(request.state, "body_digest", BODY_OF_NONE)
    said = f"{request.method}\n{request.url.path}\n{request.url.query}\n{digest}"
    fingerprint = hashlib.sha256(said.encode()).hexdigest()
    return NamedRequest(api_key=key.prefix, name=_name(sent), fingerprint=fingerprint)


async def run_once(service: Service, act: Callable[[Engine], object], named: NamedRequest | None) -> Response:
    """Run an operation in a thread with the database, and write what it returns; a named one only once."""

    def make() -> bytes:
        return msgspec.json.encode(act(service.database()))

    if named is None:
        return _json(await to_thread.run_sync(make))
    now = service.clock()
    answer = await to_thread.run_sync(lambda: answer_once(service.database(), named, make, now=now))
    return _json(answer.body, **(REPEATED if answer.is_repeated else {}))


def _json(body: bytes, **headers: str) -> Response:
    return Response(body, media_type="application/json", headers=headers)


def _name(sent: list[str]) -> str:
    if len(sent) > 1:
        raise WrongIdempotencyKeyError(f"{HEADER} must be given once; got {len(sent)}")
    text = sent[0].strip()
    quoted = QUOTED.fullmatch(text)
    name = re.sub(r"\\(.)", r"\1", quoted.group(1)) if quoted else text
    if not 1 <= len(name) <= LONGEST_KEY or not (name.isascii() and name.isprintable()) or text == '""':
        rule = f"must have 1 to {LONGEST_KEY} printable ASCII characters"
        raise WrongIdempotencyKeyError(f"{HEADER} {rule}; got {text[:80]!r}")
    return name
