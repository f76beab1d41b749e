"""What-if by direct counting, lead by lead: the slow definition that judges `sla.what_if`."""

from collections import Counter
from collections.abc import Sequence


def stage_of(probability: float, mql: float, sql: float) -> str:
    """Return the stage of one lead."""
    if probability >= sql:
        return "sql"
    return "mql" if probability >= mql else "lead"


def counts(probabilities: Sequence[float], won: Sequence[bool], threshold: float) -> tuple[int, int, int]:
    """Return leads, wins and missed wins at one threshold."""
    leads = sum(1 for one in probabilities if one >= threshold)
    wins = sum(1 for one, is_won in zip(probabilities, won, strict=True) if is_won and one >= threshold)
    return leads, wins, sum(won) - wins


def moves(
    probabilities: Sequence[float], before: tuple[float, float], after: tuple[float, float]
) -> dict[tuple[str, str], list[int]]:
    """Return the places of the leads whose stage differs, by the stages before and after."""
    found: dict[tuple[str, str], list[int]] = {}
    for place, probability in enumerate(probabilities):
        pair = stage_of(probability, *before), stage_of(probability, *after)
        if pair[0] != pair[1]:
            found.setdefault(pair, []).append(place)
    return found


def thresholds_within(
    probabilities: Sequence[float], *, most: float | None, least: float | None
) -> list[float]:
    """Return every probability that occurred and takes in at least `least` and at most `most` leads."""
    taken = Counter(probabilities)
    return sorted(
        limit
        for limit in taken
        if (most is None or sum(n for p, n in taken.items() if p >= limit) <= most)
        and (least is None or sum(n for p, n in taken.items() if p >= limit) >= least)
    )
