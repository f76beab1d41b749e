"""When a message is tried again: pure, from the answer, the number of tries and the time.

The waits are those of the Standard Webhooks specification: ten tries in three days and four hours, each wait
up to a tenth longer so that receivers that come back are not met by everybody at once.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum

WAITS = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
LONGEST_REST = timedelta(hours=24)
JITTER = 0.1
GONE = 410
BUSY = frozenset({429, 502, 503, 504})
"""Answers of a receiver that cannot keep up: with Retry-After it gets nothing at all until then."""


class DeliveryStatus(StrEnum):
    """Where one message for one webhook stands."""

    PENDING = "pending"
    DELIVERED = "delivered"
    PARKED = "parked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What came of one try: the status of the answer, or None and why there was none."""

    status: int | None
    reason: str
    retry_after: str | None = None

    @property
    def is_taken(self) -> bool:
        """True when the receiver has the message: any 2xx; a redirect is none."""
        return self.status is not None and 200 <= self.status < 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What follows from a try: for the message, and for everything else the webhook gets."""

    status: DeliveryStatus
    next_at: datetime
    result: str
    rests_until: datetime | None = None
    disables: bool = False


def judge(sent: Sent, *, tries: int, message_id: str, now: datetime) -> Verdict:
    """Return what follows from try number `tries` (from 1), which ended `now`."""
    if sent.is_taken:
        return Verdict(status=DeliveryStatus.DELIVERED, next_at=now, result=sent.reason)
    if sent.status == GONE:
        return Verdict(status=DeliveryStatus.PARKED, next_at=now, result=sent.reason, disables=True)
    rest = _asked_rest(sent, now)
    rests_until = None if rest is None or sent.status not in BUSY else now + rest
    if tries > len(WAITS):
        status, next_at = DeliveryStatus.PARKED, now
    else:
        status, next_at = DeliveryStatus.PENDING, now + max(_wait(tries, message_id), rest or timedelta(0))
    return Verdict(status=status, next_at=next_at, result=sent.reason, rests_until=rests_until)


def _wait(tries: int, message_id: str) -> timedelta:
    digest = hashlib.sha256(f"{message_id} {tries}".encode()).digest()
    return WAITS[tries - 1] * (1 + JITTER * int.from_bytes(digest[:4], "big") / 2**32)


def _asked_rest(sent: Sent, now: datetime) -> timedelta | None:
    """Return how long Retry-After asks to wait, in seconds or until a date; None when it says nothing."""
    text = (sent.retry_after or "").strip()
    if text.isascii() and text.isdecimal():
        return min(timedelta(seconds=int(text[:9])), LONGEST_REST)
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return None
    until = until if until.tzinfo is not None else until.replace(tzinfo=UTC)
    return min(max(until - now, timedelta(0)), LONGEST_REST)
