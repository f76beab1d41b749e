"""What is fitted on what while candidates are compared: forward in time where rows have an order.

Leads are dealt out, never rows. How good a candidate is on a fold is measured in `search.py`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from training.candidates.rows import BoolArray, TrainingRows
from training.outcomes import IntArray
from training.points import FloatArray

FORWARD_SHARES = (0.5, 0.625, 0.75, 0.875, 1.0)
"""Each fold fits on the oldest leads up to one share and judges those up to the next."""
STRATIFIED_FOLDS = 5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fold:
    """Rows to fit on and rows to judge, each by index; newer folds count for more."""

    fitted: IntArray
    judged: IntArray
    importance: float


def make_folds(rows: TrainingRows, *, seed: int) -> tuple[Fold, ...]:
    """Return the folds in which both sides hold wins and others; none when there are too few.

    Rows with an order are judged by models that knew older leads only, and the newest fold counts most (1, 2,
    3, 4), because the next lead is like the newest. Without an order there are five folds of equal worth that
    deal out the leads of each class; the seed shuffles them.
    """
    dealt = _stratified(rows, seed) if rows.position is None else _forward(rows, rows.position)
    return tuple(fold for fold in dealt if _is_informative(rows, fold))


def _forward(rows: TrainingRows, position: IntArray) -> Iterator[Fold]:
    place = _place_of_leads(rows, position)
    for number, (start, end) in enumerate(pairwise(FORWARD_SHARES)):
        yield _fold(place < start, (place >= start) & (place < end), importance=number + 1.0)


def _stratified(rows: TrainingRows, seed: int) -> Iterator[Fold]:
    first, lead = np.unique(rows.lead_index, return_index=True, return_inverse=True)[1:]
    won = np.zeros(len(first), dtype=np.int64)
    np.maximum.at(won, lead, rows.label)
    shuffled = np.random.default_rng(seed).permutation(len(first))
    dealt = np.empty(len(first), dtype=np.int64)
    dealt[shuffled[np.argsort(won[shuffled], kind="stable")]] = np.arange(len(first)) % STRATIFIED_FOLDS
    for number in range(STRATIFIED_FOLDS):
        yield _fold(dealt[lead] != number, dealt[lead] == number, importance=1.0)


def _place_of_leads(rows: TrainingRows, position: IntArray) -> FloatArray:
    """Return for each row the share of leads that are older than its own, (n,) in [0, 1)."""
    lead = np.unique(rows.lead_index, return_inverse=True)[1]
    oldest = np.full(int(lead.max()) + 1, np.iinfo(np.int64).max)
    np.minimum.at(oldest, lead, position)
    rank = np.empty(len(oldest))
    rank[np.argsort(oldest, kind="stable")] = np.arange(len(oldest)) / len(oldest)
    return rank[lead]


def _fold(fitted: BoolArray, judged: BoolArray, *, importance: float) -> Fold:
    return Fold(fitted=np.flatnonzero(fitted), judged=np.flatnonzero(judged), importance=importance)


def _is_informative(rows: TrainingRows, fold: Fold) -> bool:
    return all(rows.where(side).has_both_classes for side in (fold.fitted, fold.judged))
