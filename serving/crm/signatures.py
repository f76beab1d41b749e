"""Standard Webhooks: what is signed, and with which secrets.

A receiver proves with any library of standardwebhooks.com that a message came from here, is whole and is not
old. During a rotation every valid secret signs, so that the receiver may change over whenever it likes.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime

SECRET_PREFIX = "whsec_"  # noqa: S105 - how every secret begins
SECRET_BYTES = 32


def make_secret() -> str:
    """Draw a secret as receivers paste it: `whsec_` and base64 of 32 bytes."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def signed_headers(
    texts: Sequence[str], *, message_id: str, body: bytes, now: datetime
) -> tuple[tuple[str, str], ...]:
    """Return the three headers of a message: its id, the second it is sent in, one signature per secret."""
    second = str(int(now.timestamp()))
    content = b".".join((message_id.encode(), second.encode(), body))
    return (
        ("webhook-id", message_id),
        ("webhook-timestamp", second),
        ("webhook-signature", " ".join(_signature(text, content) for text in texts)),
    )


def _signature(secret: str, content: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    return "v1," + base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
