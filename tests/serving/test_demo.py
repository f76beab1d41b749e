"""The demo, for real: from an empty folder to a served score; a second start and a start after a kill."""

import re
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from starlette.testclient import TestClient

from features.errors import InputError, LeadPactError
from features.history.store import History
from features.importing.import_export import import_export
from serving.app import create_app
from serving.cli import main
from serving.commands.demo_request import example_request
from serving.commands.demo_steps import (
    KEY_FILE,
    DemoPlan,
    embedded_only,
    ensure_champion,
    ensure_history,
    prepare_demo,
    simulate_crm,
)
from serving.settings import Settings, read_settings
from training.artifact import read_manifest
from training.champion import POINTER, read_champion
from training.mlflow_store import choose_store
from training.registry import drop_alias, find_version, move_alias

pytestmark = pytest.mark.slow

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
PLAN = DemoPlan(leads=4000, until=datetime(2026, 11, 23, tzinfo=UTC), seed=7, now=NOW)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A workspace in which the demo has run, and the key it returned."""

    settings: Settings
    key: str


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """Run every step of the demo once, on half as many leads."""
    settings = read_settings(tmp_path_factory.mktemp("demo") / "workspace")
    return Prepared(settings=settings, key=prepare_demo(settings, PLAN))


def answer(settings: Settings, key: str) -> dict[str, object]:
    """Ask the service of a workspace for the score of the example lead."""
    with TestClient(create_app(settings, lambda: NOW)) as client:
        response = client.post("/v1/score", json=example_request(NOW), headers={"X-API-Key": key})
    assert response.status_code == 200, response.text
    body: dict[str, object] = response.json()
    return body


def test_an_empty_folder_becomes_a_service_that_scores_with_reasons(prepared: Prepared) -> None:
    """The example lead asked for a demo: an SQL for sales, with five reasons and no warning."""
    body = answer(prepared.settings, prepared.key)
    champion = read_champion(prepared.settings.workspace.models_dir)
    assert champion is not None
    learnt = read_manifest(champion.folder).evidence  # a scorecard wins where trees add nothing beyond noise
    assert learnt in ("scorecard", "model")
    assert (body["stage"], body["owner"], body["evidence"]) == ("sql", "sales", learnt)
    assert all(body[f"reason_{number}"] for number in range(1, 6))
    assert body["warnings"] == []
    assert body["model_version"] == "1"


def test_a_second_start_changes_nothing_and_returns_the_same_key(prepared: Prepared) -> None:
    """Every step finds its work done."""
    workspace = prepared.settings.workspace
    before = History(workspace.history_dir).fingerprint(), read_champion(workspace.models_dir)
    assert prepare_demo(prepared.settings, PLAN) == prepared.key
    assert (History(workspace.history_dir).fingerprint(), read_champion(workspace.models_dir)) == before


def test_the_key_is_kept_where_only_its_owner_can_read_it(prepared: Prepared) -> None:
    """The demo shows its key again, so it keeps it, and nobody else may."""
    file = prepared.settings.workspace.root / KEY_FILE
    assert file.read_text(encoding="utf-8").strip() == prepared.key
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "kept", [None, "", "lp_abcdefgh_" + "x" * 43], ids=["lost", "empty", "no longer good"]
)
def test_a_key_that_does_not_work_is_replaced(prepared: Prepared, kept: str | None) -> None:
    """Whatever became of the key file, the command that the demo prints works."""
    file = prepared.settings.workspace.root / KEY_FILE
    before = file.read_bytes()
    try:
        file.unlink()
        if kept is not None:
            file.write_text(kept, encoding="utf-8")
        key = prepare_demo(prepared.settings, PLAN)
        assert key not in {kept, prepared.key}
        assert answer(prepared.settings, key)["stage"] == "sql"
    finally:
        file.write_bytes(before)


def test_a_kill_between_registry_and_pointer_is_repaired_without_training(prepared: Prepared) -> None:
    """The registry has its champion: the demo fetches it."""
    (prepared.settings.workspace.models_dir / POINTER).unlink()
    ensure_champion(prepared.settings, PLAN)
    champion = read_champion(prepared.settings.workspace.models_dir)
    assert champion is not None
    assert champion.version == "1"


def test_a_kill_between_training_and_promotion_does_not_train_again(prepared: Prepared) -> None:
    """A challenger waits: the demo asks the gates and promotes it."""
    workspace = prepared.settings.workspace
    place = choose_store(workspace, None, under_mlflow_run=False)
    move_alias("challenger", "1", place=place)
    drop_alias("champion", place=place)
    (workspace.models_dir / POINTER).unlink()
    ensure_champion(prepared.settings, PLAN)
    assert find_version("champion", place=place) == "1"


def test_a_kill_before_the_import_starts_over_with_the_simulation(tmp_path: Path) -> None:
    """Half an export is no history; it is written again."""
    settings = read_settings(tmp_path)
    export = settings.workspace.root / "demo" / "export"
    export.mkdir(parents=True)
    (export / "leads.csv").write_text("lead_id,crea", encoding="utf-8")
    ensure_history(settings, replace(PLAN, leads=300))
    assert History(settings.workspace.history_dir).read().leads.num_rows == 300


def test_the_leads_of_somebody_else_are_not_mixed_with_the_demo(tmp_path: Path) -> None:
    """A workspace with a real history gets no simulated leads and no policy signed by invented people."""
    settings = read_settings(tmp_path / "workspace")
    export = tmp_path / "export"
    export.mkdir()
    (export / "leads.csv").write_text("lead_id,created_at\nL1,2026-01-01T00:00:00Z\n", encoding="utf-8")
    (export / "crm.toml").write_text('[crm]\nname = "real"\n', encoding="utf-8")
    history, rejects = History(settings.workspace.history_dir), tmp_path / "rejects"
    import_export(export, mapping_file=None, history=history, strict=True, rejects_dir=rejects)
    with pytest.raises(InputError, match="holds the history of 'real'"):
        ensure_history(settings, PLAN)


def test_a_simulator_that_fails_is_reported_with_what_it_said(tmp_path: Path) -> None:
    """The simulator is a program of its own; its message reaches the user."""
    with pytest.raises(LeadPactError, match="--leads"):
        simulate_crm(tmp_path / "export", replace(PLAN, leads=0))


def test_the_demo_keeps_away_from_servers_that_the_environment_names(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Simulated models and invented signatures stay in the workspace."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://mlflow.example")
    monkeypatch.setenv("LEADPACT_DATABASE_URL", "postgresql://crm@db.example/leads")
    settings = embedded_only(read_settings(tmp_path))
    assert settings.mlflow_tracking_uri is None
    assert settings.database == f"sqlite:///{tmp_path / 'leadpact.db'}"


@contextmanager
def busy_port() -> Iterator[int]:
    """Listen on some free port while the block runs."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield int(listener.getsockname()[1])


