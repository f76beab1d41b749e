"""What became of a lead within the horizon, as known at one instant, and what a known answer weighs.

A lead that is open while its horizon is not over is censored, not lost: it leaves, and the known answers that
were as likely to be censored stand in for it. How leads are split is decided elsewhere.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from features.build import Points
from features.tables import CanonicalTables
from training.outcomes import DAY_US, BoolArray, IntArray, deal_ends, lead_created_us, leads_with
from training.points import FloatArray
from training.snapshots import LANDMARK_AGES_DAYS

MIN_FOLLOWED_SHARE = 0.10
"""Of the points of one landmark age, at least this share must be followed for a whole horizon. Below it
hardly anything but quick answers is known and no weight can speak for the slow ones, so none of that age is
used; above it no weight exceeds ten."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Labels:
    """One row per point (n,): ``label`` 1 = won within the horizon; ``weight`` is above 0 where ``known``."""

    label: npt.NDArray[np.int8]
    weight: FloatArray
    known: BoolArray


def label_points(
    tables: CanonicalTables, points: Points, *, horizon_days: int, known_until_us: int | None
) -> Labels:
    """Label points as somebody at ``known_until_us`` could have done.

    Won in (as_of, as_of + horizon] is 1; lost in it, or a horizon that is over, is 0; else the label is not
    known and weighs 0. Known labels weigh 1 / G(t-), where t is the time until the answer was there and G the
    survival function of the follow-up known_until - as_of (Graf et al. 1999, "Assessment and comparison of
    prognostic classification schemes for survival data"). G is taken within each landmark age, because older
    snapshots are both followed for less time and answered differently. Follow-up is known for every point, so
    G is counted, not estimated. Flat tables keep their outcome; a lead without a deal is unknown.
    """
    if not tables.has_times or known_until_us is None:
        return _label_flat(tables, points)
    horizon_us = horizon_days * DAY_US
    follow_up_us = known_until_us - points.as_of_us
    won_after_us, lost_after_us = (_wait_us(tables, points, outcome) for outcome in ("won", "lost"))
    seen_us = np.minimum(follow_up_us, horizon_us)
    won, lost = won_after_us <= seen_us, lost_after_us <= seen_us
    answered_us = np.where(won, won_after_us, np.where(lost, lost_after_us, horizon_us))
    answered = won | lost | (follow_up_us >= horizon_us)
    weight = np.where(answered, 1.0, 0.0)
    for same_age in _same_ages(tables, points):
        weight[same_age] *= _inverse_follow_up(
            follow_up_us[same_age], answered_us[same_age], horizon_us=horizon_us
        )
    return Labels(label=won.astype(np.int8), weight=weight, known=weight > 0.0)


def _wait_us(tables: CanonicalTables, points: Points, outcome: str) -> IntArray:
    following = deal_ends(tables, outcome).next_after(points.lead_index, points.as_of_us)
    return following - points.as_of_us


def _same_ages(tables: CanonicalTables, points: Points) -> Iterator[IntArray]:
    """Yield the points, int64 positions, that have passed the same landmark age."""
    age_us = points.as_of_us - lead_created_us(tables)[points.lead_index]
    landmark = np.searchsorted(np.array(LANDMARK_AGES_DAYS) * DAY_US, age_us, side="right")
    for each in np.unique(landmark):
        yield np.flatnonzero(landmark == each)


def _inverse_follow_up(follow_up_us: IntArray, answered_us: IntArray, *, horizon_us: int) -> FloatArray:
    """Return 1 / share of points followed for at least the time of the answer, (n,).

    0 for all when too few were followed for the horizon: then the slow answers are missing for good.
    """
    n_points, ordered = len(follow_up_us), np.sort(follow_up_us)
    if n_points - np.searchsorted(ordered, horizon_us) < MIN_FOLLOWED_SHARE * n_points:
        return np.zeros(n_points)
    return n_points / (n_points - np.searchsorted(ordered, answered_us, side="left"))


def _label_flat(tables: CanonicalTables, points: Points) -> Labels:
    won, lost = (leads_with(tables, outcome)[points.lead_index] for outcome in ("won", "lost"))
    known = won | lost
    return Labels(label=won.astype(np.int8), weight=known.astype(np.float64), known=known)
