"""What the guard says, in both languages: from the same facts, with limits that hold, all documented."""

import re
from pathlib import Path
from string import Formatter

import pytest

from features.leakage.findings import Finding, make_finding, toml_key
from features.leakage.names import DENIED
from features.leakage.phrases import PHRASES, render
from features.words.phrases import LANGUAGES

LEAKAGE = Path(__file__).resolve().parents[2] / "features" / "leakage"


def places(text: str) -> set[str]:
    """Return the facts a phrase speaks of, with the way it asks for them."""
    return {f"{name}:{way}" for _, name, way, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("phrase", PHRASES)
def test_both_languages_say_the_same_facts(phrase: str) -> None:
    """No number is in one language only; the reason of a denied name has its own in each."""
    said = {
        lang: {each.replace(f"_{lang}", "") for each in places(PHRASES[phrase][lang])} for lang in LANGUAGES
    }
    assert said["en"] == said["de"]


@pytest.mark.parametrize(
    ("value", "way", "english", "german"),
    [
        (0.914, "auc", "0.91", "0,91"),
        (0.7999, "auc-", "0.79", "0,79"),
        (0.319, "share", "32 %", "32 %"),
        (0.319, "gap-", "31 percentage points", "31 Prozentpunkten"),
        (0.0061, "share", "0.6 %", "0,6 %"),
        (0.0004, "share", "0.04 %", "0,04 %"),
        (0.9996, "share", "99.96 %", "99,96 %"),
        (0.9996, "share-", "99.96 %", "99,96 %"),
        (1.0, "share", "100 %", "100 %"),
        (9240, "count", "9,240", "9.240"),
        ("not_won", "group", "not won", "nicht gewonnenen"),
        ("error", "grade", "alarm at", "Alarm ab"),
        ("warning", "grade", "worth a look from", "auffällig ab"),
        ("Tags", "name", "'Tags'", "'Tags'"),
    ],
)
def test_how_a_fact_is_spoken(
    monkeypatch: pytest.MonkeyPatch, value: str | float, way: str, english: str, german: str
) -> None:
    """What is promised as "at least" is rounded down; a few are never called none."""
    place = f"{{fact:{way}}}"
    monkeypatch.setitem(PHRASES, "test", {"en": place, "de": place})
    assert render("test", "en", {"fact": value}) == english
    assert render("test", "de", {"fact": value}) == german


def test_an_error_says_how_it_is_settled() -> None:
    """One line with severity, numbers, the line for crm.toml and the code; the numbers are data too."""
    facts = {"auc": 0.917, "auc_low": 0.909, "leads": 9240, "alarm": 0.8}
    finding = make_finding("single-feature-auc", "error", "Lead Quality", facts)
    assert finding.text() == (
        "error: column 'Lead Quality' alone tells won leads from others: AUC 0.92 over 9,240 finished leads, "
        'at least 0.90 with 99 % confidence (alarm at 0.80); settle it in crm.toml with "Lead Quality" = '
        '"reason" under [attributes.never] or [attributes.allow] [single-feature-auc]'
    )
    assert "AUC 0,92 bei 9.240 abgeschlossenen Leads" in finding.text("de")
    assert dict(finding.numbers) == facts
    assert finding.to_dict("de")["message"] == finding.message_de


def test_a_finding_made_elsewhere_is_told_in_english() -> None:
    """One sentence is better than none."""
    finding = Finding(code="x", severity="warning", column="c", message="said")
    assert finding.text("de") == "Warnung: said [x]"


@pytest.mark.parametrize(
    ("column", "key"),
    [
        ("tags", "tags"),
        ("Lead Quality", '"Lead Quality"'),
        ('a"b\\', '"a\\"b\\\\"'),
        ("größe", '"größe"'),
        ("", '""'),
    ],
)
def test_a_column_as_crm_toml_needs_it(column: str, key: str) -> None:
    """Any name can be pasted."""
    assert toml_key(column) == key


def test_every_code_is_in_the_readme() -> None:
    """The table of codes names every one there is, and no other."""
    code = re.compile(r'make_finding\(\s*"([a-z-]+)"|code = "([a-z-]+)"|code, \w+ = "([a-z-]+)"')
    sources = "\n".join(path.read_text(encoding="utf-8") for path in LEAKAGE.glob("*.py"))
    used = {next(filter(None, each)) for each in code.findall(sources)} | {group.code for group in DENIED}
    table = re.findall(
        r"^\| `([a-z-]+)` \|", (LEAKAGE / "README.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert len(used) == 16
    assert sorted(table) == sorted(used)