def free_port() -> int:
    """Return a port that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_busy_port_is_said_before_any_work_is_done(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 1, a sentence that names the port and the way out, and no workspace."""
    with busy_port() as port, pytest.raises(SystemExit, match="1"):
        main(["demo", "--workspace", str(tmp_path / "workspace"), "--port", str(port)])
    said = capsys.readouterr().err
    assert f"port {port}" in said
    assert "PORT=" in said
    assert not (tmp_path / "workspace").exists()


@contextmanager
def running_demo(workspace: Path, port: int) -> Iterator[subprocess.Popen[str]]:
    """Run `leadpact demo` as a user does, and stop it with Ctrl+C."""
    command = [sys.executable, "-m", "serving", "demo", "--workspace", str(workspace), "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=30)


def test_the_printed_command_is_answered_when_it_appears(prepared: Prepared) -> None:
    """Pasted as printed, the command returns a score with reasons; Ctrl+C ends the service."""
    with running_demo(prepared.settings.workspace.root, free_port()) as process:
        assert process.stdout is not None
        command = printed_command(process.stdout)
        pasted = subprocess.run(["sh", "-c", command], capture_output=True, timeout=60, check=True)
    body = msgspec.json.decode(pasted.stdout)
    assert body["stage"] == "sql"
    assert body["reason_1"]
    assert process.returncode in {0, -signal.SIGINT, 128 + signal.SIGINT}


def printed_command(lines: Iterator[str]) -> str:
    """Cut the command out of the output, as far as its lines go on."""
    command: list[str] = []
    for line in lines:
        if command or re.match(r"curl ", line):
            command.append(line)
            if not line.rstrip("\n").endswith("\\"):
                break
    return "".join(command)
