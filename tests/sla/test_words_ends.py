"""The words of the reports on losses, wins and content: both languages say the same values."""

import re

import pytest

from sla import words_ends
from sla.texts import Text
from sla.words_ends import counted_text, known

TEXTS = {name: text for name, text in vars(words_ends).items() if isinstance(text, Text)}


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_both_languages_say_the_same_values(name: str) -> None:
    """The same names are filled in, in either language."""
    text = TEXTS[name]
    english, german = (sorted(re.findall(r"\{(\w+)\}", words)) for words in (text.en, text.de))
    assert english == german


def test_numbers_and_names() -> None:
    """A number comes with that of the period before; a name nobody knows says so."""
    assert counted_text("Daten", 3, 5, "de") == "Daten: 3 (davor: 5)"
    assert counted_text("Data", 3, 5, "en") == "Data: 3 (before: 5)"
    assert (known("fair", "de"), known("", "de"), known("", "en")) == ("fair", "unbekannt", "unknown")
