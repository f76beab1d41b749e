"""Every operation that writes leaves its trace in the audit log; the exceptions are named with reasons."""

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BARE = {"write_transaction", "shared_transaction"}
EXCEPTIONS = {
    "answer_once": "keeps an answer beside acts of operations, which leave their own traces",
    "claim_deliveries": "leases what a courier sends now: no act of a person",
    "record_deliveries": "writes down what came of a try: no act of a person",
    "finish_erasures": "clears files of persons whose erasure left its trace",
    "run_retention": "deletes by age in several transactions; one note says how much of each class",
    "check_api_key": "notes when a key was last used: no act of a person",
    "record_scores": "scores are content-addressed and name everything they rest on; millions of them",
}


def names_called(path: Path) -> set[str]:
    """Return the names of every function and method a file calls, nested ones included."""
    calls = (node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call))
    return {getattr(call.func, "id", getattr(call.func, "attr", "")) for call in calls}


def operations() -> dict[str, set[str]]:
    """Return every operation with what it calls."""
    files = sorted((ROOT / "serving" / "operations").glob("*.py"))
    return {path.stem: names_called(path) for path in files}


def test_operations_write_only_with_a_trace() -> None:
    """`write_transaction` is for the exceptions; everybody else uses `audited_transaction`."""
    bare = {name for name, called in operations().items() if called & BARE}
    assert bare == set(EXCEPTIONS)


def test_audited_operations_note_what_they_do() -> None:
    """A trace is a note: their own, or that of the acts on policies."""
    traces = {"note", "perform", "leave_trace"}
    silent = {
        name
        for name, called in operations().items()
        if "audited_transaction" in called and not called & traces
    }
    assert silent == set()


def test_nothing_else_writes() -> None:
    """The command line and the routes write through operations only."""
    others = [
        path.relative_to(ROOT).as_posix()
        for folder in ("api", "commands")
        for path in sorted((ROOT / "serving" / folder).glob("*.py"))
        if names_called(path) & {*BARE, "audited_transaction"}
    ]
    assert others == []
