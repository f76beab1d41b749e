"""The five mappings read the real exports: counts, outcomes, what is set aside and what is denied."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

import pyarrow.compute as pc
import pytest

from features.history.store import History
from features.importing.import_export import ImportReport, import_export

DATASETS = Path(__file__).resolve().parents[2] / "experiments" / "datasets"


def import_dataset(name: str, real_data: Path, root: Path) -> tuple[History, ImportReport]:
    """Import one real export through its mapping into an empty history."""
    history = History(root / "history")
    report = import_export(
        real_data / EXPECTED[name].folder,
        mapping_file=DATASETS / f"{name}.toml",
        history=history,
        strict=False,
        rejects_dir=root / "rejects",
    )
    return history, report


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What an export must bring in: usable rows, wins, rows set aside, and what kind of time it has."""

    folder: str
    leads: int
    activities: int
    deals: int
    won: int
    rejected: int
    has_times: bool
    horizon_days: int = 90


EXPECTED = {
    "xeducation": Expected(
        folder="xeducation", leads=9240, activities=0, deals=9240, won=3561, rejected=0, has_times=False
    ),
    "bank_marketing": Expected(
        folder="bank_marketing", leads=41188, activities=0, deals=41188, won=4640, rejected=0, has_times=False
    ),
    "olist": Expected(
        folder="olist_funnel", leads=5998, activities=0, deals=780, won=780, rejected=1, has_times=True
    ),
    "bpic2012": Expected(
        folder="bpic2012", leads=13087, activities=215801, deals=12688, won=2246, rejected=0, has_times=True,
        horizon_days=30,
    ),
    "saas_offers": Expected(
        folder="saas_offers", leads=4469, activities=0, deals=4143, won=2733, rejected=330, has_times=True
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", EXPECTED)
def test_the_mapping_imports_the_real_export(name: str, real_data: Path, tmp_path: Path) -> None:
    """Everything the export holds comes in; what contradicts itself is set aside and counted."""
    expected = EXPECTED[name]
    history, report = import_dataset(name, real_data, tmp_path)
    tables = history.read()
    assert tables.leads.num_rows == expected.leads
    assert tables.activities.num_rows == expected.activities
    assert tables.deals.num_rows == expected.deals
    assert pc.sum(pc.equal(tables.deals["outcome"], "won")).as_py() == expected.won
    assert tables.has_times is expected.has_times
    assert tables.has_order is not expected.has_times
    assert (tables.crm.name, tables.crm.horizon_days) == (name, expected.horizon_days)
    assert report.rejected == expected.rejected


@pytest.mark.parametrize("name", EXPECTED)
def test_every_denied_column_is_there_and_says_why(name: str, real_data: Path, tmp_path: Path) -> None:
    """A typo in `never` would let a leak through unnoticed."""
    mapping = tomllib.loads((DATASETS / f"{name}.toml").read_text(encoding="utf-8"))
    never = mapping.get("attributes", {}).get("never", {})
    history, _ = import_dataset(name, real_data, tmp_path)
    assert set(never) <= set(history.read().attribute_columns)
    assert all(len(reason) > 15 for reason in never.values())


def test_no_outcome_event_of_the_bank_is_an_activity(real_data: Path, tmp_path: Path) -> None:
    """In BPIC 2012 approval and refusal are steps of the log; they belong to the deals."""
    history, _ = import_dataset("bpic2012", real_data, tmp_path)
    kinds = set(history.read().activities["kind"].unique().to_pylist())
    outcome = {
        "A_DECLINED", "A_CANCELLED", "A_APPROVED", "A_REGISTERED", "A_ACTIVATED", "O_ACCEPTED", "O_DECLINED",
    }  # fmt: skip
    assert kinds & outcome == set()
    assert {"A_PREACCEPTED", "O_SENT", "O_SENT_BACK"} <= kinds


def test_nothing_chosen_is_no_value(real_data: Path, tmp_path: Path) -> None:
    """'Select' of X Education and 999 days of Bank Marketing mean that there is nothing."""
    for name, column, code in [
        ("xeducation", "specialization", "Select"),
        ("bank_marketing", "days_since_previous_campaign", 999.0),
    ]:
        history, _ = import_dataset(name, real_data, tmp_path / name)
        values = history.read().leads[column]
        assert values.null_count > 0
        assert code not in values.unique().to_pylist()
