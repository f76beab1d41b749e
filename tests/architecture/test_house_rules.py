"""Rules of the house that a reader of the syntax tree can check."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("features", "training", "sla", "serving", "experiments")
ENVIRONMENT = {"os.environ", "os.environb", "os.getenv"}
HEAVY = ("numpy", "pandas", "mlflow", "numba", "lightgbm", "pyarrow", "pyspark")
CLOCKS = {"datetime", "date", "time"}
CLOCK_READS = {"now", "utcnow", "today", "time", "time_ns"}


def source_files(*packages: str) -> list[Path]:
    """Return the Python files of the named packages."""
    return sorted(path for package in packages for path in (ROOT / package).rglob("*.py"))


def all_test_files() -> list[Path]:
    """Return the Python files of the tests."""
    return sorted((ROOT / "tests").rglob("test_*.py"))


def relative(path: Path) -> str:
    """Name a file as a reader would."""
    return str(path.relative_to(ROOT))


def nodes(path: Path) -> Iterator[ast.AST]:
    """Walk the syntax tree of one file."""
    yield from ast.walk(ast.parse(path.read_text(encoding="utf-8")))


def imported_modules(path: Path) -> Iterator[str]:
    """Yield every module a file imports, at its top or inside a function."""
    for node in nodes(path):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def test_sla_imports_the_standard_library_only() -> None:
    """The agreement can be read and run without anything installed."""
    foreign = [
        f"{relative(path)}: {module}"
        for path in source_files("sla")
        for module in imported_modules(path)
        if module.split(".")[0] not in sys.stdlib_module_names | {"sla"}
    ]
    assert foreign == []


def test_serving_knows_of_training_only_the_artifact() -> None:
    """The service may load a model directory; only the command line's edge may call the trainer."""
    edge = ROOT / "serving" / "commands"
    strangers = [
        f"{relative(path)}: {module}"
        for path in source_files("serving")
        if edge not in path.parents
        for module in imported_modules(path)
        if module.split(".")[0] == "training" and module != "training.artifact"
    ]
    assert strangers == []


def clock_reads(path: Path) -> Iterator[str]:
    """Yield calls such as datetime.now(), date.today() and time.time()."""
    for node in nodes(path):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        owner = node.func.value
        if isinstance(owner, ast.Name) and owner.id in CLOCKS and node.func.attr in CLOCK_READS:
            yield f"{relative(path)}:{node.lineno}: {owner.id}.{node.func.attr}()"


def test_the_clock_is_read_in_one_place() -> None:
    """Everything but serving/clock.py is told what time it is; a benchmark compares with a real service."""
    allowed = (ROOT / "serving" / "clock.py", ROOT / "experiments" / "benchmarks" / "serving" / "writes.py")
    files = (path for path in source_files(*PACKAGES) if path not in allowed)
    assert [read for path in files for read in clock_reads(path)] == []


def environment_reads(path: Path) -> Iterator[str]:
    """Yield reads of os.environ and os.getenv."""
    for node in nodes(path):
        if isinstance(node, ast.Attribute) and ast.unparse(node) in {
            "os.environ",
            "os.getenv",
            "os.environb",
        }:
            yield f"{relative(path)}:{node.lineno}: {ast.unparse(node)}"


def test_the_environment_is_read_in_one_place() -> None:
    """Only serving/settings.py reads the environment; the simulator's and MLflow's edges pass values on."""
    allowed = ROOT / "serving" / "settings.py"
    found = [read for path in source_files(*PACKAGES) if path != allowed for read in environment_reads(path)]
    assert found == []


def is_frozen_dataclass(node: ast.ClassDef) -> bool:
    """Tell whether a class is decorated with dataclass(frozen=True)."""
    for decorator in node.decorator_list:
        if isinstance(decorator, ast.Call) and getattr(decorator.func, "id", "") == "dataclass":
            return any(
                keyword.arg == "frozen" and ast.unparse(keyword.value) == "True"
                for keyword in decorator.keywords
            )
    return False


def mutable_fields(path: Path) -> Iterator[str]:
    """Yield fields of frozen dataclasses annotated with a mutable collection."""
    for node in nodes(path):
        if not (isinstance(node, ast.ClassDef) and is_frozen_dataclass(node)):
            continue
        for field in node.body:
            if isinstance(field, ast.AnnAssign):
                names = {part.id for part in ast.walk(field.annotation) if isinstance(part, ast.Name)}
                if names & {"list", "dict", "set", "bytearray"}:
                    yield f"{relative(path)}:{field.lineno}: {node.name}.{ast.unparse(field.target)}"


def test_frozen_values_hold_nothing_mutable() -> None:
    """Frozen means frozen all the way down: tuples and frozensets."""
    assert [field for path in source_files(*PACKAGES) for field in mutable_fields(path)] == []


def bare_raises(path: Path) -> Iterator[str]:
    """Yield `raise Exception(...)` and `raise BaseException(...)`."""
    for node in nodes(path):
        if (
            isinstance(node, ast.Raise)
            and isinstance(node.exc, ast.Call)
            and ast.unparse(node.exc.func) in {"Exception", "BaseException"}
        ):
            yield f"{relative(path)}:{node.lineno}"


def test_errors_say_what_happened() -> None:
    """No error is a bare Exception."""
    assert [place for path in source_files(*PACKAGES) for place in bare_raises(path)] == []


def open_raises(path: Path) -> Iterator[str]:
    """Yield pytest.raises calls that do not check the message."""
    for node in nodes(path):
        if (
            isinstance(node, ast.Call)
            and ast.unparse(node.func) == "pytest.raises"
            and not any(keyword.arg == "match" for keyword in node.keywords)
        ):
            yield f"{relative(path)}:{node.lineno}"


def test_every_expected_error_is_checked_by_its_message() -> None:
    """A test that accepts any message accepts the wrong error."""
    assert [place for path in all_test_files() for place in open_raises(path)] == []


@pytest.mark.parametrize("module", [f"{package}" for package in PACKAGES])
def test_importing_a_package_does_no_work(module: str) -> None:
    """A package's door is light: it loads no heavy library."""
    script = f"import sys, {module}; print([heavy for heavy in {HEAVY!r} if heavy in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
