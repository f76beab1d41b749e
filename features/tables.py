"""Contract 1: the four canonical tables, their columns, types and order.

Which rows break a rule is decided by `features.importing.validation`.
"""

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from features.crm import CrmSettings

TIME_TYPE = pa.timestamp("us", tz="UTC")

LEADS, ACTIVITIES, DEALS, CHANGES = "leads", "activities", "deals", "attribute_changes"
TABLE_NAMES = (LEADS, ACTIVITIES, DEALS, CHANGES)

LEAD_ID_COLUMNS = pa.schema(
    [("lead_id", pa.string()), ("created_at", TIME_TYPE), ("created_order", pa.int64())]
)
"""Every leads table begins with these; attribute columns follow in the order of the export.

`created_order` is the rank of arrival for exports without times whose rows come in time order.
"""

ACTIVITIES_SCHEMA = pa.schema(
    [
        ("activity_id", pa.string()),
        ("lead_id", pa.string()),
        ("occurred_at", TIME_TYPE),
        ("kind", pa.string()),
        ("asset", pa.string()),
        ("channel", pa.string()),
        ("value", pa.float64()),
    ]
)
DEALS_SCHEMA = pa.schema(
    [
        ("deal_id", pa.string()),
        ("lead_id", pa.string()),
        ("closed_at", TIME_TYPE),
        ("outcome", pa.string()),
        ("opened_at", TIME_TYPE),
        ("planned_close_at", TIME_TYPE),
        ("amount", pa.float64()),
        ("loss_reason", pa.string()),
    ]
)
CHANGES_SCHEMA = pa.schema(
    [("lead_id", pa.string()), ("changed_at", TIME_TYPE), ("attribute", pa.string()), ("value", pa.string())]
)
FIXED_SCHEMAS = {
    LEADS: LEAD_ID_COLUMNS,
    ACTIVITIES: ACTIVITIES_SCHEMA,
    DEALS: DEALS_SCHEMA,
    CHANGES: CHANGES_SCHEMA,
}

SORT_KEYS = {
    LEADS: ("lead_id",),
    ACTIVITIES: ("lead_id", "occurred_at", "activity_id"),
    DEALS: ("lead_id", "closed_at", "deal_id"),
    CHANGES: ("lead_id", "attribute", "changed_at", "value"),
}

PAST_TIMES = {
    LEADS: ("created_at",),
    ACTIVITIES: ("occurred_at",),
    DEALS: ("closed_at", "opened_at"),
    CHANGES: ("changed_at",),
}
"""The columns that say when something happened; `planned_close_at` may lie ahead."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CanonicalTables:
    """One CRM's leads, activities, deals and attribute changes, validated and sorted (`SORT_KEYS`).

    Leads are unique by `lead_id`; every other table names only leads that exist. `created_at` is filled in
    every row or in none, and so is `created_order`. Attribute columns are float64, bool, string or
    timestamp[us, UTC]; a missing value is null.

    `settled` says that someone has seen to it that rows are sorted and ids unique, as import and history do;
    without it whoever needs that looks for himself. `left_out` counts leads by the reason for which they were
    taken out before anybody learns (`features.history.left_out`).
    """

    leads: pa.Table
    activities: pa.Table
    deals: pa.Table
    attribute_changes: pa.Table
    crm: CrmSettings
    settled: bool = False
    left_out: tuple[tuple[str, int], ...] = ()

    @property
    def has_times(self) -> bool:
        """Whether leads carry the time they were created; a flat table of finished cases does not."""
        return _is_filled(self.leads.column("created_at"))

    @property
    def has_order(self) -> bool:
        """Whether leads carry a rank of arrival instead of times."""
        return _is_filled(self.leads.column("created_order"))

    @property
    def attribute_columns(self) -> tuple[str, ...]:
        """The lead columns that describe the lead, in the order of the table."""
        return tuple(name for name in self.leads.column_names if name not in LEAD_ID_COLUMNS.names)

    @property
    def known_until_us(self) -> int | None:
        """The last instant (int64 microseconds UTC) these tables know about; None without times."""
        if not self.has_times:
            return None
        if self.crm.exported_at is not None:
            return to_microseconds(pa.scalar(self.crm.exported_at, TIME_TYPE))
        return max(_newest_us(self.table(name), PAST_TIMES[name]) for name in TABLE_NAMES)

    def table(self, name: str) -> pa.Table:
        """Return one of the four tables by its name."""
        return {
            LEADS: self.leads,
            ACTIVITIES: self.activities,
            DEALS: self.deals,
            CHANGES: self.attribute_changes,
        }[name]


def to_microseconds(value: pa.Scalar) -> int:
    """Return a timestamp scalar as int64 microseconds UTC since 1970."""
    return int(value.cast(TIME_TYPE).value)


def empty_table(name: str) -> pa.Table:
    """Return a canonical table without rows."""
    return pa.Table.from_batches([], FIXED_SCHEMAS[name])  # `empty_table` would load pandas


def sort_canonically(name: str, table: pa.Table) -> pa.Table:
    """Sort one table by its canonical keys, nulls last; rows that tie in all keys keep their order."""
    return table.sort_by([(key, "ascending") for key in SORT_KEYS[name]]).combine_chunks()


def _is_filled(column: pa.ChunkedArray) -> bool:
    return bool(len(column) > column.null_count)


def _newest_us(table: pa.Table, columns: tuple[str, ...]) -> int:
    newest = [pc.max(table.column(column)) for column in columns]
    return max((to_microseconds(each) for each in newest if each.is_valid), default=-(2**63))
