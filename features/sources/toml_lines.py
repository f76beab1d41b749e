"""Where each key of a TOML text stands, so that a problem can name its line.

What a key means is not known here.
"""

import re
import tomllib
from collections.abc import Iterator
from typing import Any

BARE_OR_QUOTED = r"""(?:[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|'[^']*')"""
DOTTED_KEY = rf"{BARE_OR_QUOTED}(?:\s*\.\s*{BARE_OR_QUOTED})*"
HEADER_LINE = re.compile(rf"^\s*\[\[?\s*({DOTTED_KEY})\s*\]\]?\s*(?:#.*)?$")
KEY_LINE = re.compile(rf"^\s*({DOTTED_KEY})\s*=")
LONG_QUOTES = ('"""', "'''")

KeyPath = tuple[str, ...]


def lines_of_keys(text: str) -> dict[KeyPath, int]:
    """Return the line (from 1) on which each table and key of a TOML text begins."""
    found: dict[KeyPath, int] = {}
    section: KeyPath = ()
    for number, line in _lines_outside_long_text(text):
        if header := HEADER_LINE.match(line):
            section = _key_path(header[1])
            found.setdefault(section, number)
        elif key := KEY_LINE.match(line):
            found.setdefault(section + _key_path(key[1]), number)
    return found


def _lines_outside_long_text(text: str) -> Iterator[tuple[int, str]]:
    closing: str | None = None
    for number, line in enumerate(text.splitlines(), start=1):
        if closing is None:
            yield number, line
            closing = next((each for each in LONG_QUOTES if line.count(each) % 2 == 1), None)
        elif line.count(closing) % 2 == 1:
            closing = None


def _key_path(dotted: str) -> KeyPath:
    """Let the TOML parser itself undo quoting and dots."""
    path: list[str] = []
    value: Any = tomllib.loads(f"{dotted} = 0")
    while isinstance(value, dict):
        name = next(iter(value))
        path.append(name)
        value = value[name]
    return tuple(path)
