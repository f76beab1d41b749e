"""Metrics as plain loops over rows and pairs: what the fast ones must equal, weights and ties included."""

import math
from collections.abc import Sequence

Numbers = Sequence[float]


def roc_slow(label: Numbers, probability: Numbers, weight: Numbers) -> float:
    """Return the weighted share of pairs (win, other) in which the win scores higher; ties count half."""
    rows = list(zip(label, probability, weight, strict=True))
    wins, others = ([row for row in rows if row[0] == kind] for kind in (1.0, 0.0))
    above = sum(
        win[2] * other[2] * (1.0 if win[1] > other[1] else 0.5 if win[1] == other[1] else 0.0)
        for win in wins
        for other in others
    )
    return above / (sum(win[2] for win in wins) * sum(other[2] for other in others))


def gain_slow(label: Numbers, probability: Numbers, weight: Numbers, share: float) -> float:
    """Take leads from the best score down until the share is full; of tied ones each gives the same part."""
    room, won = share * sum(weight), 0.0
    for score in sorted(set(probability), reverse=True):
        tied = [row for row in zip(label, probability, weight, strict=True) if row[1] == score]
        total = sum(row[2] for row in tied)
        part = min(1.0, max(0.0, room / total))
        won += part * sum(row[2] for row in tied if row[0] == 1.0)
        room -= total
    return won / sum(w for y, w in zip(label, weight, strict=True) if y == 1.0)


def calibration_error_slow(
    label: Numbers, probability: Numbers, weight: Numbers, bins: Sequence[int]
) -> float:
    """Return the weighted mean distance of promise and outcome over the bins."""
    distance = 0.0
    for each in set(bins):
        rows = [row for row in zip(label, probability, weight, bins, strict=True) if row[3] == each]
        total = sum(row[2] for row in rows)
        promised = sum(row[1] * row[2] for row in rows) / total
        came = sum(row[0] * row[2] for row in rows) / total
        distance += total * abs(promised - came)
    return distance / sum(weight)


def spread_slow(probability: Numbers, weight: Numbers, lead: Sequence[int]) -> float:
    """Return the deviation of the weighted wins when the rows of a lead end alike and leads are apart."""
    variance = 0.0
    for each in set(lead):
        rows = [row for row in zip(probability, weight, lead, strict=True) if row[2] == each]
        variance += sum(w * math.sqrt(p * (1.0 - p)) for p, w, _ in rows) ** 2
    return math.sqrt(variance)
