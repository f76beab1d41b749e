"""Each of the twelve rows of the mission names tests that show it, and they exist."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROWS = 12


def named_tests() -> dict[int, list[tuple[str, str]]]:
    """Return for each row of the table the tests it names: file and function."""
    text = (ROOT / "sla" / "README.md").read_text("utf-8")
    lines = re.findall(r"^\| (\d+) \|(.*)\|$", text, re.MULTILINE)
    return {int(row): re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", cells) for row, cells in lines}


def functions_of(path: Path) -> set[str]:
    """Return the names of the functions a file defines."""
    tree = ast.parse(path.read_text("utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_every_row_is_shown_by_a_test() -> None:
    """A row without a test, or with one that was renamed, would be a promise nobody keeps."""
    rows = named_tests()
    assert sorted(rows) == list(range(1, ROWS + 1))
    assert [row for row, tests in rows.items() if not tests] == []
    missing = [
        f"{file}::{name}"
        for tests in rows.values()
        for file, name in tests
        if not (ROOT / file).is_file() or name not in functions_of(ROOT / file)
    ]
    assert missing == []
