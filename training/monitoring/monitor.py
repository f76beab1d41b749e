"""From the champion in service to a logged look: find it, look, log. What is worth saying is `look`'s.

MLflow is asked last and may be away: then the findings stand, and the answer says why they were not logged.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version

from features.errors import InputError
from features.tables import CanonicalTables
from features.times import EPOCH, MICROSECOND
from features.workspace import Workspace
from training.artifact import Manifest, load_model, read_reference
from training.champion import read_champion
from training.data_hash import hash_tables
from training.errors import RegistryError
from training.mlflow_store import StorePlace
from training.monitoring.look import Look, look_at
from training.monitoring.reference import Reference
from training.registry import log_monitoring
from training.run_facts import dataset_record
from training.run_record import FileRecord, MonitoringRecord, Numbers

NO_CHAMPION = (
    "there is no champion in this workspace, so there is nothing to monitor; `leadpact promote` makes one, "
    "`leadpact model pull` fetches the one of the registry"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitored:
    """A look and where it was logged; ``not_logged`` says why it was not."""

    look: Look
    until: str
    run_id: str | None
    not_logged: str | None


def monitor(
    workspace: Workspace, tables: CanonicalTables, *, place: StorePlace, window_days: int, now: datetime
) -> Monitored:
    """Look at the champion of a workspace and log what was found.

    Nothing is trained, promoted or changed but the log. InputError without a champion or with a damaged one.
    """
    champion = read_champion(workspace.models_dir)
    if champion is None:
        raise InputError(NO_CHAMPION)
    model = load_model(champion.folder)
    frozen = read_reference(champion.folder)
    reference = None if frozen is None else Reference.from_dict(frozen)
    look = look_at(tables, model, reference, window_days=window_days)
    until = "the export" if look.until_us is None else (EPOCH + look.until_us * MICROSECOND).isoformat()
    run_id, not_logged = _log(look, tables, model.manifest, place, until=until, now=now)
    return Monitored(look=look, until=until, run_id=run_id, not_logged=not_logged)


def _log(
    look: Look, tables: CanonicalTables, manifest: Manifest, place: StorePlace, *, until: str, now: datetime
) -> tuple[str | None, str | None]:
    record = _record(look, tables, manifest, until=until, now=now)
    try:
        return log_monitoring(record, place=place), None
    except (RegistryError, InputError) as error:
        return None, f"{error}; the findings stand, run `leadpact monitor` again when MLflow is back"


def _record(
    look: Look, tables: CanonicalTables, manifest: Manifest, *, until: str, now: datetime
) -> MonitoringRecord:
    data_hash = hash_tables(tables)
    found = {
        "findings": [each.to_dict() for each in look.findings],
        "does_not_apply": [each.to_dict() for each in look.silences],
    }
    return MonitoringRecord(
        experiment=f"leadpact/{manifest.crm_name}",
        run_name=f"monitor {now.astimezone(UTC).isoformat(timespec='seconds')}",
        version=look.model_version,
        parameters=(
            ("window_days", str(look.window_days)),
            ("until", until),
            ("data_hash", data_hash),
            ("model_version", look.model_version),
            ("model_hash", manifest.manifest_hash),
            ("version.leadpact", version("leadpact")),
        ),
        metrics=_metrics(look),
        tags=(("leadpact.kind", "monitoring"), ("leadpact.model_version", look.model_version)),
        dataset=dataset_record(tables, data_hash),
        files=(FileRecord(path="findings.json", content=json.dumps(found, indent=2).encode()),),
    )


def _metrics(look: Look) -> Numbers:
    """Return every measure by name, so that MLflow can draw them from look to look."""
    numbers = {"findings": float(len(look.findings))}
    for each in look.drift:
        name = f"{_plain(each.name)}.{each.age_days}d"
        numbers |= {f"psi.{name}": each.psi, f"psi_critical.{name}": each.critical}
        if each.unknown is not None:
            numbers[f"unknown.{name}"] = each.unknown
    for outcome in look.outcomes:
        ratio = outcome.ratio
        numbers |= {f"{outcome.code}.{part}": getattr(ratio, part) for part in ("value", "low", "high")}
    return tuple(numbers.items())


def _plain(name: str) -> str:
    """Return a feature's name in the characters that MLflow allows in a metric's."""
    return "".join(each if each.isalnum() or each in "_-. /" else "_" for each in name)
