"""A confidence sequence holds at every look at once, and says what an independent computation says."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize, special

from sla.always_valid import ALPHA, Interval, Share, confidence_sequence
from sla.errors import AgreementError

shares = st.integers(0, 5000).flatmap(lambda cases: st.builds(Share, st.integers(0, cases), st.just(cases)))


def mixture_edge(share: Share, start: float, end: float) -> float:
    """Return where the mixture martingale reaches 1 / alpha between two shares, by scipy's own functions."""
    lost = share.cases - share.won

    def excess(p: float) -> float:
        likelihood = special.xlogy(share.won, p) + special.xlog1py(lost, -p)
        mixed = special.betaln(0.5 + share.won, 0.5 + lost) - special.betaln(0.5, 0.5)
        return float(mixed - likelihood + np.log(ALPHA))

    return float(optimize.brentq(excess, start, end, xtol=1e-13))


@given(shares.filter(lambda share: 0 < share.won < share.cases))
def test_the_interval_is_where_the_martingale_is_small(share: Share) -> None:
    """Both ends are the roots that scipy's beta function and root finder give."""
    interval, peak = confidence_sequence(share), share.won / share.cases
    assert interval.low == pytest.approx(mixture_edge(share, 1e-300, peak), abs=1e-9)
    assert interval.high == pytest.approx(mixture_edge(share, peak, 1.0 - 1e-16), abs=1e-9)


@given(shares)
def test_the_interval_holds_the_share_and_mirrors(share: Share) -> None:
    """The share itself is always possible, and wins and losses play the same part."""
    interval = confidence_sequence(share)
    mirrored = confidence_sequence(Share(share.cases - share.won, share.cases))
    assert 0.0 <= interval.low <= (share.rate if share.rate is not None else 0.5) <= interval.high <= 1.0
    assert interval.low == pytest.approx(1.0 - mirrored.high, abs=1e-12)


def test_nothing_seen_rules_nothing_out() -> None:
    """Without cases every share is possible, and there is no rate."""
    assert confidence_sequence(Share(0, 0)) == Interval(0.0, 1.0)
    assert Share(0, 0).rate is None


@pytest.mark.parametrize("truth", [0.03, 0.3])
def test_looking_after_every_case_is_allowed(truth: float) -> None:
    """Of 1,000 teams that look after each of 400 cases, at most 5 % ever see the truth ruled out."""
    looks = np.random.default_rng(5).random((1000, 400)) < truth
    won = np.cumsum(looks, axis=1)
    cases = np.arange(1, 401)
    mixed = special.betaln(0.5 + won, 0.5 + cases - won) - special.betaln(0.5, 0.5)
    likelihood = won * np.log(truth) + (cases - won) * np.log1p(-truth)
    ruled_out = mixed - likelihood >= np.log(1.0 / ALPHA)
    for team in range(0, 1000, 250):  # the interval itself, where the formula above stands for the rest
        for n in (1, 20, 400):
            interval = confidence_sequence(Share(int(won[team, n - 1]), n))
            assert (interval.low <= truth <= interval.high) == (not ruled_out[team, n - 1])
    assert ruled_out.any(axis=1).mean() <= ALPHA


@pytest.mark.parametrize(("won", "cases"), [(2, 1), (-1, 3)])
def test_a_share_of_more_than_all_is_refused(won: int, cases: int) -> None:
    """More wins than cases are named with both numbers."""
    with pytest.raises(AgreementError, match=f"0 <= won <= cases; got {won} of {cases}"):
        Share(won, cases)
