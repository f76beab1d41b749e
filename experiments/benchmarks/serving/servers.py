"""Starts the service and its peers, one process of one worker each, and says what they cost."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from experiments.benchmarks.measure import ROOT, run_quietly
from experiments.benchmarks.serving.workspace import (
    AS_OF,
    ONE_THREAD,
    Place,
    feature_set,
    request_body,
)
from features.online import OnlineFeatures
from features.times import EPOCH, MICROSECOND

START_SECONDS, STOP_SECONDS = 120.0, 30
MEGABYTE = 1024.0
OWN_PATH = ("sh", "-c", f'PATH="{Path(sys.executable).parent}:$PATH" exec "$@"', "sh")
"""MLflow starts the server it finds on the path."""

SAVING = """
import sys
import mlflow

folder, code, trees = sys.argv[1:]
mlflow.pyfunc.save_model(
    folder, python_model=code, artifacts={"trees": trees}, pip_requirements=["lightgbm"]
)
"""
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """One running server: where it listens, what is sent to it, its process, how long it took to start."""

    name: str
    url: str
    body: bytes
    pid: int
    started_s: float

    def cpu_s(self) -> float:
        """Processor seconds of the process and its children so far."""
        return sum(_cpu_ticks(pid) for pid in _family(self.pid)) / TICKS

    def memory_mb(self) -> float:
        """Most resident memory so far of its largest process."""
        return max(_peak_kb(pid) for pid in _family(self.pid)) / MEGABYTE


@contextmanager
def running(place: Place, names: tuple[str, ...]) -> Iterator[tuple[Server, ...]]:
    """Start servers one after the other, and end them all."""
    with ExitStack() as stack:
        yield tuple(stack.enter_context(_running(place, name)) for name in names)


@contextmanager
def _running(place: Place, name: str) -> Iterator[Server]:
    port = free_port()
    command = commands(place, port)[name]
    body = mlflow_body() if name == "mlflow" else json.dumps(request_body(1)).encode()
    url = f"http://127.0.0.1:{port}{'/invocations' if name == 'mlflow' else '/v1/score'}"
    start = time.perf_counter()
    with Path(place.root / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
        try:
            wait_until_ready(url, body, place.key, process)
            started_s = time.perf_counter() - start
            yield Server(name=name, url=url, body=body, pid=process.pid, started_s=started_s)
        finally:
            for pid in reversed(_family(process.pid)):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGTERM)
            process.wait(timeout=STOP_SECONDS)


def commands(place: Place, port: int) -> Mapping[str, list[str]]:
    """Return how each server is started."""
    python = [*ONE_THREAD, sys.executable, "-m"]
    peer = [*python, "experiments.benchmarks.serving.peers"]
    own = ["serving", "serve", "--workspace", str(place.root), "--port", str(port)]
    served = ["models", "serve", "-m", str(place.root / "mlflow-model"), "--env-manager", "local"]
    return {
        "leadpact": [*python, *own],
        **{name: [*peer, name, str(port), str(place.model)] for name in ("echo", "validate", "lightgbm")},
        "mlflow": [*OWN_PATH, *python, "mlflow", *served, "--workers", "1", "--port", str(port)],
    }


def save_mlflow_model(place: Place) -> None:
    """Write the same trees as MLflow wants them, in a process of its own: nothing here imports MLflow."""
    script = Path(__file__).with_name("mlflow_model.txt").read_text("utf-8")
    code, saving = place.root / "mlflow_model.py", place.root / "save_mlflow_model.py"
    code.write_text(script, "utf-8")
    saving.write_text(SAVING, "utf-8")
    arguments = (str(place.root / "mlflow-model"), str(code), str(place.model / "model.txt"))
    run_quietly([sys.executable, str(saving), *arguments])


def mlflow_body() -> bytes:
    """Return the same lead as a finished feature row."""
    body, chosen = request_body(1), feature_set()
    as_of_us = (AS_OF - EPOCH) // MICROSECOND
    row = OnlineFeatures(chosen).row(body["lead"], body["activities"], as_of_us).values
    values: list[Any] = [None if np.isnan(value) else value for value in row.tolist()]
    return json.dumps({"dataframe_split": {"columns": list(chosen.names), "data": [values]}}).encode()


def free_port() -> int:
    """Return a port nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def wait_until_ready(url: str, body: bytes, key: str, process: "subprocess.Popen[bytes]") -> None:
    """Wait for the first answer with 200."""
    deadline = time.perf_counter() + START_SECONDS
    headers = {"Content-Type": "application/json", "X-API-Key": key}
    while process.poll() is None and time.perf_counter() < deadline:
        try:
            asked = urllib.request.Request(url, body, headers)  # noqa: S310 - loopback, by our own url
            with urllib.request.urlopen(asked, timeout=START_SECONDS):  # noqa: S310
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.05)
    raise RuntimeError(f"{url} did not answer with 200 in {START_SECONDS:g} seconds")


def _family(pid: int) -> list[int]:
    """Return a process and all of its children, parents first."""
    children = Path(f"/proc/{pid}/task/{pid}/children")
    inner = children.read_text().split() if children.exists() else []
    return [pid, *(one for child in inner for one in _family(int(child)))]


def _cpu_ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def _peak_kb(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
