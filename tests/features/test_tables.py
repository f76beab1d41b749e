"""What canonical tables say about themselves: times, order, attributes, and what they know until when."""

from datetime import UTC, datetime

import pytest

from features.crm import CrmSettings
from features.tables import DEALS_SCHEMA, TABLE_NAMES, CanonicalTables
from tests.builders_import import Columns, canonical

LEADS: Columns = {"lead_id": ["L1"], "created_at": ["2026-01-01T00:00:00Z"], "country": ["DE"]}
DEALS: Columns = {
    "deal_id": ["D1"],
    "lead_id": ["L1"],
    "closed_at": ["2026-02-01T00:00:00Z"],
    "outcome": ["won"],
    "planned_close_at": ["2027-01-01T00:00:00Z"],
}
ACTIVITIES: Columns = {
    "activity_id": ["A1"],
    "lead_id": ["L1"],
    "occurred_at": ["2026-03-01T00:00:00Z"],
    "kind": ["call"],
}


def microseconds(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // (datetime.resolution)


@pytest.mark.parametrize(
    ("tables", "crm", "known_until"),
    [
        pytest.param(
            {"leads": LEADS}, CrmSettings(name="a"), datetime(2026, 1, 1, tzinfo=UTC), id="leads-alone"
        ),
        pytest.param(
            {"leads": LEADS, "deals": DEALS},
            CrmSettings(name="a"),
            datetime(2026, 2, 1, tzinfo=UTC),
            id="a-plan-is-no-knowledge",
        ),
        pytest.param(
            {"leads": LEADS, "deals": DEALS, "activities": ACTIVITIES},
            CrmSettings(name="a"),
            datetime(2026, 3, 1, tzinfo=UTC),
            id="newest-of-all-tables",
        ),
        pytest.param(
            {"leads": LEADS},
            CrmSettings(name="a", exported_at=datetime(2026, 6, 1, tzinfo=UTC)),
            datetime(2026, 6, 1, tzinfo=UTC),
            id="what-the-export-says-of-itself",
        ),
    ],
)
def test_known_until(tables: dict[str, Columns], crm: CrmSettings, known_until: datetime) -> None:
    """The last instant an export knows is what it says, else the newest thing that happened in it."""
    assert canonical(tables, crm=crm).known_until_us == microseconds(known_until)


def test_flat_tables_have_no_times() -> None:
    """Without created_at there is no time at all; created_order is a rank, not an attribute."""
    tables = canonical({"leads": {"lead_id": ["L1"], "created_order": ["3"], "country": ["DE"]}})
    assert (tables.has_times, tables.has_order, tables.known_until_us) == (False, True, None)
    assert tables.attribute_columns == ("country",)


def test_tables_by_name() -> None:
    """Every table is there with its schema, empty when the export does not have it."""
    tables: CanonicalTables = canonical({"leads": LEADS})
    assert tables.table("deals").schema == DEALS_SCHEMA
    assert [tables.table(name).num_rows for name in TABLE_NAMES] == [1, 0, 0, 0]


def test_unknown_table_name() -> None:
    """There are four tables and no fifth."""
    with pytest.raises(KeyError, match="quotes"):
        canonical({"leads": LEADS}).table("quotes")
