"""Which challengers pass, and that every reason is told."""

from dataclasses import replace

import numpy as np
import pytest

from features.leakage import Finding
from training.evaluation import Evaluation, Interval, ScoredPoints, evaluate
from training.gates import GateFacts, judge


def evaluation(*, ratio: tuple[float, float], gain: tuple[float, float]) -> Evaluation:
    """Return an evaluation with given intervals for the two metrics the gates read."""
    points = ScoredPoints(
        lead_index=np.arange(4),
        as_of_us=np.zeros(4, dtype=np.int64),
        label=np.array([0, 1, 0, 1], dtype=np.int8),
        weight=np.ones(4),
        probability=np.array([0.2, 0.8, 0.3, 0.7]),
        prior_probability=0.5,
    )
    return replace(
        evaluate(points, seed=0),
        metrics=(
            ("expected_to_real_wins", Interval(value=sum(ratio) / 2, low=ratio[0], high=ratio[1])),
            ("log_loss_gain", Interval(value=sum(gain) / 2, low=gain[0], high=gain[1])),
        ),
    )


GOOD = GateFacts(
    challenger=evaluation(ratio=(0.95, 1.08), gain=(0.01, 0.05)),
    against_champion=Interval(value=-0.01, low=-0.03, high=0.01),
    round_trip_difference=0.0,
    leakage=(),
)
LEAK = Finding(code="denied-owner", severity="error", column="owner", message="decided after it was judged")


@pytest.mark.parametrize(
    ("facts", "refused"),
    [
        pytest.param(GOOD, set(), id="good"),
        pytest.param(replace(GOOD, against_champion=None), set(), id="first-model"),
        pytest.param(
            replace(GOOD, challenger=evaluation(ratio=(0.95, 1.08), gain=(0.0, 0.05))),
            {"better_than_prior"},
            id="gain-that-may-be-nothing",
        ),
        pytest.param(
            replace(GOOD, challenger=evaluation(ratio=(1.11, 1.3), gain=(0.01, 0.05))),
            {"calibrated_in_the_large"},
            id="promises-too-much",
        ),
        pytest.param(
            replace(GOOD, challenger=evaluation(ratio=(1.10, 1.3), gain=(0.01, 0.05))),
            set(),
            id="promise-exactly-on-the-line",
        ),
        pytest.param(
            replace(GOOD, against_champion=Interval(value=0.02, low=0.001, high=0.04)),
            {"not_worse_than_champion"},
            id="worse-than-the-champion",
        ),
        pytest.param(
            replace(GOOD, against_champion=None, incomparable="another horizon"),
            {"not_worse_than_champion"},
            id="champion-of-another-horizon",
        ),
        pytest.param(replace(GOOD, leakage=(LEAK,)), {"no_leakage"}, id="leak"),
        pytest.param(replace(GOOD, leakage=(replace(LEAK, severity="warning"),)), set(), id="warning-only"),
        pytest.param(
            replace(GOOD, round_trip_difference=1e-17), {"same_after_round_trip"}, id="one-bit-differs"
        ),
        pytest.param(
            replace(GOOD, round_trip_difference=float("nan")), {"same_after_round_trip"}, id="nan-differs"
        ),
        pytest.param(
            replace(GOOD, challenger=replace(GOOD.challenger, metrics=())),
            {"better_than_prior", "calibrated_in_the_large"},
            id="what-cannot-be-judged-refuses",
        ),
    ],
)
def test_gates(facts: GateFacts, refused: set[str]) -> None:
    """Each gate refuses for its own reason; the verdict passes when none does; all five always speak."""
    verdict = judge(facts)
    assert {reason.code for reason in verdict.reasons if not reason.passed} == refused
    assert verdict.passed == (not refused)
    assert len(verdict.reasons) == 5
    assert all(reason.text for reason in verdict.reasons)


def test_a_leak_is_named() -> None:
    """The reason says which column leaks and why."""
    verdict = judge(replace(GOOD, leakage=(LEAK,)))
    texts = [reason.text for reason in verdict.reasons if reason.code == "no_leakage"]
    assert texts == ["features that leak the outcome: owner: decided after it was judged"]
