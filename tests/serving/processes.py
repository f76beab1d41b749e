"""Runs `leadpact` as its users do: a process of its own over a workspace."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

STOP_SECONDS = 20


def run_leadpact(workspace: Path, *arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    """Run one command to its end, with these environment variables more."""
    command = [sys.executable, "-m", "serving", *arguments]
    env = environment(workspace) | variables
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False)


def environment(workspace: Path) -> dict[str, str]:
    """Return this process's environment with the workspace and without what could lead elsewhere."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("LEADPACT_", "MLFLOW_"))
    }
    return kept | {"LEADPACT_WORKSPACE": str(workspace)}


@dataclass
class Running:
    """A service that listens: its process, the line it started with, its address."""

    process: "subprocess.Popen[str]"
    start_line: str

    @property
    def url(self) -> str:
        """Where it listens."""
        found = re.search(r"url=(\S+)", self.start_line)
        assert found is not None, self.start_line
        return found.group(1)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> tuple[int, str]:
        """Send a signal; return the exit code and the rest of standard error."""
        self.process.send_signal(how)
        rest = self.process.communicate(timeout=STOP_SECONDS)[1]
        return self.process.returncode, rest


@contextmanager
def running_service(workspace: Path, *options: str, **variables: str) -> Iterator[Running]:
    """Start `leadpact serve` on a free port; it is killed at the end if the test did not stop it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "serving", "serve", "--port", "0", *options],
        env=environment(workspace) | variables,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    try:
        yield Running(process, process.stderr.readline().strip())
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()
        process.stderr.close()
