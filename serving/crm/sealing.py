"""Signing secrets at rest: sealed with a key that the database does not hold.

The key comes from the workspace's secret file (`serving.keys`), by HKDF and for this use only. Who has the
database alone can sign nothing; a sealed secret that is moved to another webhook does not open.
"""

import base64
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from features.errors import LeadPactError

NONCE_BYTES = 12
KEY_BYTES = 32
USE = b"leadpact webhook secrets 1"


class SecretLostError(LeadPactError):
    """A sealed secret does not open with this workspace's secret file."""


def seal(text: str, *, webhook_id: str, secret: bytes) -> str:
    """Return a secret sealed for one webhook (AES-256-GCM), as base64."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    sealed = AESGCM(_key(secret)).encrypt(nonce, text.encode(), webhook_id.encode())
    return base64.b64encode(nonce + sealed).decode()


def unseal(sealed: str, *, webhook_id: str, secret: bytes) -> str:
    """Return the secret; raises `SecretLostError` when another key or webhook sealed it."""
    raw = base64.b64decode(sealed)
    try:
        text = AESGCM(_key(secret)).decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], webhook_id.encode())
    except InvalidTag as error:
        raise SecretLostError(
            f"the signing secret of webhook {webhook_id} does not open with this workspace's secret file; "
            "restore the file, or make a new secret with `leadpact webhooks rotate`"
        ) from error
    return text.decode()


def _key(secret: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=USE).derive(secret)
