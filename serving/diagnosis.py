"""What is missing or wrong in a workspace, and the command that repairs it. Looks only; changes nothing."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine

from features.errors import LeadPactError
from features.history.store import History
from serving.champion import NO_CHAMPION, load_champion, read_pointer
from serving.db.migrate import is_current, lacks_file
from serving.db.session import open_database
from serving.errors import DatabaseUnreachableError, Missing
from serving.keys import SECRET_BYTES
from serving.operations.active_policy import active_policy
from serving.operations.list_api_keys import list_api_keys
from serving.operations.list_webhooks import list_webhooks
from serving.settings import Settings

OTHERS_MAY_READ = 0o077
MAKE_KEY = "run `leadpact key create --name crm`"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at: fine, or what is wrong with it and how to repair it."""

    thing: str
    is_good: bool
    text: str
    fix: str = ""


def diagnose(settings: Settings, *, now: datetime) -> tuple[Finding, ...]:
    """Look at every part a score needs, in the order in which they are made."""
    looks: tuple[Callable[[], Finding], ...] = (
        lambda: _look_at_history(settings),
        lambda: _look_at_registry(settings),
        lambda: _look_at_model(settings),
        lambda: _look_at_secret(settings.workspace.secret_file),
    )
    return (*(look() for look in looks), *_look_at_database(settings, now))


def _look_at_history(settings: Settings) -> Finding:
    history = History(settings.workspace.history_dir)
    if not history.exists():
        return _bad("history", "no leads have been imported", "run `leadpact import DIR`")
    try:
        tables = history.read()
    except (LeadPactError, OSError) as error:
        return _bad("history", str(error), "import the exports again with `leadpact import DIR`")
    return _good("history", f"{tables.leads.num_rows:,} leads of {tables.crm.name}")


def _look_at_registry(settings: Settings) -> Finding:
    if settings.mlflow_tracking_uri is not None:
        return _good("mlflow", "a tracking server is configured (MLFLOW_TRACKING_URI)")
    if not (settings.workspace.mlflow_dir / "mlflow.db").is_file():
        return _bad("mlflow", "there is no MLflow store yet", "run `leadpact train`, which creates it")
    return _good("mlflow", f"store in {settings.workspace.mlflow_dir}")


def _look_at_model(settings: Settings) -> Finding:
    models_dir = settings.workspace.models_dir
    try:
        pointer = read_pointer(models_dir)
        if pointer is None:
            return _missing(NO_CHAMPION)
        champion = load_champion(models_dir, pointer)
    except LeadPactError as error:
        return _bad("model", str(error), "run `leadpact model pull`")
    return _good("model", f"champion is version {champion.pointer.version}, every hash right")


def _look_at_secret(file: Path) -> Finding:
    if not file.is_file():
        return _bad("secret", f"{file.name} does not exist yet, so no API key works", MAKE_KEY)
    mode = file.stat().st_mode
    if mode & OTHERS_MAY_READ:
        return _bad(
            "secret", f"{file.name} can be read by others (mode {mode & 0o777:o})", f"run `chmod 600 {file}`"
        )
    if file.stat().st_size != SECRET_BYTES:
        return _bad("secret", f"{file.name} does not hold {SECRET_BYTES} bytes", "restore it from a backup")
    return _good("secret", "readable by its owner only")


def _look_at_database(settings: Settings, now: datetime) -> tuple[Finding, ...]:
    database = open_database(settings.database)
    if lacks_file(database):
        return (_bad("database", "there is no database yet", f"{MAKE_KEY}, which creates it"),)
    try:
        return _look_into_database(database, now)
    except DatabaseUnreachableError as error:
        return (_missing(error.as_missing()),)


def _look_into_database(database: Engine, now: datetime) -> tuple[Finding, ...]:
    try:
        if not is_current(database):
            fix = "start `leadpact serve` once, which upgrades them"
            return (_bad("database", "its tables are not those of this version", fix),)
        return (
            _good("database", database.dialect.name),
            _look_at_policy(database, now),
            _look_at_keys(database, now),
            *_look_at_webhooks(database),
        )
    finally:
        database.dispose()


def _look_at_policy(database: Engine, now: datetime) -> Finding:
    found = active_policy(database, now=now)
    if isinstance(found, Missing):
        return _missing(found)
    return _good("policy", f"version {found.version} is signed by both sides and in force")


def _look_at_keys(database: Engine, now: datetime) -> Finding:
    usable = sum(key.is_usable(now) for key in list_api_keys(database))
    if usable == 0:
        return _bad("key", "no API key is usable", MAKE_KEY)
    return _good("key", f"{usable} usable API key{'' if usable == 1 else 's'}")


def _look_at_webhooks(database: Engine) -> Iterator[Finding]:
    """Yield how each webhook stands; nothing when there are none."""
    for one in list_webhooks(database):
        if one.disabled_at is not None:
            text = f"{one.webhook_id} is off: {one.disabled_because}"
            yield _bad("webhook", text, f"run `leadpact webhooks replay {one.webhook_id}` or `remove`")
        elif one.parked:
            text = f"{one.parked:,} messages could not be delivered to {one.webhook_id}"
            yield _bad("webhook", text, "see `leadpact webhooks list`, then `webhooks replay`")
        else:
            yield _good("webhook", f"{one.webhook_id}: {one.delivered:,} delivered, {one.pending:,} wait")


def _good(thing: str, text: str) -> Finding:
    return Finding(thing=thing, is_good=True, text=text)


def _bad(thing: str, text: str, fix: str) -> Finding:
    return Finding(thing=thing, is_good=False, text=text, fix=fix)


def _missing(missing: Missing) -> Finding:
    return _bad(missing.thing, missing.reason, missing.fix)
