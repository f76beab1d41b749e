"""Do what a named request asks once: its answer is stored with its effect, and given again byte for byte.

Decides which of several requests of one name acts. The name counts per API key (draft-ietf-httpapi-
idempotency-key-header-07): another request under it is refused, and so is a second while the first runs. What
failed has stored nothing, neither effect nor answer, and may be sent again.
"""

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from serving.db.session import read_transaction, shared_transaction
from serving.db.tables_messages import KeptAnswerRow
from serving.errors import ErasedLeadError, OtherRequestError, StillRunningError

_running: set[tuple[str, str, str]] = set()
_guard = threading.Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedRequest:
    """A request that can be told from others: whose key, its name, and a hash of all it says."""

    api_key: str
    name: str
    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OnceAnswer:
    """The bytes of an answer; `is_repeated` when they are those of an earlier request."""

    body: bytes
    is_repeated: bool


def answer_once(
    database: Engine, request: NamedRequest, make: Callable[[], bytes], *, now: datetime
) -> OnceAnswer:
    """Return the answer kept under a name, or let `make` act and answer in one transaction with it.

    Operations that `make` calls over the same database join that transaction. Raises `OtherRequestError`
    when the name stands for another request, `StillRunningError` while the first one runs, and whatever
    `make` raises: then nothing is stored.
    """
    with read_transaction(database) as session:
        kept = _kept(session, request)
    if kept is not None:
        return kept
    with _only_one(database, request), shared_transaction(database) as session:
        _refuse_running_elsewhere(session, request)
        kept = _kept(session, request)
        return kept or _answer(session, request, make, now)


def _kept(session: Session, request: NamedRequest) -> OnceAnswer | None:
    query = select(KeptAnswerRow).where(
        KeptAnswerRow.api_key == request.api_key, KeptAnswerRow.idempotency_key == request.name
    )
    row = session.scalars(query).one_or_none()
    if row is None:
        return None
    if row.fingerprint != request.fingerprint:
        raise OtherRequestError(f"the Idempotency-Key {request.name!r} was used for another request before")
    if row.answer is None:
        raise ErasedLeadError(())
    return OnceAnswer(body=row.answer.encode(), is_repeated=True)


def _answer(session: Session, request: NamedRequest, make: Callable[[], bytes], now: datetime) -> OnceAnswer:
    body = make()
    session.add(
        KeptAnswerRow(
            api_key=request.api_key,
            idempotency_key=request.name,
            fingerprint=request.fingerprint,
            answered_at=now,
            answer=body.decode(),
        )
    )
    return OnceAnswer(body=body, is_repeated=False)


@contextmanager
def _only_one(database: Engine, request: NamedRequest) -> Iterator[None]:
    """Refuse a second request of one name in this process while the first runs."""
    name = (str(database.url), request.api_key, request.name)
    with _guard:
        if name in _running:
            raise _still_running(request)
        _running.add(name)
    try:
        yield
    finally:
        with _guard:
            _running.discard(name)


def _refuse_running_elsewhere(session: Session, request: NamedRequest) -> None:
    """Do the same for other processes on PostgreSQL; on SQLite a writer has waited for the one before it."""
    if session.get_bind().dialect.name == "sqlite":
        return
    digest = hashlib.sha256(f"{request.api_key}\n{request.name}".encode()).digest()
    number = int.from_bytes(digest[:8], "big", signed=True)
    if not session.scalar(select(func.pg_try_advisory_xact_lock(number))):
        raise _still_running(request)


def _still_running(request: NamedRequest) -> StillRunningError:
    return StillRunningError(f"the first request with the Idempotency-Key {request.name!r} is under way")
