"""The alternative that models the time itself: trees for the chance to be won, or lost, in each step of it.

A snapshot gives one row per step of the horizon that it was followed through, or in which it closed; two
models, one per end, see its features and the step. The chance of a win within the horizon is the sum over
steps of staying open until then and winning in it (Tutz and Schmid 2016, "Modeling discrete time-to-event
data", chapter 8). It needs two models and a sum where the decided way needs one classifier of any kind.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from experiments.simulator.outcomes import HORIZON_DAYS
from features.build import Points
from features.tables import CanonicalTables
from training.first_pass import Probability, first_pass
from training.labels import WeightedRows
from training.outcomes import DAY_US, BoolArray, IntArray, deal_ends
from training.points import FloatArray
from training.snapshots import closing_us, landmark_passed, stay_weights

if TYPE_CHECKING:
    from experiments.studies.censoring.measure import Snapshots

STEPS = 6
STEP_US = HORIZON_DAYS * DAY_US // STEPS


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HazardTrees:
    """A model of winning and one of losing in a step, given that the lead is open at its beginning."""

    won: Probability
    lost: Probability

    @classmethod
    def fit(
        cls, tables: CanonicalTables, parts: Sequence["Snapshots"], *, categorical: Sequence[int], seed: int
    ) -> "HazardTrees":
        """Fit both on every step that some snapshot was followed through."""
        matrix = np.concatenate([part.matrix for part in parts])
        ends = [_ends(tables, part.points, part.known_until_us) for part in parts]
        in_step, outcome = (np.concatenate(each) for each in zip(*ends, strict=True))
        weight = np.concatenate([_weights(part) for part in parts])
        row, step = np.nonzero(np.arange(STEPS)[None, :] < in_step[:, None])
        is_last = step == in_step[row] - 1
        with_step = np.column_stack([matrix[row], step])
        return cls(
            **{
                name: first_pass(
                    with_step,
                    WeightedRows(
                        position=np.arange(len(row)),
                        label=(is_last & (outcome[row] == code)).astype(np.int8),
                        weight=weight[row],
                    ),
                    categorical=categorical,
                    seed=seed,
                )
                for name, code in (("won", 1), ("lost", 2))
            }
        )

    def win_probability(self, matrix: FloatArray) -> FloatArray:
        """P(won within the horizon) of rows (n, n_features)."""
        still_open, won = np.ones(len(matrix)), np.zeros(len(matrix))
        for step in range(STEPS):
            with_step = np.column_stack([matrix, np.full(len(matrix), step)])
            win, loss = self.won(with_step), self.lost(with_step)
            won += still_open * win
            still_open *= np.maximum(1.0 - win - loss, 0.0)
        return won


def _ends(tables: CanonicalTables, points: Points, known_until_us: int) -> tuple[IntArray, IntArray]:
    """Return how many steps each snapshot shows (n,), and how the last ends: 0 open, 1 won, 2 lost."""
    won_us = deal_ends(tables, "won").first_per_lead(tables.leads.num_rows)[points.lead_index]
    wait_us = closing_us(tables)[points.lead_index] - points.as_of_us
    followed_us = np.minimum(known_until_us - points.as_of_us, STEPS * STEP_US)
    closed: BoolArray = wait_us <= followed_us
    steps = np.where(closed, -(-wait_us // STEP_US), followed_us // STEP_US)
    is_win = closed & (won_us - points.as_of_us == wait_us)
    return steps.astype(np.int64), np.where(is_win, 1, np.where(closed, 2, 0))


def _weights(part: "Snapshots") -> FloatArray:
    return stay_weights(landmark_passed(part.age_us))
