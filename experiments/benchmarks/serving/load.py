"""Load from `wrk`, and what it says: requests per second, latencies, and what was not answered with 200."""

import json
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

SCRIPT = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["X-API-Key"] = "{key}"
local file = io.open("{body}", "rb")
wrk.body = file:read("*a")
file:close()
done = function(summary, latency, requests)
  io.write(string.format(
    '\\n{{"requests": %d, "seconds": %f, "refused": %d, "p50_ms": %f, "p99_ms": %f}}\\n',
    summary.requests, summary.duration / 1e6,
    summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.timeout,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What one run of load led to."""

    requests: int
    seconds: float
    refused: int
    p50_ms: float
    p99_ms: float

    @property
    def per_second(self) -> float:
        """Requests per second."""
        return self.requests / self.seconds


def run_wrk(url: str, body: bytes, *, key: str, concurrency: int, seconds: int) -> Load:
    """Send one body again and again over so many connections; ValueError when an answer is not 200."""
    wrk = shutil.which("wrk")
    if wrk is None:
        raise RuntimeError("the benchmark needs wrk, from the package of this name")
    with tempfile.TemporaryDirectory() as folder:
        sent, script = Path(folder) / "body.json", Path(folder) / "post.lua"
        sent.write_bytes(body)
        script.write_text(SCRIPT.format(key=key, body=sent), "utf-8")
        size = ["-t1", f"-c{concurrency}", f"-d{seconds}s", "--timeout", "30s"]
        done = subprocess.run(
            [wrk, *size, "-s", str(script), url], capture_output=True, text=True, check=True
        )
    return read_load(done.stdout, url)


def read_load(report: str, url: str) -> Load:
    """Return what the last line of a report says; ValueError when an answer was not 200."""
    load = Load(**json.loads(report.strip().splitlines()[-1]))
    if load.refused or not load.requests:
        raise ValueError(f"{load.refused} of {load.requests} requests to {url} were not answered with 200")
    return load
