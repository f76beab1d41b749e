"""What monitoring says: the same facts in German and English, advice for every code."""

from collections.abc import Mapping
from string import Formatter

import pytest

from training.monitoring.findings import ADVICE, SENTENCES, SILENCE, MonitoringFinding, Silence


def fields(text: str) -> set[str]:
    """Return the facts a sentence needs."""
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("words", [SENTENCES, SILENCE], ids=["findings", "silences"])
def test_both_languages_tell_the_same_facts(words: Mapping[str, Mapping[str, str]]) -> None:
    """No number is in one language only, and the languages differ."""
    for code, texts in words.items():
        assert set(texts) == {"de", "en"}, code
        assert fields(texts["de"]) == fields(texts["en"]), code
        assert texts["de"] != texts["en"], code


def test_every_finding_has_advice() -> None:
    """A code without advice would be a number nobody can use."""
    assert set(ADVICE) == set(SENTENCES)
    assert all("leadpact train" in ADVICE[code][lang] for code in ADVICE for lang in ("de", "en"))


def test_a_finding_and_a_silence_as_json() -> None:
    """Code, severity, sentence, advice and the plain numbers."""
    facts = (("subject", "country"), ("rows", 80), ("psi", 0.5), ("critical", 0.25), ("others", 1))
    finding = MonitoringFinding(code="input_drift", severity="warning", facts=facts)
    assert finding.to_dict("en") == {
        "code": "input_drift",
        "severity": "warning",
        "message": finding.sentence("en"),
        "advice": finding.advice("en"),
        "numbers": dict(facts),
    }
    assert "PSI 0.500, critical for these sample sizes 0.250" in finding.text("en")
    assert finding.text("de").startswith("Warnung: country ist bei den neuesten 80 Leads")
    assert Silence(code="no_times").to_dict("de")["code"] == "no_times"
