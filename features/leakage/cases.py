"""The leads the guard looks at, and what was known of them: who was won, who was not, who is still open.

Times are compared within strata of arrival, so that a CRM that changes over the years does not look like a
leak.
"""

import zlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from features.tables import CanonicalTables
from features.times import DAY_US

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

NEVER_US = 2**62
MOST_STRATA, LEADS_PER_STRATUM = 10, 20
"""A stratum holds at least 20 leads of the rarer outcome on average: as many as training asks for at all."""
FOLDS = 5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cases:
    """The looked-at leads, each array of shape (n,).

    row : int64, their rows in `tables.leads`.
    won : bool, a deal was won.
    closed : bool, a deal was won or lost.
    finished : bool, closed, or open for longer than the horizon, which is not won in time.
    created_us, closed_us : int64 microseconds UTC; `NEVER_US` while open, 0 for both without times.
    stratum : int64 from 0, leads that came at about the same time; all 0 where no order is known.
    fold : int64 from 0 to 4, by a hash of the lead's id, so that the order of rows changes nothing.
    known_until_us : the last instant that was known; None without times.
    """

    row: IntArray
    won: BoolArray
    closed: BoolArray
    finished: BoolArray
    created_us: IntArray
    closed_us: IntArray
    stratum: IntArray
    fold: IntArray
    known_until_us: int | None

    @property
    def all_others_lost(self) -> bool:
        """Whether every finished lead that is not won has a lost deal."""
        return not bool((self.finished & ~self.won & ~self.closed).any())


def read_cases(tables: CanonicalTables, *, lead_index: IntArray, known_until_us: int | None) -> Cases:
    """Return what was known of some leads at an instant.

    Parameters
    ----------
    lead_index : int64 (n,), rows of `tables.leads`; repeats count once.
    known_until_us : deals that closed later (microseconds UTC) are not known; None for tables without times.
    """
    row = np.unique(lead_index)
    until_us = known_until_us if tables.has_times else None
    created_us = _created_us(tables)[row]
    won_us, lost_us = (_first_end_us(tables, outcome, until_us)[row] for outcome in ("won", "lost"))
    won, closed_us = won_us < NEVER_US, np.minimum(won_us, lost_us)
    closed = closed_us < NEVER_US
    horizon_us = tables.crm.horizon_days * DAY_US
    is_over = created_us + horizon_us <= until_us if until_us is not None else np.zeros(len(row), np.bool_)
    finished = closed | is_over
    return Cases(
        row=row,
        won=won,
        closed=closed,
        finished=finished,
        created_us=created_us,
        # as in training: exports with dates only give lead and deal the same midnight, and a lead comes first
        closed_us=np.maximum(closed_us, created_us + 1) if tables.has_times else np.minimum(closed_us, 0),
        stratum=_strata(_arrival(tables)[row], min(int(won.sum()), int((finished & ~won).sum()))),
        fold=_folds(tables.leads.column("lead_id").take(pa.array(row))),
        known_until_us=until_us,
    )


def _created_us(tables: CanonicalTables) -> IntArray:
    if not tables.has_times:
        return np.zeros(tables.leads.num_rows, dtype=np.int64)
    return np.asarray(tables.leads.column("created_at").cast(pa.int64()), dtype=np.int64)


def _arrival(tables: CanonicalTables) -> IntArray:
    """Return when or in which order each lead came, (n_leads,); all 0 where nobody knows."""
    if tables.has_order and not tables.has_times:
        return np.asarray(tables.leads.column("created_order"), dtype=np.int64)
    return _created_us(tables)


def _first_end_us(tables: CanonicalTables, outcome: str, until_us: int | None) -> IntArray:
    """Return when each lead's first known deal with this outcome closed, (n_leads,), or `NEVER_US`.

    A deal without a time, in tables without times, closed at 0.
    """
    deals = tables.deals.filter(pc.equal(tables.deals.column("outcome"), outcome))
    lead_ids = tables.leads.column("lead_id").combine_chunks()
    lead = np.asarray(pc.index_in(deals.column("lead_id"), value_set=lead_ids), dtype=np.int64)
    closed_us = np.zeros(len(lead), dtype=np.int64)
    if tables.has_times:
        closed_us = np.asarray(deals.column("closed_at").cast(pa.int64()), dtype=np.int64)
    ends = np.full(tables.leads.num_rows, NEVER_US, dtype=np.int64)
    known = closed_us <= (NEVER_US if until_us is None else until_us)
    np.minimum.at(ends, lead[known], closed_us[known])
    return ends


def _strata(arrival: IntArray, rarer_leads: int) -> IntArray:
    """Cut leads into strata of about equal size by arrival; leads of one instant stay together."""
    count = min(MOST_STRATA, max(1, rarer_leads // LEADS_PER_STRATUM))
    ordered = np.sort(arrival)
    edges = ordered[[len(ordered) * cut // count for cut in range(1, count)]]
    return np.searchsorted(edges, arrival, side="right").astype(np.int64)


def _folds(lead_ids: pa.ChunkedArray) -> IntArray:
    return np.array([zlib.crc32(each.encode()) % FOLDS for each in lead_ids.to_pylist()], dtype=np.int64)
