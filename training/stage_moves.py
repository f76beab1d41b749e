"""How many of the newest leads would change stage with a new champion, under stages somebody else decides.

Only counts: what a stage is comes in as a function (the policy in force, from the command line), and how many
moves are too many is decided in `training.gates` by the limit that came with it.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from features.build import Points
from training.outcomes import IntArray
from training.points import FloatArray

MOST_LEADS = 5_000
"""The newest leads speak for all: the share that moves is then known to within 1.4 points."""

DecideStages = Callable[[Points, FloatArray], tuple[str, ...]]
"""Points (n,) and a probability for each to the stage of each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreedStages:
    """What decides stages: the name of the policy in force, its function, and how many leads may move."""

    policy: str
    decide: DecideStages
    most_moved: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """How many leads are in one stage with the champion and with the challenger."""

    stage: str
    champion: int
    challenger: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StageMoves:
    """Leads asked, leads whose stage differs, and the volume of each stage before and after."""

    policy: str
    most_moved: float
    leads: int
    moved: int
    volumes: tuple[Volume, ...]

    @property
    def share(self) -> float:
        """The share of the leads that would change stage."""
        return self.moved / self.leads


def count_moves(
    points: Points, champion: FloatArray, challenger: FloatArray, stages: AgreedStages
) -> StageMoves:
    """Count the newest leads, each at its last snapshot, whose stage differs between two models.

    Parameters
    ----------
    points : sorted by lead and time, (n,).
    champion, challenger : probabilities of the points, (n,).
    """
    chosen = _last_of_newest(points)
    asked = Points(lead_index=points.lead_index[chosen], as_of_us=points.as_of_us[chosen])
    before, after = (stages.decide(asked, each[chosen]) for each in (champion, challenger))
    counted = Counter(before), Counter(after)
    return StageMoves(
        policy=stages.policy,
        most_moved=stages.most_moved,
        leads=len(chosen),
        moved=sum(one != other for one, other in zip(before, after, strict=True)),
        volumes=tuple(
            Volume(stage=stage, champion=counted[0][stage], challenger=counted[1][stage])
            for stage in sorted(counted[0].keys() | counted[1].keys())
        ),
    )


def _last_of_newest(points: Points) -> IntArray:
    """Return the rows of the last snapshot of each lead, the newest `MOST_LEADS` of them, in their order."""
    last = np.flatnonzero(np.diff(points.lead_index, append=-1))
    newest = np.argsort(points.as_of_us[last], kind="stable")[-MOST_LEADS:]
    return last[np.sort(newest)]
