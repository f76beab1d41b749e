"""What the demo does before it serves: each step looks whether it is done, so a start after a kill goes on.

Nothing is remembered beside the workspace: history, champion, policy and key say themselves how far it got.
"""

import os
import subprocess
import sys
from dataclasses import dataclass
from datetime import datetime
from importlib import resources
from pathlib import Path

from sqlalchemy import Engine

from features.errors import InputError, LeadPactError
from serving.console import say, step
from serving.settings import Settings

CRM_NAME = "demo"
MONTHS = 18
MARKETING, SALES = "Maria Sommer", "Jonas Weber"
KEY_FILE = "demo-key.txt"
KEY_NAME = "demo"


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoPlan:
    """What to simulate: how many leads, until when (aware), from which seed; and what time it is."""

    leads: int
    until: datetime
    seed: int
    now: datetime


def embedded_only(settings: Settings) -> Settings:
    """Return settings that keep database and MLflow inside the workspace, whatever the environment names.

    A demo must not promote its model, or sign its policy, on the servers of a company.
    """
    return settings.model_copy(update={"database_url": None, "mlflow_tracking_uri": None})


def prepare_demo(settings: Settings, plan: DemoPlan) -> str:
    """Bring the workspace to where a score can be asked for; return an API key that works."""
    from serving.db.migrate import prepare_database

    ensure_history(settings, plan)
    ensure_champion(settings, plan)
    database = prepare_database(settings.database)
    try:
        ensure_policy(settings, database, plan.now)
        return ensure_key(settings, database, plan.now)
    finally:
        database.dispose()


def ensure_history(settings: Settings, plan: DemoPlan) -> None:
    """Simulate a CRM and import it; refuses a workspace that holds somebody's own leads."""
    from features.history.store import History
    from features.importing.import_export import import_export

    workspace = settings.workspace
    history = History(workspace.history_dir)
    if history.exists():
        _refuse_other_crm(history.read().crm.name, workspace.root)
        say("History: there already")
        return
    export = workspace.root / "demo" / "export"
    with step(f"Simulating a CRM: {plan.leads:,} leads, {MONTHS} months"):
        simulate_crm(export, plan)
    with step("Importing it"):
        import_export(
            export,
            mapping_file=None,
            history=history,
            strict=True,
            rejects_dir=workspace.rejects_dir,
            now=plan.now,
        )


def simulate_crm(export: Path, plan: DemoPlan) -> None:
    """Run the simulator as a program of its own; the service never imports experiments."""
    command = [sys.executable, "-m", "experiments.simulator", str(export)]
    options = ["--leads", str(plan.leads), "--months", str(MONTHS), "--seed", str(plan.seed)]
    until = ["--until", plan.until.isoformat()]
    done = subprocess.run([*command, *options, *until], capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode != 0:
        raise LeadPactError(f"the simulator failed with exit code {done.returncode}: {done.stderr.strip()}")


def ensure_champion(settings: Settings, plan: DemoPlan) -> None:
    """Train unless a challenger waits, promote unless a champion is there."""
    from training.champion import read_champion

    if read_champion(settings.workspace.models_dir) is not None:
        say("Model: a champion is there already")
    else:
        _train_and_promote(settings, plan)


def _train_and_promote(settings: Settings, plan: DemoPlan) -> None:
    from features.history.store import History
    from serving.commands.promote import audit_of
    from training.mlflow_store import choose_store
    from training.promote import promote, pull_champion
    from training.registry import find_version
    from training.run_record import CHALLENGER, CHAMPION
    from training.train import train

    workspace = settings.workspace
    place = choose_store(workspace, settings.mlflow_tracking_uri, under_mlflow_run=False)
    if find_version(CHAMPION, place=place) is not None:
        # Killed after the registry had its champion and before this workspace pointed at it.
        with step("Fetching the champion from MLflow"):
            pull_champion(workspace, place=place)
        return
    tables = History(workspace.history_dir).read_to_learn()
    if find_version(CHALLENGER, place=place) is None:
        train(workspace, tables, place=place, seed=plan.seed, now=plan.now, progress=step)
    with step("Asking the gates and promoting the model"):
        promotion = promote(
            workspace,
            tables,
            place=place,
            version=None,
            why_forced=None,
            seed=plan.seed,
            now=plan.now,
            before_move=audit_of(settings),
        )
    if not promotion.promoted:
        refused = "; ".join(reason.text for reason in promotion.verdict.reasons if not reason.passed)
        raise LeadPactError(f"the gates refused the model of the demo: {refused}")


def ensure_policy(settings: Settings, database: Engine, now: datetime) -> None:
    """Propose the first policy and sign it for both sides, unless one is active."""
    from serving.errors import Missing
    from serving.operations.active_policy import active_policy
    from serving.operations.propose_policy import propose_policy
    from serving.operations.sign_policy import sign_policy
    from sla.stages import Side

    if not isinstance(active_policy(database, now=now), Missing):
        say("Policy: signed already")
        return
    text = first_policy_text()
    with step(f"Signing the first policy: {MARKETING} for marketing, {SALES} for sales"):
        version = propose_policy(database, text, by=MARKETING, now=now, source="the first policy")
        sign_policy(database, version=version, side=Side.MARKETING, person=MARKETING, now=now)
        sign_policy(database, version=version, side=Side.SALES, person=SALES, now=now)
        if not settings.workspace.policy_file.exists():
            settings.workspace.policy_file.write_text(text, encoding="utf-8")


def ensure_key(settings: Settings, database: Engine, now: datetime) -> str:
    """Return the demo's key; creates one when there is none or it works no longer.

    A key is shown once by design. The demo keeps its own in a file that only its owner can read, so that
    the command it prints works again after the next start.
    """
    from serving.keys import Scope, read_or_create_secret
    from serving.operations.create_api_key import create_api_key

    workspace = settings.workspace
    file = workspace.root / KEY_FILE
    secret = read_or_create_secret(workspace.secret_file)
    kept = file.read_text(encoding="utf-8").strip() if file.is_file() else ""
    if kept and _still_works(kept, database, secret=secret, now=now):
        return kept
    scopes = (Scope.SCORE, Scope.READ, Scope.INGEST, Scope.HANDOVERS)
    key = create_api_key(database, name=KEY_NAME, scopes=scopes, expires_at=None, secret=secret, now=now)
    _write_private(file, key.text)
    say(f"API key: created, kept in {file}")
    return key.text


def _still_works(key: str, database: Engine, *, secret: bytes, now: datetime) -> bool:
    from serving.errors import KeyRefusedError
    from serving.operations.check_api_key import check_api_key

    try:
        check_api_key(database, key, secret=secret, now=now)
    except KeyRefusedError:
        return False
    return True


def _write_private(file: Path, text: str) -> None:
    """Replace a file by one that was never readable by others."""
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    with os.fdopen(
        os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
    ) as stream:
        stream.write(f"{text}\n")
    draft.replace(file)


def _refuse_other_crm(name: str, root: Path) -> None:
    if name != CRM_NAME:
        raise InputError(
            f"the workspace {root} holds the history of {name!r}, not of the demo; "
            "choose another folder: leadpact demo --workspace FOLDER"
        )


def first_policy_text() -> str:
    """Return the policy that the demo proposes."""
    return resources.files("sla.templates").joinpath("first_policy.toml").read_text(encoding="utf-8")
