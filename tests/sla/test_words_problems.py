"""Mistakes of a policy file in German: every rule has German words, and they say the same."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sla.errors import PolicyProblem, PolicyProblems
from sla.policy_file import read_policy
from sla.words_problems import GERMAN_RULES, place_text, problem_text, problems_text, rule_text
from tests.builders_policy import sound_text_with
from tests.sla.rules_written import written_rules

NO_RULE = ("|",)
HINTED = re.compile(r"\{\}$")


def german_of(template: str) -> str:
    """Return the German words of a template filled with numbers, as the code fills it."""
    return rule_text(template.replace("{}", "7"), "de")


@pytest.mark.parametrize("template", sorted(set(written_rules()) - set(NO_RULE)))
def test_every_rule_has_german_words(template: str) -> None:
    """A rule without a line in the table would be English in a German page."""
    hinted = template in {f"{english}{{}}" for english, _ in GERMAN_RULES}  # ends with "did you mean"
    asked = HINTED.sub("", template) if hinted else template
    assert german_of(asked) != asked.replace("{}", "7"), written_rules()[template]


@pytest.mark.parametrize(("english", "german"), GERMAN_RULES, ids=[english for english, _ in GERMAN_RULES])
def test_both_languages_say_the_same_values(english: str, german: str) -> None:
    """As many values, in the same order; no word of one language in the other."""
    assert english.count("{}") == german.count("{}")
    values = ["3", "5"][: english.count("{}")]
    assert rule_text(english.format(*values), "de") == german.format(*values)
    assert rule_text(english.format(*values), "en") == english.format(*values)
    assert not re.search(r"\b(must|the|has)\b", german)


def test_a_file_is_corrected_in_german() -> None:
    """Places, rules, values and suggestions."""
    text = (
        sound_text_with("enter = 0.12", "enter = 0.31")
        .replace("least = 3", "least = 9")
        .replace("score_valid_days", "score_valid_dayz")
        .replace('zone = "Europe/Berlin"', 'zone = "Europe/Berlim"')
    )
    with pytest.raises(PolicyProblems, match="has 5 problems") as caught:
        read_policy(text, source="policy.toml")
    assert problems_text(caught.value, "de").splitlines() == [
        "policy.toml hat 5 Fehler:",
        '  Zeile 1: policy muss "score_valid_days" haben: Es muss eine ganze Zahl sein',
        (
            "  Zeile 6: policy.score_valid_dayz ist kein Schlüssel, der hier bekannt ist "
            '(meinten Sie "score_valid_days"?)'
        ),
        (
            "  Zeile 9: hours.zone muss eine IANA-Zeitzone wie Europe/Berlin sein "
            "(meinten Sie \"Europe/Berlin\"?); gefunden: 'Europe/Berlim'"
        ),
        (
            "  Zeile 24: thresholds #1.enter muss das MQL-enter unter dem SQL-enter (0.3) halten, für alle; "
            "gefunden: 0.31"
        ),
        "  Zeile 51: attempts.least darf nicht über most (8) liegen; gefunden: 9",
    ]
    assert problems_text(caught.value, "en") == caught.value.text()


def test_a_mistake_of_the_whole_file() -> None:
    """It has no line and no clause."""
    whole = PolicyProblem(None, "", "a policy must not be empty")
    assert problem_text(whole, "de") == "ganze Datei: eine Vereinbarung darf nicht leer sein"
    assert problem_text(whole, "en") == whole.text()
    assert [place_text(whole, lang) for lang in ("en", "de")] == ["whole file", "ganze Datei"]


@given(st.text())
def test_what_is_not_known_stays_as_it_is(rule: str) -> None:
    """A translation never fails."""
    assert rule_text(rule, "en") == rule
    assert rule_text(rule, "de") == rule or "must" in rule or "is not a key" in rule or "did you mean" in rule


def test_holiday_regions_are_said_in_german() -> None:
    """The known ones and the near miss stay as they are."""
    text = sound_text_with("[hours]", '[hours]\ncountry = "DE"\nregion = "bx"\nholiday_kinds = ["bank"]')
    with pytest.raises(PolicyProblems, match="has 2 problems") as caught:
        read_policy(text)
    region, kind = (problem_text(one, "de") for one in caught.value.problems)
    assert region.startswith("Zeile 10: hours.region muss eine Region von DE sein (Augsburg, BB")
    assert kind.startswith("Zeile 11: hours.holiday_kinds muss eine weitere Art von Feiertagen von DE sein")
