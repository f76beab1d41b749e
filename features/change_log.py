"""What attributes were before: changes by attribute and lead, and the last one known at an instant.

Decides order and repetitions; what a changed text means is decided by `features.attributes`.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from features.kernel import NO_CODE, changes_until, last_known_change
from features.log import lead_codes, lead_offsets
from features.tables import CHANGES, CanonicalTables, sort_canonically

Int64Array = npt.NDArray[np.int64]
KEY = ["lead_id", "attribute", "changed_at"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AttributeChanges:
    """The changes of one attribute, or of several taken together, lead by lead, ascending in time.

    changed_us : int64 (n_changes,); texts : the values, string (n_changes,), null for an emptied one.
    offsets : int64 (n_leads + 1,); lead i has the changes offsets[i] to offsets[i + 1].
    """

    changed_us: Int64Array
    texts: pa.ChunkedArray
    offsets: Int64Array

    def last_known(self, point_lead: Int64Array, as_of_us: Int64Array) -> Int64Array:
        """Return the last change at every point, as `features.kernel.last_known_change` gives it."""
        found: Int64Array = last_known_change(self.changed_us, self.offsets, point_lead, as_of_us)
        return found

    def count(self, point_lead: Int64Array, as_of_us: Int64Array, window_us: int) -> Int64Array:
        """Return the changes in the window that ends at every point; int64 (n_points,)."""
        until: Int64Array = changes_until(self.changed_us, self.offsets, point_lead, as_of_us)
        before: Int64Array = changes_until(self.changed_us, self.offsets, point_lead, as_of_us - window_us)
        return until - before


class ChangeLog:
    """The attribute changes of known leads, ready to be asked by attribute."""

    def __init__(self, tables: CanonicalTables) -> None:
        changes = tables.attribute_changes
        if not tables.settled:
            changes = _last_of_each_instant(sort_canonically(CHANGES, changes))
        self._changes = changes
        self._lead = lead_codes(changes.column("lead_id"), tables)
        self._n_leads = tables.leads.num_rows

    def of(self, *attributes: str) -> AttributeChanges:
        """Return the changes of one attribute, or the times of change of several."""
        named = pc.is_in(self._changes.column("attribute"), value_set=pa.array(attributes, pa.string()))
        rows = np.flatnonzero(named.to_numpy() & (self._lead != NO_CODE))
        changed_us = np.array(self._changes.column("changed_at").cast(pa.int64()), dtype=np.int64)
        rows = rows[np.lexsort((changed_us[rows], self._lead[rows]))]
        return AttributeChanges(
            changed_us=changed_us[rows],
            texts=self._changes.column("value").take(pa.array(rows)),
            offsets=lead_offsets(self._lead[rows], self._n_leads),
        )


def _last_of_each_instant(changes: pa.Table) -> pa.Table:
    """Keep one change per attribute and instant: the last in canonical order, as it stands afterwards."""
    numbered = changes.select(KEY).append_column("row", pa.array(np.arange(changes.num_rows)))
    last = numbered.group_by(KEY).aggregate([("row", "max")]).column("row_max")
    return changes.take(pa.array(np.sort(last.to_numpy())))
