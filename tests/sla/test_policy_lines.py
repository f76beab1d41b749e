"""Every path of a TOML text stands on the line that a reader would point at."""

import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given

from sla.policy import Policy
from sla.policy_file import write_policy
from sla.policy_lines import Path, line_numbers
from tests.builders_policy import policies

TRICKY = """\
# a comment with [brackets] and = signs
a = 1
"q.x".'y z' . w = [1, # two ] }
  2, {k = "}", z.b = 3}, \"\"\"
three
\"\"\", '''
four'''
]
[t.u]
x = \"\"\"a\\\"\"\"\"
y = {a=1,b=[{c=2},
 {c=3}]}
d = 2026-01-01 10:00:00 # a date
[[arr]]
k=1
[[arr]]
k=2
[arr.sub]
v=1
[[arr.deep]]
v=1
[[arr.deep]]
v=2
[ "arr" . deep . "o\\u0041" ]
e = ""
f = \"\"\"\"two\"\"\"\"
g = [[],[[]]]
h = '''''quoted'''''
i = false"""


def paths(value: Any, path: Path = ()) -> Iterator[Path]:
    """Yield the path of every table, array and value of a parsed text."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from paths(inner, (*path, key))


def test_every_path_has_a_line_and_no_line_is_invented() -> None:
    """The scanner finds exactly the paths that the reader of the standard library finds."""
    assert set(line_numbers(TRICKY)) == set(paths(tomllib.loads(TRICKY)))


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("a",), 2),
        (("q.x", "y z", "w"), 3),
        (("q.x", "y z", "w", 2, "z", "b"), 4),
        (("q.x", "y z", "w", 4), 6),
        (("t",), 9),
        (("t", "u", "y", "b", 1, "c"), 12),
        (("t", "u", "d"), 13),
        (("arr",), 14),
        (("arr", 1, "k"), 17),
        (("arr", 1, "sub", "v"), 19),
        (("arr", 1, "deep", 1), 22),
        (("arr", 1, "deep", 1, "oA", "g", 1, 0), 27),
        (("arr", 1, "deep", 1, "oA", "i"), 29),
    ],
    ids=str,
)
def test_lines_of_tricky_places(path: Path, line: int) -> None:
    """Multi-line strings, inline tables, dotted and quoted keys and arrays of tables keep the count."""
    assert line_numbers(TRICKY)[path] == line


@given(policies())
def test_written_policies_are_found_again(policy: Policy) -> None:
    """Whatever texts a policy holds, each of its paths has a line, and the lines ascend with the file."""
    text = write_policy(policy)
    lines = line_numbers(text)
    assert set(lines) == set(paths(tomllib.loads(text)))
    assert list(lines.values()) == sorted(lines.values())


def test_a_hostile_key_costs_little() -> None:
    """Prefixes of an endless dotted key are not noted."""
    text = ".".join("a" * 500) + " = 1"
    assert len(line_numbers(text)) <= 20
