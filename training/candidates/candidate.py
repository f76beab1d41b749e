"""The models that compete, as values: what each is, and how it is fitted for good as LightGBM text."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from training.candidates.additive import fit_additive, level_shift, spread_out
from training.candidates.boosting import Parameter, TreeShape, fit_for_good
from training.candidates.rows import Columns, TrainingRows, recency_weights
from training.candidates.tree_writer import ScaledText, join_texts, write_additive, write_constant

PENALTIES = (300.0, 100.0, 30.0, 10.0, 3.0, 1.0)
"""Of the additive models, strongest first: how much it costs to differ from the average."""


class Candidate(Protocol):
    """A model that can be fitted for good."""

    @property
    def name(self) -> str:
        """The word reports use for models of this kind."""

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Everything needed to repeat the fit but the seed."""

    @property
    def rounds(self) -> int:
        """Boosted trees per seed; 0 for a model without any."""

    def fit(self, rows: TrainingRows, columns: Columns, *, seed: int) -> str:
        """Return the model text of a fit on all rows; its trees are named f0, f1, … by column."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prior:
    """The base rate and nothing else: what models must beat, and what is left when nothing can be learnt."""

    name: str = "prior"
    parameters: tuple[Parameter, ...] = ()
    rounds: int = 0

    def fit(self, rows: TrainingRows, columns: Columns, *, seed: int) -> str:  # noqa: ARG002 - one face for all
        """Write the log-odds of the weighted base rate."""
        label = rows.label.astype(np.float64)
        shift = level_shift(np.zeros(len(label)), label, rows.weight)
        return write_constant(shift, n_rows=len(label), n_columns=len(columns.n_codes))


@dataclass(frozen=True, slots=True, kw_only=True)
class Additive:
    """A scorecard of at most `most_bins` bins per number, or without them a linear model."""

    most_bins: int | None
    penalty: float
    half_life: float | None
    rounds: int = 0

    @property
    def name(self) -> str:
        """Scorecard or linear."""
        return "linear" if self.most_bins is None else "scorecard"

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Bins, ridge penalty and half-life."""
        bins = () if self.most_bins is None else (("most_bins", self.most_bins),)
        return (*bins, ("penalty", self.penalty), *_half_life(self.half_life))

    def fit(self, rows: TrainingRows, columns: Columns, *, seed: int) -> str:  # noqa: ARG002 - one face for all
        """Fit along the penalties down to the own one, as it was when it was tried."""
        design = spread_out(rows.matrix, columns, most_bins=self.most_bins)
        path = [penalty for penalty in PENALTIES if penalty >= self.penalty]
        weight = recency_weights(rows, self.half_life)
        models = fit_additive(design, rows.label.astype(np.float64), weight, penalties=path)
        return write_additive(models[-1], n_columns=len(columns.n_codes))


@dataclass(frozen=True, slots=True, kw_only=True)
class BoostedTrees:
    """Boosted trees of one shape; the mean of several seeds, each with its share of the leaves."""

    shape: TreeShape
    rounds: int
    half_life: float | None
    n_seeds: int = 1
    name: str = "lightgbm"

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """LightGBM's parameters, rounds, seeds and half-life."""
        own = (("rounds", self.rounds), ("n_seeds", self.n_seeds), *_half_life(self.half_life))
        return (*self.shape.parameters, *own)

    def fit(self, rows: TrainingRows, columns: Columns, *, seed: int) -> str:
        """Fit once per seed and join."""
        weight = recency_weights(rows, self.half_life)
        texts = [
            fit_for_good(rows, weight, self.shape, columns, rounds=self.rounds, seed=seed + number)
            for number in range(self.n_seeds)
        ]
        parts = [ScaledText(text=text, scale=1.0 / self.n_seeds) for text in texts]
        return join_texts(parts, n_columns=len(columns.n_codes))


@dataclass(frozen=True, slots=True, kw_only=True)
class Blend:
    """The mean of several models in log-odds."""

    members: tuple[Candidate, ...]
    name: str = "blend"

    @property
    def rounds(self) -> int:
        """Those of the boosted member."""
        return max(member.rounds for member in self.members)

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Those of the members, under their names."""
        return tuple(
            (f"{number}.{member.name}.{name}", value)
            for number, member in enumerate(self.members)
            for name, value in member.parameters
        )

    def fit(self, rows: TrainingRows, columns: Columns, *, seed: int) -> str:
        """Fit every member and join them, each with its share."""
        share = 1.0 / len(self.members)
        parts = [ScaledText(text=each.fit(rows, columns, seed=seed), scale=share) for each in self.members]
        return join_texts(parts, n_columns=len(columns.n_codes))


def _half_life(half_life: float | None) -> tuple[Parameter, ...]:
    return () if half_life is None else (("half_life", half_life),)
