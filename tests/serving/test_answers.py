"""Points in words and whole numbers."""

from fractions import Fraction
from math import floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.words.reasons import Language
from serving.answers import points_text, whole_points


@pytest.mark.parametrize(
    ("points", "lang", "text"),
    [
        pytest.param(9.1, "en", "+9 points", id="plus"),
        pytest.param(-3.2, "de", "−3 Punkte", id="minus"),
        pytest.param(1.4, "en", "+1 point", id="one"),
        pytest.param(-1.0, "de", "−1 Punkt", id="minus-one"),
        pytest.param(0.5, "en", "+1 point", id="half-up"),
        pytest.param(-0.5, "en", "−1 point", id="half-away-from-nothing"),
        pytest.param(0.41, "en", "+0.4 points", id="below-one"),
        pytest.param(-0.41, "de", "−0,4 Punkte", id="below-one-german"),
    ],
)
def test_points_in_words(points: float, lang: Language, text: str) -> None:
    """Sign, number and unit, in the language's own form."""
    assert points_text(points, lang) == text


@given(st.floats(-500, 500))
def test_whole_points_are_rounded_half_up_and_cut(points: float) -> None:
    """Judged in exact arithmetic, halves and their float neighbours included."""
    assert whole_points(points) == min(100, max(0, floor(Fraction(points) + Fraction(1, 2))))


@pytest.mark.parametrize(
    ("points", "whole"),
    [(43.5, 44), (43.49999999999999, 43), (-0.6, 0), (99.5, 100), (100.7, 100), (0.49999999999999994, 0)],
)
def test_halves_and_ends(points: float, whole: int) -> None:
    """The values at which rounding goes wrong."""
    assert whole_points(points) == whole
