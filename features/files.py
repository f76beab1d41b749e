"""Drafts of files that appear whole or not at all, and a disk that refuses as one sentence.

What is in the files is decided by those who write them.
"""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from features.errors import LeadPactError


@contextmanager
def disk_failures_named(folder: Path, consequence: str) -> Iterator[None]:
    """Turn an OSError of the block (disk full, read-only, not a folder) into a LeadPactError."""
    try:
        yield
    except OSError as error:
        why = os.strerror(error.errno) if error.errno else str(error)
        raise LeadPactError(f"cannot write to {folder}: {why}; {consequence}") from error


@contextmanager
def draft_of(path: Path) -> Iterator[Path]:
    """Give a new name beside `path` to write to; the draft never outlives the block.

    Two processes that write the same file have a draft each.
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}.draft")
    try:
        yield draft
    finally:
        draft.unlink(missing_ok=True)
