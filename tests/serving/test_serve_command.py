"""`leadpact serve` as a process: starts with or without a model, answers, stops, names a taken port."""

import signal
import socket
import time

import httpx2
import pytest

from serving.settings import Settings
from tests.builders_serving import Desk, install_champion, install_policy, random_request
from tests.serving.processes import run_leadpact, running_service

ANSWER_SECONDS = 30.0
MOST_TRIES, BETWEEN_TRIES_SECONDS = 100, 0.2


def test_it_serves_and_stops_gracefully(desk: Desk) -> None:
    """The start line says where and whether it can score; SIGTERM ends it with exit code 0."""
    body = random_request(3)
    with running_service(desk.settings.workspace.root) as service:
        assert service.start_line.startswith("service.started url=http://127.0.0.1:")
        assert service.start_line.endswith("workers=1 ready=yes")
        headers = {"X-API-Key": desk.key}
        answer = httpx2.post(f"{service.url}/v1/score", json=body, headers=headers, timeout=ANSWER_SECONDS)
        code, rest = service.stop()
    assert answer.json() == desk.post("/v1/score", body).json()
    assert "server" not in answer.headers
    assert code == 0
    assert "Traceback" not in rest
    assert "POST" not in rest


def test_it_starts_without_model_and_policy(settings: Settings) -> None:
    """Start line and /readyz say what is missing; once it is there, no restart is needed."""
    with running_service(settings.workspace.root) as service:
        assert service.start_line.endswith("ready=no")
        assert service.process.stderr is not None
        missing = [service.process.stderr.readline().strip() for _ in range(2)]
        assert [line.split(":")[0] for line in missing] == [
            "there is no champion model",
            "there is no policy",
        ]
        assert httpx2.get(f"{service.url}/healthz", timeout=ANSWER_SECONDS).status_code == 200
        before = httpx2.get(f"{service.url}/readyz", timeout=ANSWER_SECONDS)
        install_champion(settings)
        install_policy(settings)
        states = {before.status_code}
        for _ in range(MOST_TRIES):
            states.add(httpx2.get(f"{service.url}/readyz", timeout=ANSWER_SECONDS).status_code)
            if 200 in states:
                break
            time.sleep(BETWEEN_TRIES_SECONDS)
        assert states == {503, 200}
        assert service.stop(signal.SIGINT)[0] == 0


def test_several_workers_share_the_port(desk: Desk) -> None:
    """Two processes behind one socket answer alike and stop together."""
    with running_service(desk.settings.workspace.root, "--workers", "2") as service:
        with httpx2.Client(timeout=ANSWER_SECONDS, headers={"X-API-Key": desk.key}) as client:
            answers = {client.post(f"{service.url}/v1/score", json=random_request(1)).text for _ in range(8)}
        code, rest = service.stop()
    assert len(answers) == 1
    assert code == 0, rest


def test_it_survives_a_kill(desk: Desk) -> None:
    """After kill -9 the next start serves the same, and what was acknowledged is there."""
    root = desk.settings.workspace.root
    with running_service(root) as service:
        headers = {"X-API-Key": desk.key}
        before = httpx2.post(
            f"{service.url}/v1/score", json=random_request(1), headers=headers, timeout=ANSWER_SECONDS
        )
        assert service.stop(signal.SIGKILL)[0] == -signal.SIGKILL
    with running_service(root) as service:
        after = httpx2.post(
            f"{service.url}/v1/score", json=random_request(1), headers=headers, timeout=ANSWER_SECONDS
        )
    assert before.json() == after.json()


def test_a_taken_port_is_one_sentence(settings: Settings) -> None:
    """Exit code 1, the address, the reason and the way out; no traceback."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run_leadpact(settings.workspace.root, "serve", "--port", str(port))
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        f"leadpact: cannot listen on 127.0.0.1 port {port}: Address already in use; "
        "choose another address with --host and --port"
    )


@pytest.mark.parametrize("host", ["no.such.host.invalid", "203.0.113.1"])
def test_a_wrong_host_is_one_sentence(settings: Settings, host: str) -> None:
    """A name nobody knows, an address of somebody else."""
    done = run_leadpact(settings.workspace.root, "serve", "--host", host, "--port", "0")
    assert done.returncode in (1, 2)
    assert host in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
