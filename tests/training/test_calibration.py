"""Calibration: the right kind and line are found, the interval is Venn-Abers and holds the probability."""

import json

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression

from features.errors import InputError
from training.calibration import MAX_INTERVAL_STEPS, Calibration, CalibrationKind
from training.calibration_fit import fit_calibration
from training.points import log_odds_to_probability
from training.venn_abers import venn_abers_table

FloatArray = npt.NDArray[np.float64]


def _cases(n_rows: int, *, slope: float, intercept: float, seed: int = 0) -> tuple[FloatArray, FloatArray]:
    """Margins and outcomes whose true log-odds are ``slope * margin + intercept``."""
    random = np.random.default_rng(seed)
    margin = random.normal(size=n_rows) * 1.5
    return margin, (random.random(n_rows) < log_odds_to_probability(slope * margin + intercept)).astype(float)


@pytest.mark.parametrize(
    ("slope", "intercept"),
    [
        pytest.param(1.0, 0.0, id="calibrated"),
        pytest.param(1.0, -1.0, id="too-high"),
        pytest.param(0.4, -1.0, id="too-sure-and-too-high"),
        pytest.param(2.5, 0.5, id="too-shy"),
    ],
)
def test_the_line_that_made_the_cases_is_found(slope: float, intercept: float) -> None:
    """Known truth gives, within sampling error, its line."""
    margin, label = _cases(6000, slope=slope, intercept=intercept)
    found = fit_calibration(margin, label, np.ones(6000))
    assert found.slope == pytest.approx(slope, abs=0.25)
    assert found.intercept == pytest.approx(intercept, abs=0.15)


@pytest.mark.parametrize("slope", [0.3, 2.5])
def test_few_cases_leave_the_slope_nearer_to_one(slope: float) -> None:
    """The same shares among fewer leads say less about the slope; it is shrunk towards 1, never beyond."""
    margin, label = _cases(3000, slope=slope, intercept=0.0)
    slopes = [
        fit_calibration(margin, label, np.ones(3000), lead=np.arange(3000) % n).slope for n in (30, 3000)
    ]
    assert abs(slopes[0] - 1.0) < abs(slopes[1] - 1.0)
    assert (slopes[0] - 1.0) * (slope - 1.0) > 0.0


def test_the_level_matches_the_wins() -> None:
    """The expected number of wins is the smoothed number of wins (calibration in the large)."""
    margin, label = _cases(3000, slope=1.0, intercept=-1.5)
    found = fit_calibration(margin, label, np.ones(3000))
    assert found.apply(margin).sum() == pytest.approx(label.sum(), abs=1.0)


@pytest.mark.parametrize(
    ("label", "expected"),
    [pytest.param(0.0, 1 / 32, id="all-lost"), pytest.param(1.0, 31 / 32, id="all-won")],
)
def test_one_class_shifts_to_a_shrunken_base_rate(label: float, expected: float) -> None:
    """Thirty equal outcomes are not certainty."""
    found = fit_calibration(np.full(30, 0.7), np.full(30, label), np.ones(30))
    assert found.kind is CalibrationKind.SHIFT
    assert found.apply(np.array([0.7]))[0] == pytest.approx(expected, abs=1e-9)


def test_a_model_that_orders_wrongly_is_not_turned_around() -> None:
    """A negative slope would flip every reason, so it becomes a shift (or nothing)."""
    margin, label = _cases(2000, slope=-1.0, intercept=-1.0)
    found = fit_calibration(margin, label, np.ones(2000))
    assert found.slope == 1.0


def test_the_order_of_rows_does_not_matter() -> None:
    """Shuffling the rows changes nothing."""
    margin, label = _cases(800, slope=0.5, intercept=-0.5)
    shuffled = np.random.default_rng(3).permutation(800)
    one = fit_calibration(margin, label, np.ones(800))
    other = fit_calibration(margin[shuffled], label[shuffled], np.ones(800))
    assert one.slope == pytest.approx(other.slope, abs=1e-9)


