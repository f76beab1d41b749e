"""Ways to label snapshots whose horizon is not over, the decided one among them, and labels from the future.

Every way is written as `TeachingLabels`, so that the same model can be fitted and calibrated on each.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from experiments.simulator.outcomes import HORIZON_DAYS
from experiments.studies.censoring.regimes import Case
from features.build import Points
from training.labels import TeachingLabels, label_points, teaching_labels
from training.outcomes import DAY_US
from training.snapshots import LANDMARK_AGES_DAYS

YOUNG_DAYS = 60
"""The oldest landmark age before decision 0014."""

Labeller = Callable[[Case, Points, int], TeachingLabels]
"""From a case, snapshots and the cut-off (microseconds UTC) to labels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """How training and calibration are labelled, and whether a first model sharpens what is modelled."""

    train: Labeller
    calibration: Labeller
    sharpened: bool = False
    what: str


def modelled(case: Case, points: Points, known_until_us: int) -> TeachingLabels:
    """Let open snapshots win with the chance of their age."""
    return teaching_labels(case.tables, points, horizon_days=HORIZON_DAYS, known_until_us=known_until_us)


def evenly_modelled(case: Case, points: Points, known_until_us: int) -> TeachingLabels:
    """Model open snapshots, but let all weigh alike."""
    labels = modelled(case, points, known_until_us)
    return replace(labels, weight=np.ones(len(labels.chance)))


def open_is_lost(case: Case, points: Points, known_until_us: int) -> TeachingLabels:
    """Count what is not won by the cut-off as lost."""
    labels = modelled(case, points, known_until_us)
    won = np.where(labels.answered, labels.chance, 0.0)
    everyone = np.ones(len(won), dtype=np.bool_)
    return replace(labels, chance=won, answered=everyone, weight=np.ones(len(won)))


def weighted(case: Case, points: Points, known_until_us: int) -> TeachingLabels:
    """Weight known answers by inverse probability of censoring within each age (decision 0008)."""
    labels = label_points(case.tables, points, horizon_days=HORIZON_DAYS, known_until_us=known_until_us)
    own = modelled(case, points, known_until_us)
    return replace(own, chance=labels.label.astype(np.float64), answered=labels.known, weight=labels.weight)


def weighted_young(case: Case, points: Points, known_until_us: int) -> TeachingLabels:
    """Weight known answers at the landmark ages of decision 0008."""
    labels = weighted(case, points, known_until_us)
    is_young = labels.landmark <= LANDMARK_AGES_DAYS.index(YOUNG_DAYS)
    return replace(labels, weight=np.where(is_young, labels.weight, 0.0))


def from_the_future(case: Case, points: Points, known_until_us: int) -> TeachingLabels:
    """Tell what really became of each snapshot; nobody can know it at the cut-off."""
    labels = modelled(case, points, known_until_us)
    won_us = case.won_us[points.lead_index]
    won = (won_us > points.as_of_us) & (won_us <= points.as_of_us + HORIZON_DAYS * DAY_US)
    everyone = np.ones(len(won), dtype=np.bool_)
    return replace(labels, chance=won.astype(np.float64), answered=everyone)


METHODS = {
    "open_is_lost": Method(train=open_is_lost, calibration=open_is_lost, what="open = lost"),
    "weighted": Method(
        train=weighted_young, calibration=weighted_young, what="0008: weights per age, ages to 60 days"
    ),
    "weighted_all_ages": Method(
        train=weighted, calibration=weighted, what="weights per age, ages to 540 days"
    ),
    "modelled_by_age": Method(
        train=modelled, calibration=modelled, what="chance by age, open leads of an age alike"
    ),
    "modelled": Method(
        train=modelled, calibration=modelled, sharpened=True, what="0014: chance by age, sharpened"
    ),
    "modelled_evenly": Method(
        train=evenly_modelled,
        calibration=evenly_modelled,
        sharpened=True,
        what="0014 with all snapshots weighing alike",
    ),
    "true_training": Method(
        train=from_the_future, calibration=modelled, sharpened=True, what="true labels in training only"
    ),
    "true_calibration": Method(
        train=modelled, calibration=from_the_future, sharpened=True, what="true labels in calibration only"
    ),
    "true_labels": Method(train=from_the_future, calibration=from_the_future, what="true labels in both"),
}
MAIN = ("open_is_lost", "weighted", "weighted_all_ages", "modelled")
