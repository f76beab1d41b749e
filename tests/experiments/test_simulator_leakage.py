"""The simulated CRM writes nothing afterwards but what its crm.toml names: the guard must find no more."""

from pathlib import Path

import pytest

from features.history.store import History
from features.importing.import_export import import_export
from features.tables import CanonicalTables
from tests.builders_experiments import world
from tests.builders_leakage import found_in
from training.leakage import refuse_leaks
from training.splits import split_leads


def simulated(root: Path, *, leads: int, seed: int) -> CanonicalTables:
    """Simulate a CRM and import its export."""
    world(leads, seed).write(root / "export", root / "truth.csv")
    history = History(root / "history")
    import_export(
        root / "export", mapping_file=None, history=history, strict=True, rejects_dir=root / "rejects"
    )
    return history.read()


@pytest.mark.parametrize(
    ("leads", "seed"), [*((400, seed) for seed in range(20)), (1500, 1), (1500, 2), (4000, 7)]
)
def test_the_simulated_crm_is_clean(tmp_path: Path, leads: int, seed: int) -> None:
    """Few leads or many, whatever the seed: the two denied columns are left out, and nothing else is said."""
    tables = simulated(tmp_path, leads=leads, seed=seed)
    expected = [("denied-never", "owner"), ("denied-never", "status")]
    assert [(each.code, each.column) for each in found_in(tables)] == expected
    part = split_leads(tables, horizon_days=tables.crm.horizon_days).train
    assert {each.code for each in refuse_leaks(tables, part)} <= {"denied-never", "constant"}