@given(
    rows=st.lists(
        st.tuples(st.integers(-4, 4), st.integers(0, 1), st.sampled_from([0.0, 0.5, 1.0, 3.0])),
        min_size=1,
        max_size=12,
    ).filter(lambda rows: any(weight > 0 for *_, weight in rows)),
    asked=st.floats(-10, 10),
)
def test_few_rows_always_give_a_sound_calibration(rows: list[tuple[int, int, float]], asked: float) -> None:
    """A dozen rows, one class, one margin, no weight: a finite line and low <= p <= high, reread equal."""
    margin, label, weight = np.array(rows, dtype=float).T
    found = fit_calibration(margin, label, weight)
    assert Calibration.from_dict(json.loads(json.dumps(found.to_dict()))) == found
    at = np.append(margin, asked)
    probability, (low, high) = found.apply(at), found.interval(at)
    assert (low >= 0.0).all()
    assert (low <= probability).all()
    assert (probability <= high).all()
    assert (high <= 1.0).all()


def test_rows_without_weight_do_not_count() -> None:
    """A censored row (weight 0) is the same as no row."""
    margin, label = _cases(300, slope=1.0, intercept=-1.0)
    weight = np.where(np.arange(300) % 3 == 0, 0.0, 1.5)
    kept = weight > 0
    assert fit_calibration(margin, label, weight) == fit_calibration(margin[kept], label[kept], weight[kept])


@pytest.mark.parametrize(
    ("margin", "label", "weight", "rule"),
    [
        pytest.param([0.0, np.nan], [0, 1], [1, 1], "margins must be finite", id="nan-margin"),
        pytest.param([0.0, 1.0], [0, 2], [1, 1], "labels 0 or 1", id="label-two"),
        pytest.param(
            [0.0, 1.0], [0, 1], [1, -1], "weights must be finite and at least 0", id="negative-weight"
        ),
        pytest.param([0.0, 1.0], [0, 1], [0, 0], "at least one row must have a weight", id="no-weight"),
        pytest.param([0.0, 1.0], [0], [1, 1], "must be equally long", id="lengths"),
    ],
)
def test_meaningless_rows_are_refused(
    margin: list[float], label: list[int], weight: list[int], rule: str
) -> None:
    """What cannot be calibrated says why."""
    with pytest.raises(InputError, match=rule):
        fit_calibration(margin, label, weight)


def _isotonic_with_new_case(
    margin: FloatArray, label: FloatArray, weight: FloatArray, at: float, outcome: float
) -> float:
    fit = IsotonicRegression().fit(
        np.append(margin, at), np.append(label, outcome), sample_weight=np.append(weight, 1.0)
    )
    return float(fit.predict([at])[0])


@settings(max_examples=60)
@given(
    rows=st.lists(
        st.tuples(st.integers(-5, 5), st.integers(0, 1), st.sampled_from([0.5, 1.0, 2.5])),
        min_size=1,
        max_size=40,
    )
)
def test_interval_is_isotonic_regression_with_one_case_more(rows: list[tuple[int, int, float]]) -> None:
    """p0 and p1 of the table are scikit-learn's isotonic fits with the case appended as lost and as won."""
    margin, label, weight = np.array(rows, dtype=float).T
    for at, low, high in zip(*venn_abers_table(margin, label, weight), strict=True):
        assert low == pytest.approx(_isotonic_with_new_case(margin, label, weight, at, 0.0), abs=1e-12)
        assert high == pytest.approx(_isotonic_with_new_case(margin, label, weight, at, 1.0), abs=1e-12)


def test_a_thinned_table_is_never_narrower_than_exact() -> None:
    """With more margins than steps, and between margins, the interval contains the exact one."""
    margin, label = _cases(3000, slope=1.0, intercept=0.0)
    weight = np.ones(3000)
    margins, low, high = venn_abers_table(margin, label, weight)
    assert len(margins) == MAX_INTERVAL_STEPS
    table = Calibration(kind=CalibrationKind.NONE, venn_abers_margin=margins, low=low, high=high)
    asked = np.linspace(-6, 6, 41)
    for at, found_low, found_high in zip(asked, *table.interval(asked), strict=True):
        assert found_low <= _isotonic_with_new_case(margin, label, weight, at, 0.0) + 1e-12
        assert found_high >= _isotonic_with_new_case(margin, label, weight, at, 1.0) - 1e-12


