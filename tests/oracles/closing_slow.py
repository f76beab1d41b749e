"""Shares won and still open by age, by redistributing to the right: who is lost from sight leaves his mass.

Efron 1967, "The two sample problem with censored data": every lead begins with the same mass; one last seen
at some age hands his to all that were followed longer, in equal parts. No risk set, no product.
"""

from collections.abc import Sequence
from fractions import Fraction


def slow_shares(leads: Sequence[tuple[int, str]], age: int) -> tuple[Fraction, Fraction]:
    """Return the shares still open and won at an age, from (last age seen, "won", "lost" or "open")."""
    mass = {number: Fraction(1, len(leads)) for number in range(len(leads))}
    for number in sorted(mass, key=lambda each: leads[each][0]):
        seen, end = leads[number]
        longer = [other for other in mass if leads[other][0] > seen]
        if end == "open" and seen <= age and longer:
            for other in longer:
                mass[other] += mass[number] / len(longer)
            mass[number] = Fraction(0)
    won = sum((mass[each] for each in mass if leads[each][1] == "won" and leads[each][0] <= age), Fraction(0))
    lost = sum(
        (mass[each] for each in mass if leads[each][1] == "lost" and leads[each][0] <= age), Fraction(0)
    )
    return 1 - won - lost, won


def slow_win_chance(leads: Sequence[tuple[int, str]], from_age: int, to_age: int) -> Fraction:
    """Return the chance to be won in (from, to] of a lead open at from; 0 when none is."""
    still_open, won_before = slow_shares(leads, from_age)
    won_until = slow_shares(leads, max(from_age, to_age))[1]
    return (won_until - won_before) / still_open if still_open else Fraction(0)
