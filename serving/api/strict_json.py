"""Bytes to plain values, or one refusal. Stricter than JSON where looseness hurts later.

Refused besides malformed text: duplicate keys (the last would silently win), U+0000 (PostgreSQL cannot
store it), integers beyond int64, nesting deeper than 32. NaN, Infinity, 1e999 and lone surrogates
are no JSON.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from features.errors import InputError

DEEPEST_NESTING = 32
INT64_DIGITS = b"0" * 19
ALL_DIGITS_ALIKE = bytes.maketrans(b"0123456789", b"0" * 10)
NUL_ESCAPE = rb"\u0000"
SPACED_COLONS = (b" :", b"\t:", b"\n:", b"\r:")

CONTAINERS: frozenset[type[Any]] = frozenset({dict, list})

_decoder = msgspec.json.Decoder()


class MalformedBodyError(InputError):
    """The body is not JSON that this service reads."""


def decode_strict(body: bytes) -> object:
    """Return the value of a JSON document made of dict, list, str, int, float, bool and None."""
    try:
        value = _decoder.decode(body)
    except msgspec.MsgspecError as error:
        reason = str(error).removeprefix("JSON is malformed: ")
        raise MalformedBodyError(f"the body is not valid JSON: {reason}") from error
    except UnicodeDecodeError as error:
        raise MalformedBodyError(f"the body is not valid UTF-8 at byte {error.start}") from error
    except RecursionError as error:
        raise MalformedBodyError(f"the body is nested deeper than {DEEPEST_NESTING} levels") from error
    if isinstance(value, dict | list):
        _refuse_duplicates(body, _count_members(value, DEEPEST_NESTING))
    if NUL_ESCAPE in body or INT64_DIGITS in body.translate(ALL_DIGITS_ALIKE):
        _refuse_unstorable(value)
    return value


def _count_members(container: dict[str, object] | list[object], levels: int) -> int:
    """Count the members of all objects; too deep is refused on the way."""
    if levels == 0:
        raise MalformedBodyError(f"the body is nested deeper than {DEEPEST_NESTING} levels")
    is_object = isinstance(container, dict)
    inner: Iterable[Any] = container.values() if isinstance(container, dict) else container
    # What the decoder gives is of exactly these classes; asking isinstance of each value costs most of it.
    deeper = (_count_members(value, levels - 1) for value in inner if value.__class__ in CONTAINERS)
    return len(container) * is_object + sum(deeper)


def _refuse_duplicates(body: bytes, members: int) -> None:
    # Every member ends its key with a quote and a colon, so more of those than members in the result means
    # a lost duplicate or a text that holds \": itself; a space between the two hides a member from the
    # count. Only then it is read again.
    if body.count(b'":') != members or any(colon in body for colon in SPACED_COLONS):
        json.loads(body, object_pairs_hook=_unique_members)


def _unique_members(pairs: list[tuple[str, object]]) -> Mapping[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        double = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise MalformedBodyError(f"the key {double[:80]!r} occurs twice in one object")
    return found


def _refuse_unstorable(value: object) -> None:
    match value:
        case dict():
            for name, inner in value.items():
                _refuse_unstorable(name)
                _refuse_unstorable(inner)
        case list():
            for inner in value:
                _refuse_unstorable(inner)
        case str() if "\x00" in value:
            raise MalformedBodyError("a text must not contain the character U+0000")
        case int() if not -(2**63) <= value < 2**63:
            raise MalformedBodyError(f"an integer must fit 64 bits; got {str(value)[:40]}")
