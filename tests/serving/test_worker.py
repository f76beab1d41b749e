"""The worker: raises what is due, once, from however many; stops when told; goes on after an outage."""

import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from serving.db.migrate import prepare_database
from serving.db.session import read_transaction
from serving.db.tables_leads import ClockEventRow
from serving.errors import DatabaseUnreachableError
from serving.settings import Settings
from serving.worker import Worker
from tests.builders_serving import NOW, Desk, install_policy, open_desk
from tests.serving.test_handovers import ask_for_demo, work_policy

LATER = NOW + timedelta(days=10)


def handed_over(settings: Settings, count: int) -> Desk:
    """Return a service with so many open handovers, all of them overdue later."""
    desk = open_desk(settings)
    install_policy(settings, work_policy(**{"\nmost_open = 2": "\nmost_open = 50"}))
    for number in range(count):
        ask_for_demo(desk, f"L{number}")
    return desk


def raised(database: Engine) -> list[str]:
    """Return the kinds of everything the sellers' clocks raised."""
    with read_transaction(database) as session:
        rows = session.scalars(select(ClockEventRow).where(ClockEventRow.clock == "seller"))
        return sorted(row.kind for row in rows)


def test_two_workers_raise_each_event_once(tmp_path: Path, database_url: str) -> None:
    """Four at the same time over one database, on either kind."""
    settings = Settings(workspace_root=tmp_path, database_url=database_url, mlflow_tracking_uri=None)
    desk = handed_over(settings, 5)
    databases = [prepare_database(database_url) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda one: Worker(lambda: one, lambda: LATER).turn(), databases))
    assert sum(one.raised for one in done) == 15
    assert raised(databases[0]) == ["breached"] * 5 + ["due_soon"] * 5 + ["escalated"] * 5
    for database in databases:
        database.dispose()
    desk.client.close()
    desk.app.state.service.close()


def test_an_outage_is_survived_and_a_stop_is_obeyed(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    """The first looks fail; the next one raises what was due; then the thread ends."""
    desk = handed_over(settings, 1)
    database = prepare_database(settings.database)
    failures = [DatabaseUnreachableError("away"), ZeroDivisionError("a mistake of ours")]

    def reach() -> Engine:
        if failures:
            raise failures.pop(0)
        return database

    worker = Worker(reach, lambda: LATER, every_seconds=0.01)
    worker.start()
    for _ in range(500):
        if len(raised(database)) == 3:
            break
        time.sleep(0.01)
    worker.stop()
    assert raised(database) == ["breached", "due_soon", "escalated"]
    assert "worker.database_unreachable" in caplog.text
    assert "worker.turn_failed" in caplog.text
    database.dispose()
    desk.client.close()


def test_the_service_runs_it_beside_the_requests(settings: Settings) -> None:
    """From start to stop of the application, on the embedded default."""
    from starlette.testclient import TestClient

    from serving.app import create_app

    handed_over(settings, 1).client.close()
    database = prepare_database(settings.database)
    with TestClient(create_app(settings, lambda: LATER, runs_worker=True)):
        for _ in range(500):
            if raised(database):
                break
            time.sleep(0.01)
    assert raised(database) == ["breached", "due_soon", "escalated"]
    database.dispose()


def test_the_command_sweeps_once_and_stops_on_a_signal(settings: Settings) -> None:
    """`--once` says what it found; without it SIGTERM ends the process cleanly."""
    handed_over(settings, 1).client.close()
    command = [sys.executable, "-m", "serving", "worker", "-w", str(settings.workspace.root)]
    once = subprocess.run([*command, "--once", "--json"], capture_output=True, text=True, check=True)
    assert '"raised": 3' in once.stdout
    running = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert running.stderr is not None
    assert "worker.running" in running.stderr.readline()
    running.send_signal(signal.SIGTERM)
    assert running.wait(20) == 0
    running.stderr.close()
