"""Reads a request's body: limited in size while it streams, limited in time, plain JSON only."""

import asyncio
import hashlib

from starlette.requests import Request

from serving.api.errors import BodyTooLargeError, BodyTooSlowError, UnsupportedBodyError
from serving.api.fields import Checker, Field, WrongFieldsError
from serving.api.strict_json import decode_strict

MOST_BODY_BYTES = 8 * 1024 * 1024
READ_TIMEOUT_SECONDS = 15.0


async def read_json(request: Request) -> object:
    """Return the body as plain values; every way a body can be wrong has its own error."""
    _refuse_unsupported(request)
    _refuse_announced_size(request.headers.get("content-length"))
    try:
        async with asyncio.timeout(READ_TIMEOUT_SECONDS):
            body = await _read_limited(request)
    except TimeoutError as error:
        raise BodyTooSlowError(f"the body did not arrive within {READ_TIMEOUT_SECONDS:g} seconds") from error
    request.state.body_digest = hashlib.sha256(body).hexdigest()
    return decode_strict(body)


def check_body(field: Field, value: object) -> dict[str, object]:
    """Return a body's members ready to use, or raise `WrongFieldsError` with every problem."""
    checker = Checker()
    checked = checker.check(field, value, "")
    if not isinstance(value, dict) or not isinstance(checked, dict):
        raise WrongFieldsError(tuple(checker.problems))
    checker.refuse_problems()
    return checked


async def _read_limited(request: Request) -> bytes:
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MOST_BODY_BYTES:
            raise _too_large()
        chunks.append(chunk)
    return b"".join(chunks)


def _refuse_unsupported(request: Request) -> None:
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding != "identity":
        raise UnsupportedBodyError(f"Content-Encoding must be absent; got {encoding[:80]!r}")
    media_type, *parameters = request.headers.get("content-type", "application/json").lower().split(";")
    if media_type.strip() != "application/json":
        raise UnsupportedBodyError(f"Content-Type must be application/json; got {media_type[:80]!r}")
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        charset = value.strip().strip('"')
        if name.strip() == "charset" and charset != "utf-8":
            raise UnsupportedBodyError(f"the charset must be utf-8; got {charset[:80]!r}")


def _refuse_announced_size(length: str | None) -> None:
    if length is not None and length.isdecimal() and int(length) > MOST_BODY_BYTES:
        raise _too_large()


def _too_large() -> BodyTooLargeError:
    return BodyTooLargeError(
        f"a body may have {MOST_BODY_BYTES // 1024 // 1024} MB; send fewer leads at a time"
    )
