"""Labels and their weights, one point at a time, in days: the definition as a person would apply it."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowLabel:
    """The label of one point: None while nobody knows, and the weight of the answer."""

    label: int | None
    weight: float


def slow_labels(
    points: Sequence[tuple[int, float]],
    deals: Sequence[tuple[int, float, str]],
    *,
    horizon_days: float,
    known_until: float,
    landmarks: Sequence[float],
    least_share: float,
) -> list[SlowLabel]:
    """Label (lead, as_of) points from (lead, closed, outcome) deals, all times in days; created on day 0."""
    found = []
    for point in points:
        passed = [age for age in landmarks if age <= point[1]]
        follow_ups = [
            known_until - as_of for _, as_of in points if [age for age in landmarks if age <= as_of] == passed
        ]
        followed = sum(1 for follow_up in follow_ups if follow_up >= horizon_days)
        label, waited = _answer(point, deals, horizon_days, known_until)
        found.append(
            _weighted(label if followed >= least_share * len(follow_ups) else None, waited, follow_ups)
        )
    return found


def _answer(
    point: tuple[int, float], deals: Sequence[tuple[int, float, str]], horizon: float, known_until: float
) -> tuple[int | None, float]:
    """Return the label and how long one had to wait for it."""
    lead, as_of = point
    end = min(as_of + horizon, known_until)
    seen = [(closed, outcome) for who, closed, outcome in deals if who == lead and as_of < closed <= end]
    for label, wanted in ((1, "won"), (0, "lost")):
        times = [closed for closed, outcome in seen if outcome == wanted]
        if times:
            return label, min(times) - as_of
    if known_until - as_of >= horizon:
        return 0, horizon
    return None, 0.0


def _weighted(label: int | None, waited: float, follow_ups: Sequence[float]) -> SlowLabel:
    if label is None:
        return SlowLabel(label=None, weight=0.0)
    followed = sum(1 for follow_up in follow_ups if follow_up >= waited)
    return SlowLabel(label=label, weight=len(follow_ups) / followed)
