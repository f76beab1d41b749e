"""What calibration does when a lead is scored: margin -> probability and its interval. Fitting is elsewhere.

Calibration is linear in log-odds on purpose: a share of the margin stays a share of the points, so that the
exact TreeSHAP reasons add up to the calibrated score. The interval is an inductive Venn-Abers table.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from features.errors import InputError
from training.points import log_odds_to_probability

FloatArray = npt.NDArray[np.float64]

MAX_INTERVAL_STEPS = 512
_KEYS = ("kind", "slope", "intercept", "venn_abers_margin", "low", "high")


class CalibrationKind(StrEnum):
    """How far the margin is moved; the later the kind, the more it was allowed to change."""

    NONE = "none"
    SHIFT = "shift"
    SIGMOID = "sigmoid"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CompiledCalibration:
    """The same numbers as :class:`Calibration` in the form that scores: arrays, nothing left to check."""

    slope: float
    intercept: float
    margin: FloatArray
    low_after: FloatArray
    high_before: FloatArray

    def log_odds(self, margin: FloatArray) -> FloatArray:
        """Return calibrated natural log-odds of margins, same shape."""
        return self.slope * margin + self.intercept

    def interval(self, margin: FloatArray, probability: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return (low, high), same shape: the table's step, widened to hold the probability."""
        low = self.low_after[np.searchsorted(self.margin, margin, side="right")]
        high = self.high_before[np.searchsorted(self.margin, margin, side="left")]
        return np.minimum(low, probability), np.maximum(high, probability)


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """``logit(probability) = slope * margin + intercept`` and the interval table.

    ``low[i]`` and ``high[i]`` are the inductive Venn-Abers probabilities p0 and p1 (Vovk and Petej 2014,
    "Venn-Abers predictors") at the raw margin ``venn_abers_margin[i]``. Between two margins the lower one's
    p0 and the upper one's p1 hold: both are monotone, so the interval is never narrower than exact. Outside
    the table the open end is 0 or 1; an empty table knows nothing and answers 0 to 1.
    """

    kind: CalibrationKind
    slope: float = 1.0
    intercept: float = 0.0
    venn_abers_margin: tuple[float, ...] = ()
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        problems = [*_line_problems(self), *_table_problems(self)]
        if problems:
            raise InputError("calibration: " + "; ".join(problems))

    def compiled(self) -> CompiledCalibration:
        """Return the form that scores; build it once per loaded model."""
        return CompiledCalibration(
            slope=self.slope,
            intercept=self.intercept,
            margin=np.array(self.venn_abers_margin, dtype=np.float64),
            low_after=np.array((0.0, *self.low), dtype=np.float64),
            high_before=np.array((*self.high, 1.0), dtype=np.float64),
        )

    def apply(self, margin: FloatArray) -> FloatArray:
        """Return calibrated probabilities of raw margins, same shape."""
        return log_odds_to_probability(self.compiled().log_odds(np.asarray(margin, dtype=np.float64)))

    def interval(self, margin: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return (low, high) probabilities of raw margins, each of the same shape; low <= p <= high."""
        return self.compiled().interval(np.asarray(margin, dtype=np.float64), self.apply(margin))

    def to_dict(self) -> dict[str, object]:
        """Return plain JSON values that :meth:`from_dict` reads back equal."""
        return {
            "kind": self.kind.value,
            "slope": self.slope,
            "intercept": self.intercept,
            "venn_abers_margin": list(self.venn_abers_margin),
            "low": list(self.low),
            "high": list(self.high),
        }

    @classmethod
    def from_dict(cls, fields: Mapping[str, object]) -> "Calibration":
        """Read what :meth:`to_dict` wrote; InputError names the key, the rule and the value."""
        if set(fields) != set(_KEYS):
            raise InputError(f"calibration: the keys must be {sorted(_KEYS)}; got {sorted(map(str, fields))}")
        kind = fields["kind"]
        if kind not in list(CalibrationKind):
            raise InputError(
                f"calibration: kind must be one of {[k.value for k in CalibrationKind]}; got {kind!r}"
            )
        return cls(
            kind=CalibrationKind(str(kind)),
            slope=_number("slope", fields["slope"]),
            intercept=_number("intercept", fields["intercept"]),
            venn_abers_margin=_numbers("venn_abers_margin", fields["venn_abers_margin"]),
            low=_numbers("low", fields["low"]),
            high=_numbers("high", fields["high"]),
        )


def _line_problems(calibration: Calibration) -> list[str]:
    problems = []
    if not (math.isfinite(calibration.slope) and calibration.slope > 0.0):
        problems.append(f"slope must be finite and above 0; got {calibration.slope!r}")
    if not math.isfinite(calibration.intercept):
        problems.append(f"intercept must be finite; got {calibration.intercept!r}")
    if calibration.kind is not CalibrationKind.SIGMOID and calibration.slope != 1.0:
        problems.append(f"slope of kind {calibration.kind.value} must be 1; got {calibration.slope!r}")
    if calibration.kind is CalibrationKind.NONE and calibration.intercept != 0.0:
        problems.append(f"intercept of kind none must be 0; got {calibration.intercept!r}")
    return problems


def _table_problems(calibration: Calibration) -> list[str]:
    margin, low, high = calibration.venn_abers_margin, calibration.low, calibration.high
    if not len(margin) == len(low) == len(high) <= MAX_INTERVAL_STEPS:
        lengths = f"{len(margin)}, {len(low)}, {len(high)}"
        return [f"margin, low and high must be equally long, at most {MAX_INTERVAL_STEPS}; got {lengths}"]
    if not all(map(math.isfinite, (*margin, *low, *high))):
        return ["the interval table must hold finite numbers only"]
    problems = []
    if any(left >= right for left, right in pairwise(margin)):
        problems.append("venn_abers_margin must be strictly ascending")
    for name, steps in (("low", low), ("high", high)):
        if any(left > right for left, right in pairwise(steps)):
            problems.append(f"{name} must not descend")
    if not all(0.0 <= lower <= upper <= 1.0 for lower, upper in zip(low, high, strict=True)):
        problems.append("0 <= low <= high <= 1 must hold at every step")
    return problems


def _number(key: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError(f"calibration: {key} must be a number; got {value!r}")
    try:
        return float(value)
    except OverflowError as error:
        raise InputError(f"calibration: {key} must fit a double; got an integer too large") from error


def _numbers(key: str, values: object) -> tuple[float, ...]:
    if not isinstance(values, list):
        raise InputError(f"calibration: {key} must be a list of numbers; got {type(values).__name__}")
    return tuple(_number(f"{key}[{position}]", value) for position, value in enumerate(values))
