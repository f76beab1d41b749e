"""JSON as text files of ours hold it: no duplicate key, no NaN, no Infinity, one byte form per value.

What the values mean is decided by the reader of each file, not here.
"""

import json
import math
from collections.abc import Iterable
from typing import NoReturn

from features.errors import InputError


class _StrictJsonError(ValueError):
    """JSON that Python's reader would accept and we do not."""


def read_json_object(data: bytes, *, source: str) -> dict[str, object]:
    """Return the one JSON object in UTF-8 bytes; InputError names the source and the rule it breaks."""
    try:
        value = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_unique_keys,
            parse_constant=_refuse_constant,
            parse_float=_finite_float,
            parse_int=_bounded_int,
        )
    except (ValueError, RecursionError) as error:
        raise InputError(f"{source}: must be strict JSON; {error}") from error
    if not isinstance(value, dict):
        raise InputError(f"{source}: must hold one JSON object; got {type(value).__name__}")
    return value


def write_json(value: object) -> bytes:
    """Return UTF-8 bytes of plain JSON values: keys sorted, two spaces, a final newline."""
    text = json.dumps(value, allow_nan=False, ensure_ascii=False, indent=2, sort_keys=True)
    return f"{text}\n".encode()


def _unique_keys(pairs: Iterable[tuple[str, object]]) -> dict[str, object]:
    fields: dict[str, object] = {}
    for key, value in pairs:
        if key in fields:
            raise _StrictJsonError(f"key {key!r} occurs twice")
        fields[key] = value
    return fields


def _refuse_constant(name: str) -> NoReturn:
    raise _StrictJsonError(f"{name} is not a JSON number")


def _finite_float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise _StrictJsonError(f"number {text[:80]} is too large")
    return value


def _bounded_int(text: str) -> int:
    digits_of_int64 = 19
    if len(text.lstrip("-")) > digits_of_int64:
        raise _StrictJsonError(f"integer {text[:80]} is too long")
    return int(text)
