"""Every rule the code can say of a policy file, read from the syntax tree: what a translation must cover."""

import ast
from collections.abc import Iterator
from pathlib import Path

SLA = Path(__file__).resolve().parents[2] / "sla"
SAYS_A_RULE = {"BrokenRule": 1, "Finding": 1, "Kind": 0, "fail": 1, "report": 1, "_whole_file": 2}
"""Which argument of a call is the rule."""

NOT_OF_FILES = {"what_if.py", "away.py", "clock.py", "lifecycle.py"}
"""Rules of questions and of what happens to leads, not of policy files."""


def written_rules() -> dict[str, str]:
    """Return every rule as a template, `{}` for what is filled in, with a place where it is written."""
    found: dict[str, str] = {}
    for path in sorted(SLA.glob("*.py")):
        if path.name not in NOT_OF_FILES:
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                for template in _templates(node):
                    found.setdefault(template, f"{path.name}:{getattr(node, 'lineno', 0)}")
    return found


def _templates(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Call):
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        place = SAYS_A_RULE.get(name, 99)
        if len(node.args) > place:
            yield from _template(node.args[place])
    if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "rule":
        yield from _template(node.value)


def _template(node: ast.expr) -> Iterator[str]:
    """Return the template of a text; one that is only passed on says nothing here."""
    match node:
        case ast.Constant(value=str(text)) if not text.startswith("_"):
            yield text
        case ast.JoinedStr():
            yield "".join(
                part.value if isinstance(part, ast.Constant) else "{}"  # type: ignore[misc]
                for part in node.values
            )
        case ast.BinOp(left=left):
            yield from _template(left)
        case _:
            return