def test_snapshots_of_one_lead_are_one_piece_of_evidence() -> None:
    """Saying everything five times over neither narrows the interval nor moves the line."""
    margin, label = _cases(300, slope=0.8, intercept=0.0)
    lead = np.arange(300)
    once, repeated = (
        fit_calibration(
            np.repeat(margin, times),
            np.repeat(label, times),
            np.ones(300 * times),
            lead=np.repeat(lead, times),
        )
        for times in (1, 5)
    )
    assert repeated.kind is once.kind
    assert (repeated.slope, repeated.intercept) == pytest.approx((once.slope, once.intercept), abs=1e-9)
    np.testing.assert_allclose(repeated.low, once.low, atol=1e-12)
    np.testing.assert_allclose(repeated.high, once.high, atol=1e-12)


@pytest.mark.parametrize("seed", range(20))
def test_a_widened_table_still_ascends(seed: int) -> None:
    """Many margins of any size: moving the table in log-odds leaves nothing descending by rounding."""
    margin, label = _cases(2000, slope=0.9, intercept=-2.0, seed=seed)
    found = fit_calibration(margin, label, np.ones(2000))
    assert (np.diff(found.low) >= 0.0).all()
    assert (np.diff(found.high) >= 0.0).all()


def test_fewer_leads_widen_the_interval() -> None:
    """The same shares of wins among a tenth of the leads leave more open."""
    margin, label = _cases(2000, slope=1.0, intercept=-1.0)
    few, many = (fit_calibration(margin[:n], label[:n], np.ones(n)).interval(np.zeros(1)) for n in (60, 2000))
    assert few[1][0] - few[0][0] > many[1][0] - many[0][0]


def test_an_empty_table_knows_nothing() -> None:
    """Without calibration rows the interval is everything."""
    low, high = Calibration(kind=CalibrationKind.NONE).interval(np.array([0.3]))
    assert (low[0], high[0]) == (0.0, 1.0)


SOUND: dict[str, object] = {
    "kind": "sigmoid",
    "slope": 0.5,
    "intercept": -1.0,
    "venn_abers_margin": [0.0, 1.0],
    "low": [0.1, 0.2],
    "high": [0.3, 0.4],
}


@pytest.mark.parametrize(
    ("key", "value", "rule"),
    [
        pytest.param("kind", "isotonic", "kind must be one of", id="kind"),
        pytest.param("kind", ["none"], "kind must be one of", id="kind-type"),
        pytest.param("kind", "none", "intercept of kind none must be 0", id="kind-without-line"),
        pytest.param("slope", 0.0, "slope must be finite and above 0; got 0.0", id="flat"),
        pytest.param("slope", float("nan"), "slope must be finite", id="nan"),
        pytest.param("slope", True, "slope must be a number", id="boolean"),
        pytest.param("intercept", 10**400, "must fit a double", id="huge-integer"),
        pytest.param("venn_abers_margin", [1.0, 0.0], "strictly ascending", id="margins-descend"),
        pytest.param("low", [0.2, 0.1], "low must not descend", id="low-descends"),
        pytest.param("high", [0.3], "must be equally long", id="lengths"),
        pytest.param("high", [0.3, 1.4], "0 <= low <= high <= 1", id="above-one"),
        pytest.param("low", [0.35, 0.36], "0 <= low <= high <= 1", id="crossed"),
        pytest.param("low", "0.1", "must be a list", id="not-a-list"),
        pytest.param("extra", 1, "the keys must be", id="unknown-key"),
    ],
)
def test_a_broken_file_is_refused(key: str, value: object, rule: str) -> None:
    """Every rule of calibration.json names its key."""
    with pytest.raises(InputError, match=rule):
        Calibration.from_dict({**SOUND, key: value})
