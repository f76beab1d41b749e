"""`LeadClassifier`: scikit-learn's checks, frames with text and gaps, order, groups, budget, bad input."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from features.errors import InputError
from training import LeadClassifier

NOT_APPLYING = {
    "check_sample_weight_equivalence_on_dense_data": (
        "a row that is there twice is two leads in folds and leaf sizes, a weight of two is one lead"
    ),
}
"""Checks of scikit-learn that are expected to fail, each with its reason."""


@parametrize_with_checks(  # type: ignore[untyped-decorator]  # scikit-learn ships no types
    [LeadClassifier(budget_seconds=0.5)], expected_failed_checks=lambda _: NOT_APPLYING
)
def test_scikit_learn_s_checks(estimator: Any, check: Callable[[Any], None]) -> None:
    """It behaves as a scikit-learn classifier does; exceptions are listed above."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what the checks do on purpose: infinities, 32-bit casts
        check(estimator)


def leads(n: int = 500, *, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray]:
    """Return leads with text, numbers, booleans and gaps, and who was won."""
    random = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "source": random.choice(["fair", "web", "mail"], n),
            "visits": random.integers(0, 30, n).astype(np.float64),
            "newsletter": random.random(n) < 0.3,
            "segment": pd.Categorical(random.choice(["a", "b"], n)),
        }
    )
    chance = 0.15 + 0.4 * (frame["source"] == "fair") + 0.01 * frame["visits"]
    won = np.asarray(random.random(n) < chance, dtype=np.int64)
    frame.loc[::11, "source"] = None
    frame.loc[::7, "visits"] = np.nan
    return frame, won


@pytest.fixture(scope="module")
def fitted() -> LeadClassifier:
    """Return a classifier fitted on leads in order."""
    frame, won = leads()
    return LeadClassifier().fit(frame, won, order=np.arange(len(won)))


def test_frames_with_text_numbers_booleans_and_gaps(fitted: LeadClassifier) -> None:
    """Chances are probabilities within their interval, and know more than the base rate."""
    frame, won = leads(seed=1)
    chance, interval = fitted.predict_proba(frame)[:, 1], fitted.predict_interval(frame)
    assert (interval[:, 0] <= chance).all()
    assert (chance <= interval[:, 1]).all()
    assert chance[won == 1].mean() > chance[won == 0].mean() + 0.05
    assert not fitted.search_cut_short_
    assert list(fitted.feature_names_in_) == ["source", "visits", "newsletter", "segment"]


def test_values_never_seen_are_scored(fitted: LeadClassifier) -> None:
    """A new source, an empty one and no value at all have a chance."""
    frame, _ = leads(n=3, seed=2)
    frame["source"] = ["never seen", "", None]
    assert np.isfinite(fitted.predict_proba(frame)).all()


def test_the_same_seed_gives_the_same_model(fitted: LeadClassifier) -> None:
    """Fitting again repeats every byte; times and their ranks are one order; strings are labels too."""
    frame, won = leads()
    times = pd.date_range("2026-01-01", periods=len(won), tz="Europe/Berlin")
    words = np.where(won == 1, "won", "lost")
    again = LeadClassifier().fit(frame, words, order=times)
    assert again.learned_.model_text == fitted.learned_.model_text
    assert again.classes_.tolist() == ["lost", "won"]
    np.testing.assert_array_equal(again.predict_proba(frame), fitted.predict_proba(frame))


def test_a_budget_that_ends_is_said() -> None:
    """No time at all still gives a model, and says that the search was cut."""
    frame, won = leads(200)
    assert LeadClassifier(budget_seconds=0.0).fit(frame, won).search_cut_short_


def test_columns_that_say_nothing_do_no_harm() -> None:
    """Constant columns, empty ones, copies and ten thousand categories: the chances stay about the same."""
    frame, won = leads()
    odd = frame.assign(
        constant=1.0,
        empty=None,
        gaps=np.nan,
        copy=frame["visits"],
        unique=[f"id {number}" for number in range(len(won))],
    )
    plain, changed = (
        LeadClassifier().fit(each, won, order=np.arange(len(won))).predict_proba(each)[:, 1]
        for each in (frame, odd)
    )
    assert np.abs(plain - changed).mean() < 0.05


def test_ten_thousand_categories() -> None:
    """A column of identifiers is pooled, not memorised."""
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"id": [f"id {number}" for number in range(10_000)]})
    model = LeadClassifier(budget_seconds=20).fit(frame, random.integers(0, 2, 10_000))
    assert np.ptp(model.predict_proba(frame)[:, 1]) < 0.1


FRAME, WON = leads(60)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        pytest.param({"y": np.ones(60)}, "got one class: 1.0", id="one-class"),
        pytest.param(
            {"y": np.arange(60) % 3}, "two labels such as 0 and 1; got 3: 0, 1, 2", id="three-labels"
        ),
        pytest.param({"y": [None, *WON[1:]]}, "y must hold a label for every row", id="label-missing"),
        pytest.param({"y": np.linspace(0, 1, 60)}, "Unknown label type", id="continuous"),
        pytest.param({"X": FRAME.assign(visits=np.inf)}, "infinity in column 'visits'", id="infinite"),
        pytest.param(
            {"X": pd.concat([FRAME, FRAME[["visits"]]], axis=1)}, "more than once: 'visits'", id="same-name"
        ),
        pytest.param(
            {"X": FRAME.assign(at=pd.Timestamp("2026-01-01"))}, "'at' must hold numbers, text", id="times"
        ),
        pytest.param({"X": FRAME[[]]}, "X must have at least one column", id="no-column"),
        pytest.param(
            {"order": np.arange(59)}, "order must have a value for each of the 60", id="short-order"
        ),
        pytest.param({"order": np.full(60, 7)}, "all rows have 7", id="one-instant"),
        pytest.param({"order": [None, *range(59)]}, "order must have a value in every row", id="order-gap"),
        pytest.param({"order": ["a", *range(59)]}, "order must hold times or ranks", id="mixed-order"),
        pytest.param({"groups": np.arange(3)}, "groups must have a value for each of the 60", id="groups"),
        pytest.param({"sample_weight": np.full(60, -1.0)}, "Negative values", id="negative-weight"),
        pytest.param({"sample_weight": 1.0 * (WON == 1)}, "rows of weight above 0", id="weight-of-one-class"),
    ],
)
def test_bad_input_is_named(change: dict[str, Any], said: str) -> None:
    """Each mistake gives one sentence that names it."""
    arguments = {"X": FRAME, "y": WON, **change}
    with pytest.raises(ValueError, match=said):
        LeadClassifier().fit(**arguments)


def test_a_budget_that_is_no_time_is_refused() -> None:
    """The sentence names the parameter and the value; it is our kind of error and scikit-learn's."""
    with pytest.raises(InputError, match="budget_seconds must be a number of seconds, at least 0; got -1"):
        LeadClassifier(budget_seconds=-1).fit(FRAME, WON)
