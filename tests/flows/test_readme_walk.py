"""The README's walk is run as it stands: its commands are the product's promise to a new user."""

import os
import re
import socket
import subprocess
from pathlib import Path

import pytest

from serving.cli import COMMANDS
from serving.settings import Settings

PROJECT_ROOT = Path(__file__).resolve().parents[2]
WALK = re.compile(r"<!-- walk:start -->(.*)<!-- walk:end -->", re.DOTALL)
SCIENCE = re.compile(r"<!-- science:start -->(.*)<!-- science:end -->", re.DOTALL)
ANY_BLOCK = re.compile(r"```(sh|python)\n(.*?)```", re.DOTALL)
SHELL_BLOCK = re.compile(r"```sh\n(.*?)```", re.DOTALL)


def walk_script(port: int) -> str:
    """Join the walk's shell blocks; the service gets a free port and ends with the script."""
    walk = WALK.search((PROJECT_ROOT / "README.md").read_text(encoding="utf-8"))
    assert walk is not None, "README.md has no walk"
    blocks = "\n".join(SHELL_BLOCK.findall(walk.group(1))).replace("8000", str(port))
    return f"set -euo pipefail\ntrap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n{blocks}"


def science_script() -> str:
    """Join the blocks of the data scientist's example, Python ones fed to the interpreter."""
    found = SCIENCE.search((PROJECT_ROOT / "README.md").read_text(encoding="utf-8"))
    assert found is not None, "README.md has no example for data scientists"
    blocks = [
        text if language == "sh" else f"python - <<'PYTHON'\n{text}PYTHON\n"
        for language, text in ANY_BLOCK.findall(found.group(1))
    ]
    return "\n".join(["set -euo pipefail", *blocks])


def free_port() -> int:
    """Return a port that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.slow
def test_the_walk_works_as_written(real_data: Path, tmp_path: Path) -> None:
    """Import, train, evaluate, promote, agree, serve, score: every command succeeds, the answer is German."""
    done = subprocess.run(
        ["bash", "-c", walk_script(free_port())],
        capture_output=True,
        text=True,
        check=False,
        cwd=PROJECT_ROOT,
        timeout=500,
        env=os.environ | {"LEADPACT_WORKSPACE": str(tmp_path / "workspace"), "DATA": str(real_data)},
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert '"stage_reason"' in done.stdout
    assert "Punkte)" in done.stdout
    assert (tmp_path / "workspace" / "scores.parquet").exists()


@pytest.mark.slow
def test_the_example_for_data_scientists_works_as_written(tmp_path: Path) -> None:
    """Simulate, train, promote, change one thing, bring it in, compare, ask the gates, monitor."""
    done = subprocess.run(
        ["bash", "-c", science_script()],
        capture_output=True,
        text=True,
        check=False,
        cwd=PROJECT_ROOT,
        timeout=500,
        env=os.environ | {"LEADPACT_WORKSPACE": str(tmp_path / "workspace")},
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    for expected in (
        "version 1 is champion",
        "own_model",
        "challenger 2",
        "not_worse_than_champion",
        "logged as run",
    ):
        assert expected in done.stdout, f"{expected}\n{done.stdout}"
    assert "Traceback" not in done.stderr


def test_the_two_commands_are_shown() -> None:
    """The README names the two commands that do everything, and the Makefile has them."""
    readme = (PROJECT_ROOT / "README.md").read_text(encoding="utf-8")
    makefile = (PROJECT_ROOT / "Makefile").read_text(encoding="utf-8")
    for target in ("demo", "test", "setup"):
        assert f"make {target}" in readme
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)


def test_every_setting_and_command_is_documented() -> None:
    """A setting or a command that no page names does not exist for its user."""
    readme = (PROJECT_ROOT / "README.md").read_text(encoding="utf-8")
    for name, field in Settings.model_fields.items():
        variable = field.validation_alias or f"LEADPACT_{name.upper()}"
        if variable != "MLFLOW_RUN_ID":  # set by `mlflow run`, never by people
            assert str(variable) in readme, variable
    for command in COMMANDS:
        assert f"leadpact {command}" in readme or f"make {command}" in readme, command


def test_every_file_the_readme_names_exists() -> None:
    """Links and paths in the README lead somewhere."""
    readme = (PROJECT_ROOT / "README.md").read_text(encoding="utf-8")
    links = re.findall(r"\]\(((?!http)[^)#]+)\)", readme)
    paths = re.findall(r"`((?:features|training|sla|serving|experiments)/[\w./]*)`", readme)
    assert [path for path in (*links, *paths) if not (PROJECT_ROOT / path).exists()] == []
