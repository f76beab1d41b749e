"""At which instants a lead is looked at for training. What it is worth then (labels) is decided elsewhere.

A lead is looked at when it is created and at landmark ages while it is open, so that one model scores a lead
at any age (landmarking: van Houwelingen 2007, doi 10.1111/j.1467-9469.2006.00529.x).
"""

import numpy as np

from features.build import Points
from features.tables import CanonicalTables
from training.outcomes import DAY_US, IntArray, deal_ends, lead_created_us
from training.points import FloatArray

LANDMARK_AGES_DAYS = (0, 1, 3, 7, 14, 30, 60, 90, 120, 180, 270, 365, 540)
LAST_STAY_DAYS = 180
"""How long a lead is taken to stay at the last landmark age."""


def snapshot_points(
    tables: CanonicalTables, *, until_us: int | None, lead_index: IntArray | None = None
) -> Points:
    """Return every (lead, landmark instant) at which the lead was open, sorted by lead and time.

    Parameters
    ----------
    tables : leads without times (flat tables) get one snapshot each.
    until_us : no snapshot lies after this instant (int64 microseconds UTC); None for flat tables.
    lead_index : int64 (n,), the leads to look at; all of them by default.
    """
    leads = np.arange(tables.leads.num_rows, dtype=np.int64) if lead_index is None else np.sort(lead_index)
    if not tables.has_times or until_us is None:
        return Points(lead_index=leads, as_of_us=np.zeros(len(leads), dtype=np.int64))
    ages_us = np.array(LANDMARK_AGES_DAYS, dtype=np.int64) * DAY_US
    as_of_us = lead_created_us(tables)[leads][:, None] + ages_us
    taken = (as_of_us <= until_us) & (as_of_us < closing_us(tables)[leads][:, None])
    return Points(lead_index=np.repeat(leads, taken.sum(axis=1)), as_of_us=as_of_us[taken])


def landmark_passed(age_us: IntArray) -> IntArray:
    """Return the position of the last landmark age that each age, at least 0, has reached, (n,)."""
    return np.searchsorted(np.array(LANDMARK_AGES_DAYS) * DAY_US, age_us, side="right") - 1


def stay_weights(landmark: IntArray) -> FloatArray:
    """Return what a snapshot at each landmark weighs, (n,): the root of the days until the next one.

    A lead is open for 30 days between its landmarks at 30 and 60 days and for one between 0 and 1: at equal
    weights nearly all that a model learns and is calibrated on is young, while most open leads are old. In
    proportion to the stay a new lead would hardly count. The root lies between the two.
    """
    stay_days = np.diff((*LANDMARK_AGES_DAYS, LANDMARK_AGES_DAYS[-1] + LAST_STAY_DAYS))
    return np.asarray(np.sqrt(stay_days)[landmark])


def closing_us(tables: CanonicalTables) -> IntArray:
    """Return when each lead's first deal closed, (n_leads,), far in the future while it is open."""
    n_leads = tables.leads.num_rows
    won, lost = (deal_ends(tables, outcome).first_per_lead(n_leads) for outcome in ("won", "lost"))
    return np.minimum(won, lost)
