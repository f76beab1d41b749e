"""The words of reports: every number with its unit, in both languages, and nothing without words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sla.pledges import PledgeStatus
from sla.stages import Stage
from sla.texts import LANGUAGES
from sla.words_pledges import capacity_lines, pledge_lines
from sla.words_reports import (
    DECIMALS,
    LABELS,
    TITLES,
    figure_text,
    label_of,
    pledge_status_text,
    title_of,
)
from tests.builders_policy import POLICY
from tests.sla.test_words_policy import first_policy


@pytest.mark.parametrize(
    ("value", "unit", "english", "german"),
    [
        (None, "leads", "–", "–"),
        (1234.0, "leads", "1,234", "1.234"),
        (0.4567, "share", "45.7 %", "45,7 %"),
        (0.1, "share", "10 %", "10 %"),
        (-0.0312, "points", "-3.12 points", "-3,12 Punkte"),
        (-0.0000001, "points", "0 points", "0 Punkte"),
        (90.25, "business_minutes", "90.2 working minutes", "90,2 Minuten Arbeitszeit"),
        (1.5, "days", "1.5 days", "1,5 Tage"),
        (2.0, "hours", "2 h", "2 Std."),
        (1234.5, "money", "1,234.5", "1.234,5"),
    ],
)
def test_numbers_have_units(value: float | None, unit: str, english: str, german: str) -> None:
    """As exact as the unit needs, written as each language does; no minus before nothing."""
    assert (figure_text(value, unit, "en"), figure_text(value, unit, "de")) == (english, german)


@given(st.floats(-1e9, 1e9), st.sampled_from(sorted(DECIMALS)), st.sampled_from(LANGUAGES))
def test_every_unit_can_be_said(value: float, unit: str, lang: str) -> None:
    """Whatever the number is."""
    assert any(character.isdigit() for character in figure_text(value, unit, lang))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_everything_has_words(lang: str) -> None:
    """Titles, labels and statuses; a label with a stage or a part names it."""
    assert all(title_of(name, lang) for name, _ in TITLES)
    assert all(pledge_status_text(status, lang) for status in PledgeStatus)
    for name, words in LABELS:
        said = label_of(name, lang, stage=Stage.SQL, of="lost")
        assert "{" not in said
        assert ("SQL" in said) >= ("{stage}" in words.en)
    assert label_of("kept", lang, of="followed_up").startswith(label_of("followed_up", lang))


def test_the_pledges_are_part_of_the_document() -> None:
    """Sentences of the first policy, and none where nothing is agreed."""
    english, german = (pledge_lines(first_policy(), lang) for lang in ("en", "de"))
    assert english[0] == (
        "Marketing delivers 60 MQL per month, of which 6 wins are to be expected "
        "(the sum of their probabilities)."
    )
    assert german[1] == "Der Vertrieb beantwortet 90 % der SQLs in der vereinbarten Zeit."
    assert capacity_lines(first_policy(), "en") == [
        "Sales has 60 hours a week for new leads; an SQL takes 1.5 hours, and 0.25 per attempt."
    ]
    assert pledge_lines(POLICY, "en") == capacity_lines(POLICY, "en") == []
