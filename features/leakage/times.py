"""What times give away: a column recorded or changed after the outcome, dated after what could be known.

Looks at tables with times only. A recorded change is seen by a model as of then, and a time that lies ahead
is missing for it; what is left is a column that is written when a lead is closed.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from features.leakage.cases import NEVER_US, Cases
from features.leakage.evidence import LEAST_LEADS
from features.leakage.findings import Finding, make_finding
from features.leakage.statistics import Rate, wilson
from features.tables import CanonicalTables
from features.times import DAY_US

IntArray = npt.NDArray[np.int64]

ALARM_SHARE = 0.50
"""Most of the values: then the closing writes the column, and the rest is the exception."""
SUSPICIOUS_SHARE, SUSPICIOUS_AHEAD = 0.10, 0.05
"""Ordinary corrections go on after the outcome: in the simulated CRM, which changes the product of 8 % of its
leads at some time, 2.7 % of the closed leads have such a change after it."""


def change_findings(tables: CanonicalTables, name: str, cases: Cases) -> Iterator[Finding]:
    """Yield `changed-after-outcome` for a column that is recorded or changed when its lead is closed."""
    changes = tables.attribute_changes.filter(pc.equal(tables.attribute_changes.column("attribute"), name))
    if not changes.num_rows:
        return
    first_us, last_us = _recorded_us(changes, tables, cases)
    recorded = cases.closed & (first_us < NEVER_US)
    n_closed, n_recorded = int(cases.closed.sum()), int(recorded.sum())
    if n_recorded < LEAST_LEADS:
        return
    first_late, late = (int((recorded & (us >= cases.closed_us)).sum()) for us in (first_us, last_us))
    code, counts = "changed-after-outcome", {"recorded": n_recorded, "closed": n_closed}
    if _at_least(first_late, n_recorded, ALARM_SHARE) and _at_least(first_late, n_closed, SUSPICIOUS_AHEAD):
        facts = {**counts, "late": first_late, "share": first_late / n_recorded, "alarm": ALARM_SHARE}
        yield make_finding(code, "error", name, facts, phrase="first-recorded-after-outcome")
    elif _at_least(late, n_closed, SUSPICIOUS_SHARE):
        facts = {**counts, "late": late, "share": late / n_closed, "alarm": SUSPICIOUS_SHARE}
        yield make_finding(code, "warning", name, facts)


def time_findings(tables: CanonicalTables, name: str, cases: Cases) -> Iterator[Finding]:
    """Yield `time-travel` for a time that is the closing, or lies after what anybody could know."""
    column = tables.leads.column(name).take(pa.array(cases.row))
    filled = np.array(column.is_valid(), dtype=np.bool_)
    at_us = np.array(pc.fill_null(column.cast(pa.int64()), 0), dtype=np.int64)
    closing_day = cases.closed_us // DAY_US
    # a lead that is closed on the day it comes has all its times on that day, whatever they are
    judged = filled & cases.closed & (closing_day > cases.created_us // DAY_US)
    n_judged, late = int(judged.sum()), int((judged & (at_us // DAY_US >= closing_day)).sum())
    if n_judged >= LEAST_LEADS and _at_least(late, n_judged, ALARM_SHARE):
        facts = {"late": late, "leads": n_judged, "share": late / n_judged, "alarm": ALARM_SHARE}
        yield make_finding("time-travel", "error", name, facts)
        return
    known_us = np.minimum(cases.closed_us, cases.known_until_us or NEVER_US)
    n_filled, ahead = int(filled.sum()), int((filled & (at_us > known_us)).sum())
    if n_filled >= LEAST_LEADS and _at_least(ahead, n_filled, SUSPICIOUS_AHEAD):
        facts = {"late": ahead, "leads": n_filled, "share": ahead / n_filled, "alarm": SUSPICIOUS_AHEAD}
        yield make_finding("time-travel", "warning", name, facts, phrase="dated-ahead")


def _at_least(count: int, leads: int, share: float) -> bool:
    """Whether a share is reached with 99 % confidence, not by chance."""
    return wilson(Rate(value=count / max(leads, 1), leads=leads))[0] >= share


def _recorded_us(changes: pa.Table, tables: CanonicalTables, cases: Cases) -> tuple[IntArray, IntArray]:
    """Return when the first and the last known change of each looked-at lead was recorded, (n,) each.

    `NEVER_US` where none was.
    """
    lead_ids = tables.leads.column("lead_id").combine_chunks()
    lead = np.asarray(pc.index_in(changes.column("lead_id"), value_set=lead_ids), dtype=np.int64)
    changed_us = np.asarray(changes.column("changed_at").cast(pa.int64()), dtype=np.int64)
    known = changed_us <= (NEVER_US if cases.known_until_us is None else cases.known_until_us)
    first = np.full(tables.leads.num_rows, NEVER_US, dtype=np.int64)
    last = np.full(tables.leads.num_rows, -NEVER_US, dtype=np.int64)
    np.minimum.at(first, lead[known], changed_us[known])
    np.maximum.at(last, lead[known], changed_us[known])
    return first[cases.row], np.where(first < NEVER_US, last, NEVER_US)[cases.row]
