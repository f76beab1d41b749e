"""Bytes to values: right JSON is read as the standard library reads it, everything loose is refused."""

import json
import math
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from serving.api.strict_json import DEEPEST_NESTING, MalformedBodyError, decode_strict

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]))
)
DOCUMENTS = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"])), inner, max_size=4
        )
    ),
    max_leaves=25,
)


def nested(depth: int) -> bytes:
    """Return a list in a list in a list."""
    return b"[" * depth + b"]" * depth


@given(DOCUMENTS, st.booleans())
@example({'"a":"b"': '":', "\\u0000": "\\\\u0000"}, True)
def test_right_documents_are_read_as_they_are(document: Any, ascii_only: bool) -> None:
    """Whatever the standard library writes comes back equal, quotes and colons in texts included."""
    assert decode_strict(json.dumps(document, ensure_ascii=ascii_only).encode()) == document


@given(st.binary() | st.text().map(str.encode) | DOCUMENTS.map(lambda value: json.dumps(value)[:-1].encode()))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    """No other error gets out, and what is read is finite and storable."""
    try:
        value = decode_strict(body)
    except MalformedBodyError:
        return
    assert_storable(value)


def assert_storable(value: object) -> None:
    """Check what the refusals promise."""
    match value:
        case dict():
            for name, inner in value.items():
                assert_storable(name)
                assert_storable(inner)
        case list():
            for inner in value:
                assert_storable(inner)
        case float():
            assert math.isfinite(value)
        case str():
            assert "\x00" not in value
            value.encode()


@given(DOCUMENTS, DOCUMENTS, st.integers(0, 5), st.sampled_from(["", " ", "\t", "\r\n"]))
@example("", "", 0, " ")
def test_a_duplicate_key_is_found_anywhere(one: Any, other: Any, depth: int, space: str) -> None:
    """In any depth, beside any neighbours, however the key is written and spaced."""
    inner = f'{{"k": {json.dumps(one)}, "x": 1, "\\u006b"{space}: {json.dumps(other)}}}'
    body = '{"a": [' * depth + inner + "]}" * depth
    with pytest.raises(MalformedBodyError, match="'k' occurs twice"):
        decode_strict(body.encode())


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        pytest.param(b"", "not valid JSON", id="nothing"),
        pytest.param(b"{", "not valid JSON", id="cut-off"),
        pytest.param(b"{} {}", "not valid JSON", id="two-documents"),
        pytest.param(b"\xef\xbb\xbf{}", "not valid JSON", id="byte-order-mark"),
        pytest.param(b'{"a": NaN}', "not valid JSON", id="nan"),
        pytest.param(b'{"a": Infinity}', "not valid JSON", id="infinity"),
        pytest.param(b'{"a": 1e999}', "out of range", id="beyond-double"),
        pytest.param(b'{"a": "\\ud800"}', "not valid JSON", id="lone-surrogate"),
        pytest.param(b'{"a": "\\udc00x"}', "not valid JSON", id="lone-low-surrogate"),
        pytest.param(b'{"\\ud800": 1}', "not valid JSON", id="lone-surrogate-in-a-key"),
        pytest.param(b'"\xed\xa0\x80"', "not valid UTF-8", id="surrogate-bytes"),
        pytest.param(b'"\xc3\x28"', "not valid UTF-8", id="broken-bytes"),
        pytest.param(b'{"a": "x\\u0000y"}', r"U\+0000", id="nul"),
        pytest.param(b'{"x\\u0000y": 1}', r"U\+0000", id="nul-in-a-key"),
        pytest.param(b'{"a": 9223372036854775808}', "must fit 64 bits", id="beyond-int64"),
        pytest.param(b'{"a": -9223372036854775809}', "must fit 64 bits", id="below-int64"),
        pytest.param(b"[" + b"9" * 5_000 + b"]", "not valid JSON", id="huge-integer"),
        pytest.param(nested(DEEPEST_NESTING + 1), "nested deeper than 32", id="too-deep"),
        pytest.param(nested(900), "nested deeper than 32", id="much-too-deep"),
        pytest.param(nested(200_000), "nested deeper than 32", id="as-deep-as-it-gets"),
        pytest.param(b"[" * 200_000, "nested deeper than 32", id="deep-and-cut-off"),
    ],
)
def test_loose_documents_are_refused(body: bytes, rule: str) -> None:
    """Each of these gave a 500, or silent damage, in a stock service (RELIABILITY section 2)."""
    with pytest.raises(MalformedBodyError, match=rule):
        decode_strict(body)


def test_the_limits_themselves_are_allowed() -> None:
    """A limit is the last good value, not the first bad one."""
    assert decode_strict(nested(DEEPEST_NESTING)) is not None
    assert decode_strict(b"[9223372036854775807, -9223372036854775808]") == [2**63 - 1, -(2**63)]
    assert decode_strict(b'"1234567890123456789012345"') == "1234567890123456789012345"
