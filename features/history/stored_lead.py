"""One lead out of the stored tables, in the form of a score request."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pyarrow as pa

from features.attributes import typed_value
from features.history.sorted_file import sorted_file
from features.tables import ACTIVITIES, CHANGES, LEADS
from features.times import EPOCH

Row = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StoredLead:
    """A lead as stored: attributes by name, activities by time, attribute changes by time.

    Times are aware datetimes in UTC; a missing value is None. The `value` of a change, recorded as text, has
    the type of its attribute here; one that is not readable as such is None.
    """

    lead: Row
    activities: tuple[Row, ...]
    attribute_changes: tuple[Row, ...]

    def lead_as_of(self, as_of: datetime) -> dict[str, object]:
        """Return the lead with each attribute as it was known at `as_of` (inclusive).

        An attribute with recorded changes has its last value until then, and none before the first; one
        without changes has the value of the leads table.
        """
        known: dict[str, object] = {str(change["attribute"]): None for change in self.attribute_changes}
        for change in self.attribute_changes:
            changed_at = change["changed_at"]
            if isinstance(changed_at, datetime) and changed_at <= as_of:
                known[str(change["attribute"])] = change["value"]
        return {**self.lead, **{name: value for name, value in known.items() if name in self.lead}}


def find_lead(files: Mapping[str, Path], lead_id: str) -> StoredLead | None:
    """Return one lead from the stored files (table name -> path), or None when no row has this id."""
    leads = _rows_of(files[LEADS], lead_id)
    if not leads:
        return None
    return StoredLead(
        lead={
            name: value for name, value in leads[0].items() if name != "created_order" or value is not None
        },
        activities=tuple(_rows_of(files[ACTIVITIES], lead_id)),
        attribute_changes=tuple(
            typed_changes(
                _rows_of(files[CHANGES], lead_id), sorted_file(files[LEADS]).footer.schema.to_arrow_schema()
            )
        ),
    )


def find_rows(files: Mapping[str, Path], lead_id: str) -> dict[str, list[dict[str, object]]]:
    """Return every stored row of a lead per table (table name -> rows), as it is stored."""
    return {name: _rows_of(file, lead_id) for name, file in files.items()}


def typed_changes(changes: Iterable[Row], leads: pa.Schema) -> Iterator[Row]:
    """Yield attribute changes with their value, recorded as text, in the type of its column of `leads`."""
    for change in changes:
        place = leads.get_field_index(str(change["attribute"]))
        kind = pa.string() if place < 0 else leads.field(place).type
        text = change["value"]
        yield {**change, "value": typed_value(text, kind) if isinstance(text, str) else text}


def _rows_of(file: Path, lead_id: str) -> list[dict[str, object]]:
    return _to_python(sorted_file(file).rows_between(lead_id, lead_id))


def _to_python(rows: pa.Table) -> list[dict[str, object]]:
    """Return rows as dictionaries; Arrow's own conversion of times would load pandas into the service."""
    columns = [
        _to_datetimes(column) if pa.types.is_timestamp(column.type) else column.to_pylist()
        for column in rows.columns
    ]
    return [dict(zip(rows.column_names, values, strict=True)) for values in zip(*columns, strict=True)]


def _to_datetimes(column: pa.ChunkedArray) -> list[datetime | None]:
    microseconds = column.cast(pa.int64()).to_pylist()
    return [None if each is None else EPOCH + timedelta(microseconds=each) for each in microseconds]
