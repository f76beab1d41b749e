"""What an API key looks like and how it is kept: a readable prefix, a random secret, a keyed hash.

A random secret of 256 bits needs no slow hash; keyed with a file beside the database, a stolen
database alone lets nobody test guesses.
"""

import hashlib
import hmac
import os
import re
import secrets
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from features.errors import LeadPactError

KEY_PATTERN = re.compile(r"lp_([a-z0-9]{8})_([A-Za-z0-9_-]{43})")
PREFIX_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"
SECRET_BYTES = 32


class Scope(StrEnum):
    """What a key may do.

    Ask for scores, read, send leads with what they did, work on handovers, answer persons who ask for their
    rights, change what is in service, act on policies for one side.
    """

    SCORE = "score"
    READ = "read"
    INGEST = "ingest"
    HANDOVERS = "handovers"
    PRIVACY = "privacy"
    ADMIN = "admin"
    POLICY_MARKETING = "policy:marketing"
    POLICY_SALES = "policy:sales"


POLICY_SCOPES = (Scope.POLICY_MARKETING, Scope.POLICY_SALES)
"""Scopes that belong to one person and one side."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKey:
    """A key just made: the only moment at which its text exists."""

    prefix: str
    text: str


def make_key() -> NewKey:
    """Draw a new key, `lp_<prefix>_<secret>`."""
    prefix = "".join(secrets.choice(PREFIX_ALPHABET) for _ in range(8))
    return NewKey(prefix=prefix, text=f"lp_{prefix}_{secrets.token_urlsafe(SECRET_BYTES)}")


def key_prefix(text: str) -> str | None:
    """Return the prefix of a text that has the form of a key."""
    found = KEY_PATTERN.fullmatch(text)
    return found and found.group(1)


def hash_key(text: str, secret: bytes) -> str:
    """Return HMAC-SHA256 of a key under the workspace's secret, in hex."""
    return hmac.new(secret, text.encode(), hashlib.sha256).hexdigest()


def read_or_create_secret(file: Path) -> bytes:
    """Return the workspace's secret; the first process that needs one creates it, for the owner only."""
    if not file.exists():
        _create_secret(file)
    secret = file.read_bytes()
    if len(secret) != SECRET_BYTES:
        raise LeadPactError(
            f"{file} must hold {SECRET_BYTES} bytes; it has {len(secret)}. Restore it from a backup, "
            "or delete it and create the API keys again"
        )
    return secret


def _create_secret(file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f"{file.name}.{secrets.token_hex(8)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(secrets.token_bytes(SECRET_BYTES))
            stream.flush()
            os.fsync(stream.fileno())
        _publish(draft, file)
    finally:
        draft.unlink()


def _publish(draft: Path, file: Path) -> None:
    try:
        file.hardlink_to(draft)
    except FileExistsError:
        return  # another process was first: its secret counts
