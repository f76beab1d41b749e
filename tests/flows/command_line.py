"""Runs `leadpact` as a user does: a process of its own, with one workspace."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROJECT_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Leadpact:
    """The command line over one workspace."""

    workspace: Path

    def run(self, *arguments: str, expect: int = 0) -> str:
        """Run a command and return what it printed; any other exit code fails with its error text."""
        done = subprocess.run(
            [sys.executable, "-m", "serving", *arguments],
            capture_output=True,
            text=True,
            check=False,
            cwd=PROJECT_ROOT,
            env=os.environ | {"LEADPACT_WORKSPACE": str(self.workspace)},
        )
        assert done.returncode == expect, f"{arguments}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr
        return done.stdout if expect == 0 else done.stderr

    def ask(self, *arguments: str) -> Any:
        """Run a command with --json and return its answer."""
        return json.loads(self.run(*arguments, "--json"))
