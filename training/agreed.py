"""What a score rests on before there are deals to learn from: the shares both teams expect to win.

Every agreed share counts as much as twenty leads followed to the end; what is known of real leads joins it,
so that the numbers move from the agreement to the evidence. Which histories are too small to train on is
decided in recipe.py.
"""

from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from features.catalogue import persona_feature
from features.definitions import FeatureSet
from features.errors import InputError
from features.personas import PersonaRules
from features.tables import CanonicalTables
from training.calibration import Calibration, CalibrationKind
from training.candidates.additive import AdditiveModel
from training.candidates.binning import CategoryCut
from training.candidates.tree_writer import write_additive
from training.labels import Labels
from training.points import FloatArray, probability_to_log_odds

AGREED_LEADS = 20.0
"""How many leads of a known end an agreed share weighs: about what a team has seen when it names one."""
INTERVAL = 0.90


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreedRates:
    """The shares both teams expect to be won within the horizon.

    ``general`` holds for leads of no persona and of personas without a share of their own; ``personas`` are
    all agreed ones in the order in which they are matched, ``shares`` theirs, None without one.
    """

    general: float
    personas: tuple[PersonaRules, ...]
    shares: tuple[float | None, ...]

    def __post_init__(self) -> None:
        if not self.personas:
            raise InputError("agreed rates: there must be at least one persona; got none")
        if len(self.personas) != len(self.shares):
            counts = f"{len(self.personas)} and {len(self.shares)}"
            raise InputError(f"agreed rates: there must be a share, or None, for each persona; got {counts}")
        for share in (self.general, *(share for share in self.shares if share is not None)):
            if not 0.0 < share < 1.0:
                raise InputError(
                    f"agreed rates: a share must lie between 0 and 1, both excluded; got {share!r}"
                )

    @property
    def by_code(self) -> tuple[float, ...]:
        """The share of each code of the persona feature: 0 is no persona, i + 1 is ``personas[i]``."""
        own = (self.general if share is None else share for share in self.shares)
        return (self.general, *own)


@dataclass(frozen=True, slots=True, kw_only=True)
class BetaRate:
    """A share as a beta distribution: ``won`` and ``not_won`` leads, agreed ones and real ones together."""

    won: float
    not_won: float

    @property
    def mean(self) -> float:
        """The expected share."""
        return self.won / (self.won + self.not_won)

    @property
    def interval(self) -> tuple[float, float]:
        """The central 90 % of the distribution."""
        from scipy.stats import beta

        outside = (1.0 - INTERVAL) / 2.0
        low, high = beta.ppf((outside, 1.0 - outside), self.won, self.not_won)
        return float(low), float(high)


def agreed_features(agreed: AgreedRates, tables: CanonicalTables) -> FeatureSet:
    """Return the one feature that agreed shares rest on: the persona."""
    return FeatureSet(
        features=(persona_feature(agreed.personas),), timezone=tables.crm.timezone, activity_kinds=()
    )


def updated_rates(agreed: AgreedRates, code: FloatArray, labels: Labels) -> tuple[BetaRate, ...]:
    """Join what is known of real leads to the agreed shares, one rate per code of the persona feature.

    Parameters
    ----------
    code : (n_points,) codes of the persona feature, one point per lead; NaN is no persona.
    labels : of the same points. Unknown outcomes weigh nothing.
    """
    place = np.nan_to_num(code, nan=0.0).astype(np.int64)
    n_codes = len(agreed.by_code)
    won = np.bincount(place, labels.weight * labels.label, n_codes).tolist()
    seen = np.bincount(place, labels.weight, n_codes).tolist()
    return tuple(
        BetaRate(won=share * AGREED_LEADS + won[i], not_won=(1.0 - share) * AGREED_LEADS + seen[i] - won[i])
        for i, share in enumerate(agreed.by_code)
    )


def calibration_of(rates: tuple[BetaRate, ...]) -> Calibration:
    """Return a calibration that changes no margin and knows the interval of each rate.

    An interval table must ascend, so where a rate that rests on more leads lies inside the interval of its
    neighbour, the wider of the two holds for both.
    """
    ordered = sorted((log_odds_of(rate), *rate.interval) for rate in rates)
    lows = [*accumulate((low for _, low, _ in reversed(ordered)), min)][::-1]
    highs = [*accumulate((high for _, _, high in ordered), max)]
    margins = [margin for margin, _, _ in ordered]
    first = dict(zip(reversed(margins), reversed(lows), strict=True))
    last = dict(zip(margins, highs, strict=True))
    table = sorted(last)
    return Calibration(
        kind=CalibrationKind.NONE,
        venn_abers_margin=tuple(table),
        low=tuple(first[margin] for margin in table),
        high=tuple(last[margin] for margin in table),
    )


def write_rates(rates: tuple[BetaRate, ...]) -> str:
    """Return the rates as LightGBM text: one tree that asks for the persona; none is code 0 or missing."""
    margins = np.array([log_odds_of(rate) for rate in rates])
    codes = np.arange(1, len(rates))
    leads = [max(round(rate.won + rate.not_won), 1) for rate in rates]
    model = AdditiveModel(
        intercept=0.0,
        cuts=(CategoryCut(levels=codes, n_codes=len(rates)),),
        values=(np.append(margins[1:], (margins[0], margins[0])),),
        counts=(np.array([*leads[1:], leads[0], 0]),),
    )
    return write_additive(model, n_columns=1)


def log_odds_of(rate: BetaRate) -> float:
    """Return the natural log-odds of the expected share: the margin of its leads."""
    return float(probability_to_log_odds(np.array(rate.mean)))
