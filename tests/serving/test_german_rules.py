"""Rules of requests in German: the same values in the same order, and no English left."""

import re

import pytest

from serving.api.fields import FieldProblem
from serving.api.german import FILLED_IN, GERMAN_RULES, in_language


@pytest.mark.parametrize(("english", "german"), GERMAN_RULES, ids=[english for english, _ in GERMAN_RULES])
def test_both_languages_say_the_same_values(english: str, german: str) -> None:
    """As many values, in the same order; the field and what was sent stay as they are."""
    assert english.count("{}") == german.count("{}")
    values = ["3", "5", "7"][: english.count("{}")]
    problem = FieldProblem(field="reason", rule=english.format(*values), value="x")
    said = in_language(problem, "de")
    assert (said.field, said.rule, said.value) == ("reason", german.format(*values), "x")
    assert in_language(problem, "en") == problem
    assert not re.search(r"\b(must|the|is|not)\b", german)


def test_words_that_are_filled_in() -> None:
    """Kinds of values are said in German, too; rules of policy files are known, others stay."""
    for english, german in FILLED_IN:
        problem = FieldProblem(field="a", rule=f"must be {english}, not null", value=None)
        assert in_language(problem, "de").rule == f"muss {german} sein, nicht null"
    for rule, german in (
        ("must be one of a, b", "muss eines von diesen sein: a, b"),
        ("is not a known field; did you mean 'code'?", "ist kein bekanntes Feld; meinten Sie 'code'?"),
        ("must be something new", "must be something new"),
    ):
        assert in_language(FieldProblem(field="a", rule=rule, value=None), "de").rule == german
