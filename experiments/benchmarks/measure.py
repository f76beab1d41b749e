"""How a process is measured: wall time, processor time of all its threads and children, most memory held.

The process that measures stays small: on Linux a child starts with its parent's peak memory on record.
"""

import json
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from platform import machine, platform, python_version
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
MEGABYTE = 1e6
BYTES_PER_RSS = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What one run took.

    `wall_s` is the life of the process, start-up and imports included; `work_s` is what the process itself
    says its work took once everything was imported. `cpu_s` is user and system time.
    """

    wall_s: float
    work_s: float
    cpu_s: float
    peak_mb: float


def run_measured(command: Sequence[str]) -> Usage:
    """Run a command that prints `{"work_s": …}` as its last line; RuntimeError tells how it failed."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        start = time.perf_counter()
        process = subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=err)
        _, status, used = os.wait4(process.pid, 0)
        wall_s = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}: {_tail(err)}")
        return Usage(
            wall_s=round(wall_s, 3),
            work_s=round(json.loads(_tail(out).splitlines()[-1])["work_s"], 3),
            cpu_s=round(used.ru_utime + used.ru_stime, 3),
            peak_mb=round(used.ru_maxrss * BYTES_PER_RSS / MEGABYTE, 1),
        )


def run_quietly(command: Sequence[str]) -> str:
    """Run a command that is not measured and return what it printed; RuntimeError tells how it failed."""
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}: {done.stderr[-2000:]}")
    return done.stdout


def summary(usages: Sequence[Usage]) -> dict[str, Any]:
    """Return median, least and most of each quantity over the rounds."""
    return {
        name: spread([getattr(usage, name) for usage in usages])
        for name in ("wall_s", "work_s", "cpu_s", "peak_mb")
    }


def spread(values: Sequence[float]) -> dict[str, float]:
    """Return median, least and most."""
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def machine_facts(libraries: Sequence[str]) -> dict[str, Any]:
    """Name what the figures depend on: processor, cores, memory, system, Python and library versions."""
    return {
        "processor": _field("/proc/cpuinfo", "model name"),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(int(_field("/proc/meminfo", "MemTotal").split()[0]) / 1e6, 1),
        "system": platform(),
        "architecture": machine(),
        "python": python_version(),
        "libraries": versions(libraries),
    }


def versions(libraries: Sequence[str]) -> Mapping[str, str | None]:
    """Return the version of each library, None for one that is not installed."""
    found: dict[str, str | None] = {}
    for library in libraries:
        try:
            found[library] = version(library)
        except PackageNotFoundError:
            found[library] = None
    return found


def _field(path: str, name: str) -> str:
    lines = Path(path).read_text(encoding="utf-8").splitlines() if Path(path).is_file() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), "0 unknown")


def _tail(file: Any) -> str:
    file.seek(0)
    text: str = file.read().decode(errors="replace")
    return text[-2000:]
