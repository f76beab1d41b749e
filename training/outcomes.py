"""When leads were created and how their deals ended, as arrays. What that means is decided elsewhere.

A lead exists before its deal: exports with dates only give both the same midnight, so a deal counts as
closed at the earliest one microsecond after its lead was created.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from features.tables import CanonicalTables

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

DAY_US = 86_400_000_000
NEVER_US = 2**62
"""Later than any time in a CRM, and small enough that a difference of two cannot overflow."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DealEnds:
    """Deals of one outcome, sorted by lead and time, each array of shape (n_deals,)."""

    lead_index: IntArray
    closed_us: IntArray

    def next_after(self, lead_index: IntArray, as_of_us: IntArray) -> IntArray:
        """Return for each point (n,) when its lead's next deal after as_of closed, or `NEVER_US`."""
        instants = np.unique(self.closed_us)
        step = len(instants) + 1
        keys = self.lead_index * step + np.searchsorted(instants, self.closed_us)
        wanted = lead_index * step + np.searchsorted(instants, as_of_us, side="right")
        position = np.searchsorted(keys, wanted)
        found = np.flatnonzero(position < len(keys))
        found = found[self.lead_index[position[found]] == lead_index[found]]
        following = np.full(len(lead_index), NEVER_US, dtype=np.int64)
        following[found] = self.closed_us[position[found]]
        return following

    def first_per_lead(self, n_leads: int) -> IntArray:
        """Return when each lead's first deal closed, (n_leads,), or `NEVER_US`."""
        first = np.full(n_leads, NEVER_US, dtype=np.int64)
        leads, position = np.unique(self.lead_index, return_index=True)
        first[leads] = self.closed_us[position]
        return first


def lead_created_us(tables: CanonicalTables) -> IntArray:
    """Return when each lead was created, int64 microseconds UTC, (n_leads,); needs times."""
    return _microseconds(tables.leads.column("created_at"))


def lead_created_order(tables: CanonicalTables) -> IntArray:
    """Return the rank of arrival of each lead, int64, (n_leads,); needs an order."""
    return np.asarray(tables.leads.column("created_order"), dtype=np.int64)


def deal_ends(tables: CanonicalTables, outcome: str) -> DealEnds:
    """Return when deals with this outcome ('won' or 'lost') closed; needs times."""
    lead_index, chosen = _deals_with(tables, outcome)
    closed_us = np.maximum(_microseconds(chosen.column("closed_at")), lead_created_us(tables)[lead_index] + 1)
    order = np.lexsort((closed_us, lead_index))
    return DealEnds(lead_index=lead_index[order], closed_us=closed_us[order])


def leads_with(tables: CanonicalTables, outcome: str) -> BoolArray:
    """Return which leads have a deal with this outcome, (n_leads,); needs no times."""
    present = np.zeros(tables.leads.num_rows, dtype=np.bool_)
    present[_deals_with(tables, outcome)[0]] = True
    return present


def _deals_with(tables: CanonicalTables, outcome: str) -> tuple[IntArray, pa.Table]:
    chosen = tables.deals.filter(pc.equal(tables.deals.column("outcome"), outcome))
    index = pc.index_in(chosen.column("lead_id"), value_set=tables.leads.column("lead_id").combine_chunks())
    return np.asarray(index, dtype=np.int64), chosen


def _microseconds(column: pa.ChunkedArray) -> IntArray:
    return np.asarray(column.cast(pa.int64()), dtype=np.int64)
