"""Reading the fields of a policy text so that no mistake hides another.

Decides what type a field must have, and how a problem names its line, path and value. A field that is wrong
is reported and replaced by a stand-in, so that the rest of its table is still checked; nothing built with a
stand-in is ever used.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from difflib import get_close_matches
from enum import StrEnum
from typing import Any, Generic, TypeVar

from sla.clauses import HOURS_PER_BUSINESS_DAY, ON_SIGNATURE
from sla.errors import BrokenRulesError, PolicyProblem, shown
from sla.policy_lines import Path
from sla.stages import Stage

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

LONGEST_GUESSED = 60
"""Longer words are no typing errors, and comparing them costs quadratic time."""

_DURATION = re.compile(r"(\d{1,6}) ?(min|h|d)")
_UNITS = {
    "min": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(hours=HOURS_PER_BUSINESS_DAY),
}
NO_VALUE = object()
"""Says that a problem has no value to show; None could be one."""


@dataclass(frozen=True, slots=True)
class Kind(Generic[T_co]):
    """A type of field: the rule in words, a reader that answers None for what breaks it, a stand-in."""

    rule: str
    read: Callable[[Any], T_co | None]
    stand_in: T_co
    words: tuple[str, ...] = ()


E = TypeVar("E", bound=StrEnum)


def one_of(enum: type[E], stand_in: E) -> Kind[E]:
    """Return the kind of a field that holds one of the words of an enumeration."""

    def read(value: object) -> E | None:
        return next((one for one in enum if one.value == value), None)

    return Kind(f"must be one of {', '.join(enum)}", read, stand_in, tuple(enum))


def _read_duration(value: object) -> timedelta | None:
    match = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    return None if match is None else int(match[1]) * _UNITS[match[2]]


def _read_dates(value: object) -> frozenset[date] | None:
    if isinstance(value, list) and all(type(one) is date for one in value):
        return frozenset(value)
    return None


def _read_texts(value: object) -> tuple[str, ...] | None:
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return tuple(value)
    return None


TEXT: Kind[str] = Kind("must be a text", lambda value: value if isinstance(value, str) else None, "-")
WHOLE: Kind[int] = Kind("must be a whole number", lambda value: value if type(value) is int else None, 1)
NUMBER: Kind[float] = Kind(
    "must be a number", lambda value: value if type(value) in (int, float) else None, 0.5
)
FLAG: Kind[bool] = Kind(
    "must be true or false", lambda value: value if isinstance(value, bool) else None, stand_in=False
)
TEXTS: Kind[tuple[str, ...]] = Kind("must be a list of texts", _read_texts, ("-",))
DATES: Kind[frozenset[date]] = Kind("must be a list of dates such as 2026-12-25", _read_dates, frozenset())
DAY: Kind[date] = Kind(
    "must be a date such as 2026-12-19",
    lambda value: value if type(value) is date else None,
    date(2026, 1, 1),
)
STAGE: Kind[Stage] = one_of(Stage, Stage.MQL)
DURATION: Kind[timedelta] = Kind(
    'must be a duration such as "30 min", "4 h" or "2 d"', _read_duration, _UNITS["h"]
)
EFFECTIVE: Kind[date | str] = Kind(
    f'must be a date, a date and time with an offset such as 2026-01-01T00:00:00+01:00, or "{ON_SIGNATURE}"',
    lambda value: value if type(value) is date or _is_aware(value) or value == ON_SIGNATURE else None,
    date(2026, 1, 1),
)


def _is_aware(value: object) -> bool:
    return isinstance(value, datetime) and value.utcoffset() is not None


class Reading:
    """The problems found so far in one text, and where each path of it stands."""

    def __init__(self, lines: Mapping[Path, int]) -> None:
        self._lines = lines
        self._problems: list[PolicyProblem] = []

    @property
    def problems(self) -> tuple[PolicyProblem, ...]:
        """Every problem, in the order of the file."""
        return tuple(sorted(self._problems, key=lambda problem: problem.line or 0))

    def report(self, path: Path, rule: str, value: object = NO_VALUE) -> None:
        """Add one problem; a path that is not in the text stands where its nearest table does."""
        text = None if value is NO_VALUE else shown(value)
        self._problems.append(PolicyProblem(self._line_of(path), path_text(path), rule, text))

    def _line_of(self, path: Path) -> int:
        known = (path[:length] for length in range(len(path), -1, -1))
        return next(self._lines[one] for one in known if one in self._lines)


def path_text(path: Path) -> str:
    """Return a path as people count: `thresholds #2.exit` is the exit of the second threshold."""
    parts = (f" #{part + 1}" if isinstance(part, int) else f".{part}" for part in path)
    return "".join(parts).removeprefix(".")


def did_you_mean(word: object, known: tuple[str, ...]) -> str:
    """Return ` (did you mean "…"?)` for a near miss, else nothing."""
    near = get_close_matches(str(word)[:LONGEST_GUESSED], known, n=1)
    return f' (did you mean "{near[0]}"?)' if near else ""


class TableReader:
    """One table of the text: read its fields, `build` the value, then `close` for keys nobody knows."""

    def __init__(self, reading: Reading, path: Path, values: Mapping[str, Any]) -> None:
        self.path = path
        self._reading = reading
        self._values = values
        self._asked: set[str] = set()
        self._failed: set[str] = set()

    def need(self, key: str, kind: Kind[T]) -> T:
        """Read a field that must be there."""
        if not self.has(key):
            self.fail(key, f'must have "{key}": it {kind.rule}')
            return kind.stand_in
        return self.read_item(key, (), self._values[key], kind)

    def get(self, key: str, kind: Kind[T], default: T) -> T:
        """Read a field that may be left out."""
        return self.need(key, kind) if self.has(key) else default

    def maybe(self, key: str, kind: Kind[T]) -> T | None:
        """Read a field that means nothing in particular when it is left out."""
        return self.need(key, kind) if self.has(key) else None

    def has(self, key: str) -> bool:
        """Say whether the key is there, and remember it as one that is known here."""
        self._asked.add(key)
        return key in self._values

    def read_item(self, key: str, inside: Path, value: object, kind: Kind[T]) -> T:
        """Read a value by its kind; `inside` leads from the field to an item of it."""
        read = kind.read(value)
        if read is None:
            self.fail(key, kind.rule + did_you_mean(value, kind.words), value, inside=inside)
            return kind.stand_in
        return read

    def items(self, key: str, *, of: str) -> list[object]:
        """Return the items of an array that may be left out."""
        values = self._values.get(key, []) if self.has(key) else []
        if not isinstance(values, list):
            self.fail(key, f"must be a list of {of}", values)
            return []
        return values

    def tables(self, key: str) -> Iterator["TableReader"]:
        """Yield a reader for each table of an array of tables that may be left out."""
        for index, values in enumerate(self.items(key, of="tables")):
            if isinstance(values, dict):
                yield TableReader(self._reading, (*self.path, key, index), values)
            else:
                self.fail(key, "must be a table", values, inside=(index,))

    def table(self, key: str) -> "TableReader":
        """Return a reader for a table that must be there; for one that is not, a reader of nothing."""
        values = self._values.get(key) if self.has(key) else None
        if isinstance(values, dict):
            return TableReader(self._reading, (*self.path, key), values)
        if values is None:
            self.fail(key, f"must have a section [{key}]")
        else:
            self.fail(key, "must be a section", values)
        return TableReader(_unheard(), (*self.path, key), {})

    def fail(self, key: str, rule: str, value: object = NO_VALUE, *, inside: Path = ()) -> None:
        """Report a problem of one field of this table, or of an item inside the field."""
        self._failed.add(key)
        self._reading.report((*self.path, key, *inside) if key in self._values else self.path, rule, value)

    def is_sound(self, *keys: str) -> bool:
        """Say whether none of these fields has a problem so far."""
        return self._failed.isdisjoint(keys)

    def spoil(self, key: str) -> None:
        """Count a field as wrong whose problem was reported in a table inside it."""
        self._failed.add(key)

    def build(self, make: Callable[..., T], **parts: object) -> T | None:
        """Build the value and report the rules it breaks; None when anything in this table is wrong.

        A rule that a stand-in breaks, or that holds a field against a stand-in, is not reported.
        """
        built = None
        try:
            built = make(**parts)
        except BrokenRulesError as error:
            for broken in error.broken:
                if broken.field not in self._failed and broken.against not in self._failed:
                    self._reading.report(self._place_of(broken.field), broken.rule, broken.value)
            self._failed.add("")
        return None if self._failed else built

    def _place_of(self, field: str) -> Path:
        return (*self.path, field) if field in self._values else self.path

    def close(self) -> None:
        """Report every key that was never asked for, with the known key that looks most like it."""
        for key in self._values:
            if key not in self._asked:
                hint = did_you_mean(key, tuple(sorted(self._asked)))
                self._reading.report((*self.path, key), f"is not a key that is known here{hint}")


def _unheard() -> Reading:
    """Return a reading nobody listens to: a missing section is one problem, not one for each of its keys."""
    return Reading({(): 1})
