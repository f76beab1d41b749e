"""What became of a lead within the horizon, as known at one instant: labels that judge and labels that teach.

A lead that is open while its horizon is not over is censored, not lost. Where a model is judged it leaves,
and the known answers that were as likely to be censored stand in for it: only answers judge. Where a model
learns it stays, as a win with the chance that leads of its age have and as a no with the rest: weights cannot
speak for ages at which nobody was followed for a whole horizon. How leads are split is decided elsewhere.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from features.build import Points
from features.tables import CanonicalTables
from training.closing import ClosingCurve, closing_curve
from training.outcomes import DAY_US, BoolArray, IntArray, deal_ends, lead_created_us, leads_with
from training.points import FloatArray, log_odds_to_probability, probability_to_log_odds
from training.snapshots import landmark_passed, stay_weights

MIN_FOLLOWED_SHARE = 0.10
"""Of the points of one landmark age, at least this share must be followed for a whole horizon. Below it
hardly anything but quick answers is known and no weight can speak for the slow ones, so none of that age is
used; above it no weight exceeds ten."""


SMALLEST_CHANCE = 1e-6
MOST_SHIFT, SHIFT_STEPS = 30.0, 60
"""Within which log-odds, and in how many halvings, the level of sharpened chances is found."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Labels:
    """One row per point (n,): ``label`` 1 = won within the horizon; ``weight`` is above 0 where ``known``."""

    label: npt.NDArray[np.int8]
    weight: FloatArray
    known: BoolArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WeightedRows:
    """Rows for any classifier that takes weights: ``position`` int64 (n,) names the point of each row.

    An open point is there twice, as a win and as a no; its two weights add up to the point's own.
    """

    position: IntArray
    label: npt.NDArray[np.int8]
    weight: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TeachingLabels:
    """One entry per point (n,): the chance of a win within the horizon, 0 or 1 where ``answered``.

    ``weight`` is what the point weighs whatever became of it (`stay_weights`); ``landmark`` the age it has
    passed. A point that is neither answered nor has a chance (flat tables) weighs 0.
    """

    chance: FloatArray
    answered: BoolArray
    weight: FloatArray
    landmark: IntArray

    def rows(self) -> WeightedRows:
        """Return the rows to fit on: answered points first, then open ones as wins, then as noes."""
        answered = np.flatnonzero(self.answered & (self.weight > 0.0))
        unknown = np.flatnonzero(~self.answered & (self.weight > 0.0))
        win, no = self.chance[unknown], 1.0 - self.chance[unknown]
        return WeightedRows(
            position=np.concatenate([answered, unknown, unknown]),
            label=np.concatenate([self.chance[answered], np.ones(len(win)), np.zeros(len(no))]).astype(
                np.int8
            ),
            weight=np.concatenate(
                [self.weight[answered], self.weight[unknown] * win, self.weight[unknown] * no]
            ),
        )

    def sharpened(self, probability: FloatArray) -> "TeachingLabels":
        """Return the chances of open points moved by what a model (n,) thinks of each; no answer changes.

        The chances by age alone treat all open leads of an age alike and would teach a model that they are.
        Their log-odds get the model's added, and per landmark age one shift that keeps the mean chance: the
        model says who is likelier, never how many win.
        """
        chance = self.chance.copy()
        for each in np.unique(self.landmark):
            own = np.flatnonzero((self.landmark == each) & ~self.answered)
            chance[own] = _tilted(self.chance[own], probability[own])
        return TeachingLabels(
            chance=chance, answered=self.answered, weight=self.weight, landmark=self.landmark
        )


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


def teaching_labels(
    tables: CanonicalTables, points: Points, *, horizon_days: int, known_until_us: int | None
) -> TeachingLabels:
    """Label points for learning, as somebody at ``known_until_us`` could have done.

    Answers are those of `label_points`. An open point that was followed until age b has the chance to be won
    between b and the end of its horizon that leads open at age b have, by all leads known at the cut-off
    (`closing_curve`). Flat tables keep their outcome; a lead without a deal weighs 0.
    """
    if not tables.has_times or known_until_us is None:
        return _teach_flat(tables, points)
    horizon_us = horizon_days * DAY_US
    created_us = lead_created_us(tables)[points.lead_index]
    seen_us = np.minimum(known_until_us - points.as_of_us, horizon_us)
    won, lost = (_wait_us(tables, points, outcome) <= seen_us for outcome in ("won", "lost"))
    answered = won | lost | (seen_us >= horizon_us)
    curve = _curve_as_known(tables, known_until_us, horizon_us)
    chance = curve.win_chance(known_until_us - created_us, points.as_of_us + horizon_us - created_us)
    landmark = landmark_passed(points.as_of_us - created_us)
    return TeachingLabels(
        chance=np.where(answered, won, chance).astype(np.float64),
        answered=answered,
        weight=stay_weights(landmark),
        landmark=landmark,
    )


def _curve_as_known(tables: CanonicalTables, known_until_us: int, horizon_us: int) -> ClosingCurve:
    """Return how leads close by age, from each lead's first closing as known at the cut-off."""
    n_leads, created_us = tables.leads.num_rows, lead_created_us(tables)
    won_us, lost_us = (deal_ends(tables, outcome).first_per_lead(n_leads) for outcome in ("won", "lost"))
    closed_us = np.minimum(won_us, lost_us)
    there = created_us <= known_until_us
    closed = closed_us <= known_until_us
    return closing_curve(
        (np.minimum(closed_us, known_until_us) - created_us)[there],
        (closed & (won_us <= lost_us))[there],
        (closed & (won_us > lost_us))[there],
        horizon_us=horizon_us,
    )


def _tilted(chance: FloatArray, probability: FloatArray) -> FloatArray:
    """Add the model's log-odds to those of the chances, and the shift at which their mean stays, (n,).

    A chance of exactly 0 or 1 has no log-odds to add to: it stays as it is.
    """
    moved = np.flatnonzero((chance > 0.0) & (chance < 1.0))
    if len(moved) == 0:
        return chance
    clipped = np.clip(probability[moved], SMALLEST_CHANCE, 1.0 - SMALLEST_CHANCE)
    log_odds = probability_to_log_odds(chance[moved]) + probability_to_log_odds(clipped)
    mean = chance[moved].mean()
    low, high = -MOST_SHIFT, MOST_SHIFT
    for _ in range(SHIFT_STEPS):
        middle = (low + high) / 2.0
        is_low = log_odds_to_probability(log_odds + middle).mean() < mean
        low, high = (middle, high) if is_low else (low, middle)
    tilted = chance.copy()
    tilted[moved] = log_odds_to_probability(log_odds + low)
    return tilted


def _wait_us(tables: CanonicalTables, points: Points, outcome: str) -> IntArray:
    following = deal_ends(tables, outcome).next_after(points.lead_index, points.as_of_us)
    return following - points.as_of_us


def _same_ages(tables: CanonicalTables, points: Points) -> Iterator[IntArray]:
    """Yield the points, int64 positions, that have passed the same landmark age."""
    landmark = landmark_passed(points.as_of_us - lead_created_us(tables)[points.lead_index])
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


def _teach_flat(tables: CanonicalTables, points: Points) -> TeachingLabels:
    labels = _label_flat(tables, points)
    return TeachingLabels(
        chance=labels.label.astype(np.float64),
        answered=labels.known,
        weight=labels.weight,
        landmark=np.zeros(len(labels.known), dtype=np.int64),
    )
