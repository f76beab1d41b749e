"""Where each value of a TOML text stands: path -> line. The reader of the standard library gives no lines.

Decides nothing about validity: the text must already have passed `tomllib`, so the scanner only has to find
its way. Paths are tuples of keys and, inside arrays and arrays of tables, indices from 0.
"""

import re
import tomllib
from typing import Any

Path = tuple[str | int, ...]

DEEPEST_PATH = 16
"""Longer prefixes are not noted: no policy is that deep, and a hostile one would cost quadratic time."""

_SPACE = re.compile(r"[ \t]*")
_GAP = re.compile(r"(?:[ \t\r\n,]|#[^\n]*)*")
_KEY = re.compile(r"""(?:[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|[ \t]*\.[ \t]*)+""")
_STRING = re.compile(
    r'"""(?:[^\\]|\\.)*?"""(?:"{1,2}(?!"))?'
    r"|'''.*?'''(?:'{1,2}(?!'))?"
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|'[^'\n]*'",
    re.DOTALL,
)
_PLAIN = re.compile(r"[^,\]}#\n]+")


def line_numbers(text: str) -> dict[Path, int]:
    """Return the line (from 1) on which each table, key and array item of a valid TOML text begins.

    Raises RecursionError on a text nested deeper than the interpreter can follow.
    """
    scanner = _Scanner(text)
    scanner.read_document()
    return scanner.lines


class _Scanner:
    """One walk over the text; `lines` grows, the place moves only forward."""

    def __init__(self, text: str) -> None:
        self.lines: dict[Path, int] = {(): 1}
        self._text = text
        self._place = 0
        self._counted_to = 0
        self._line = 1
        self._last_index: dict[Path, int] = {}

    def read_document(self) -> None:
        """Read headers and key-value pairs until the end."""
        table: Path = ()
        self._skip(_GAP)
        while self._place < len(self._text):
            if self._at("["):
                table = self._read_header()
            else:
                self._read_pair(table)
            self._skip(_GAP)

    def _read_header(self) -> Path:
        line, is_array = self._line_here(), self._at("[[")
        self._place += 2 if is_array else 1
        table = self._resolve(self._read_key())
        self._place += 2 if is_array else 1
        self._note_prefixes(table, line)
        if is_array:
            self.lines.setdefault(table, line)
            self._last_index[table] = self._last_index.get(table, -1) + 1
            table = (*table, self._last_index[table])
        self.lines[table] = line
        return table

    def _resolve(self, keys: tuple[str, ...]) -> Path:
        """Turn the keys of a header into a path: inside an array of tables, its newest table is meant."""
        path: Path = ()
        for position, key in enumerate(keys):
            path = (*path, key)
            if path in self._last_index and position < len(keys) - 1:
                path = (*path, self._last_index[path])
        return path

    def _read_pair(self, table: Path) -> None:
        line = self._line_here()
        keys = self._read_key()
        self._note_prefixes((*table, *keys), line)
        self._place += 1  # the equals sign
        self._skip(_SPACE)
        self._read_value((*table, *keys))

    def _note_prefixes(self, path: Path, line: int) -> None:
        """Note a line for every table a dotted key or a header mentions for the first time."""
        for length in range(1, min(len(path), DEEPEST_PATH) + 1):
            self.lines.setdefault(path[:length], line)

    def _read_key(self) -> tuple[str, ...]:
        """Read a bare, quoted or dotted key; the standard library decodes its escapes."""
        self._skip(_SPACE)
        start = self._place
        self._skip(_KEY)
        written = self._text[start : self._place].strip()
        self._skip(_SPACE)
        return _key_parts(tomllib.loads(f"{written} = 0"))

    def _read_value(self, path: Path) -> None:
        if self._at("["):
            self._read_array(path)
        elif self._at("{"):
            self._read_inline_table(path)
        else:
            self._skip(_STRING) or self._skip(_PLAIN)

    def _read_array(self, path: Path) -> None:
        self._place += 1
        self._skip(_GAP)
        index = 0
        while not self._at("]"):
            self.lines[(*path, index)] = self._line_here()
            self._read_value((*path, index))
            self._skip(_GAP)
            index += 1
        self._place += 1

    def _read_inline_table(self, path: Path) -> None:
        self._place += 1
        self._skip(_GAP)
        while not self._at("}"):
            self._read_pair(path)
            self._skip(_GAP)
        self._place += 1

    def _at(self, text: str) -> bool:
        return self._text.startswith(text, self._place)

    def _skip(self, pattern: re.Pattern[str]) -> bool:
        match = pattern.match(self._text, self._place)
        if match is None:
            return False
        self._place = match.end()
        return True

    def _line_here(self) -> int:
        self._line += self._text.count("\n", self._counted_to, self._place)
        self._counted_to = self._place
        return self._line


def _key_parts(nested: dict[str, Any]) -> tuple[str, ...]:
    parts: list[str] = []
    level: Any = nested
    while isinstance(level, dict):
        key, level = next(iter(level.items()))
        parts.append(key)
    return tuple(parts)
