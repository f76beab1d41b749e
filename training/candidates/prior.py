"""The base rate and nothing else: what models must beat, and what is left when nothing can be learnt."""

from dataclasses import dataclass

import numpy as np

from features.definitions import FeatureSet
from training.candidates.candidate import Parameter, TrainingRows, Trial
from training.candidates.lightgbm_model import FIXED_PARAMETERS, dataset
from training.metrics import weighted_mean

UNREACHABLE_GAIN = 1e300


@dataclass(frozen=True, slots=True, kw_only=True)
class Prior:
    """One tree with one leaf: the log-odds of the weighted base rate."""

    name: str = "prior"

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Parameters that let LightGBM split nothing."""
        return (*FIXED_PARAMETERS, ("num_leaves", 2), ("min_gain_to_split", UNREACHABLE_GAIN))

    def try_on(
        self,
        rows: TrainingRows,
        validation: TrainingRows,
        *,
        feature_set: FeatureSet,  # noqa: ARG002 - the face of every candidate
        seed: int,  # noqa: ARG002 - the face of every candidate
    ) -> Trial:
        """Give every validation row the base rate of the rows."""
        base_rate = float(weighted_mean(rows.label.astype(np.float64), rows.weight))
        return Trial(rounds=1, probability=np.full(len(validation.label), base_rate))

    def fit(self, rows: TrainingRows, *, rounds: int, feature_set: FeatureSet, seed: int) -> str:
        """Write the base rate of all rows as a model text."""
        import lightgbm

        settings = {**dict(self.parameters), "num_threads": 1, "seed": seed}
        booster = lightgbm.train(settings, dataset(rows, feature_set), num_boost_round=rounds)
        return str(booster.model_to_string())
