"""The one command: complete, quick to help, and one clear sentence for each error."""

import subprocess
import sys
from pathlib import Path

import pytest

from features.errors import InputError, LeadPactError
from serving.cli import COMMANDS, FAILURE, WRONG_INPUT, describe_error, load_command

HEAVY = (
    "numpy",
    "pandas",
    "mlflow",
    "numba",
    "lightgbm",
    "pyarrow",
    "pyspark",
    "fastapi",
    "sqlalchemy",
    "duckdb",
)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_of_the_table_loads(name: str) -> None:
    """A row of the table that names no module would only be found by the user."""
    assert load_command(name).name == name


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name: str) -> None:
    """`leadpact COMMAND --help` works for each row and needs no workspace."""
    done = subprocess.run(
        [sys.executable, "-m", "serving", *name.split(), "--help"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Usage:" in done.stdout


def test_help_imports_nothing_heavy() -> None:
    """What keeps `leadpact --help` under its budget on any machine."""
    script = (
        "import sys\nfrom serving.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        f"print([m for m in {HEAVY!r} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip().splitlines()[-1] == "[]"


def test_unknown_command_is_named(tmp_path: Path) -> None:
    """A typo is answered with the typo, exit code 2 and no traceback."""
    done = subprocess.run(
        [sys.executable, "-m", "serving", "trian"], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.returncode == WRONG_INPUT
    assert "trian" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("error", "code"),
    [
        pytest.param(InputError("the file is empty"), WRONG_INPUT, id="wrong-input"),
        pytest.param(LeadPactError("MLflow does not answer"), FAILURE, id="failure"),
        pytest.param(ZeroDivisionError("division by zero"), FAILURE, id="unforeseen"),
    ],
)
def test_exit_codes(error: Exception, code: int) -> None:
    """Wrong input is 2, everything else is 1, and the text names what happened."""
    got, text = describe_error(error)
    assert got == code
    assert str(error) in text
