"""The policy as a document: every number is read back out of it, in both languages."""

import re
from decimal import Decimal
from importlib import resources

import pytest
from hypothesis import given

from sla.clauses import Content
from sla.policy import Policy
from sla.policy_file import read_policy
from sla.stages import Stage
from sla.texts import LANGUAGES
from sla.words import render_policy
from tests.builders_policy import POLICY, hundredfold, percents, policies, policy_with


def threshold_rows(document: str, lang: str) -> list[tuple[str, str, Decimal, Decimal]]:
    """Read the rows of the threshold table back: stage, for whom, enter, exit."""
    rows = []
    for line in document.splitlines():
        cells = re.split(r"(?<!\\)\|", line)
        if len(cells) == 6 and cells[3].rstrip().endswith(" %") and cells[4].rstrip().endswith(" %"):
            ((enter,), (exit_,)) = percents(cells[3], lang), percents(cells[4], lang)
            rows.append((cells[1].strip(), cells[2].strip(), enter, exit_))
    return rows


@given(policies())
def test_the_document_holds_every_threshold_and_persona(policy: Policy) -> None:
    """Read back from either language, the table gives the very thresholds; every persona has its heading."""
    for lang in LANGUAGES:
        document = render_policy(policy, lang)
        found = [row[2:] for row in threshold_rows(document, lang)]
        assert found == [(hundredfold(one.enter), hundredfold(one.exit)) for one in policy.thresholds]
        for persona in policy.personas:
            label = " ".join(persona.label.in_language(lang).split())
            assert f"### {label} (`{persona.name}`)" in document
        assert all(
            opening.text.replace("-", "–") in document for day in policy.hours.weekdays for opening in day
        )
        assert len(re.findall(r"^- .*(working|Arbeitszeit)", document, re.MULTILINE)) >= len(policy.responses)


def facts_of(document: str, lang: str) -> list[str]:
    """Return every number of a document, written the English way, and every name in code type."""
    numbers = re.findall(r"\d+(?:[.,:]\d+)*", document)
    if lang == "de":
        numbers = [number.translate(str.maketrans(".,", ",.")) for number in numbers]
    return sorted(numbers) + sorted(re.findall(r"`[^`]+`", document))


def first_policy() -> Policy:
    """Return the policy that ships for the demo."""
    return read_policy(
        resources.files("sla.templates").joinpath("first_policy.toml").read_text(encoding="utf-8")
    )


@pytest.mark.parametrize("policy", [POLICY, first_policy()], ids=lambda policy: policy.name)
def test_both_documents_hold_the_same_facts(policy: Policy) -> None:
    """English and German name the same numbers, times and attributes, the same number of times."""
    assert facts_of(render_policy(policy, "en"), "en") == facts_of(render_policy(policy, "de"), "de")


@pytest.mark.parametrize(
    ("lang", "sentences"),
    [
        (
            "en",
            (
                "version 3. Valid from 1 January 2026, 01:00 (Europe/Berlin).",
                "- Recognised by: `department` is finance",
                "- What hurts: no time",
                "- Looked after by: Mia (marketing), Sam (sales)",
                "| SQL | Buyer | 25 % | 20 % |",
                "only after 3 days in its stage",
                "A score more than 7 days old is not acted on.",
                "- asked for a demo (`demo_request`), not more than 7 days ago: SQL at once",
                "- works for a competitor: `industry` is rival",
                "- SQL, everyone: Sales answers within 4 working hours",
                "At least 3 and at most 8 attempts per lead, at least 24 hours apart, by: phone, email.",
                "- Monday: 09:00–17:00",
                "- Sunday: closed",
                "| SQL | Buyer | [Calculator](https://example.com/calculator) |",
                "For Sales, version 3 (name, date):",
            ),
        ),
        (
            "de",
            (
                "Version 3. Gültig ab 1. Januar 2026, 01:00 Uhr (Europe/Berlin).",
                "- Erkennbar an: `department` ist finance",
                "- Herausforderungen: keine Zeit",
                "- Betreut von: Mia (Marketing), Sam (Vertrieb)",
                "| SQL | Käuferin | 25 % | 20 % |",
                "erst nach 3 Tagen in seiner Stufe herab",
                "Ein Score, der mehr als 7 Tage alt ist, zählt nicht mehr.",
                "- Demo-Anfrage (`demo_request`) vor höchstens 7 Tagen: sofort SQL",
                "- arbeitet bei einem Wettbewerber: `industry` ist rival",
                "- SQL, alle: Vertrieb antwortet innerhalb von 4 Stunden Arbeitszeit",
                "Mindestens 3 und höchstens 8 Kontaktversuche je Lead, im Abstand von mindestens 24 Stunden",
                "über: phone, email.",
                "- Montag: 09:00–17:00",
                "- Sonntag: geschlossen",
                "Für Vertrieb, Version 3 (Name, Datum):",
            ),
        ),
    ],
)
def test_the_document_is_readable(lang: str, sentences: tuple[str, ...]) -> None:
    """The document of a small policy, sentence by sentence."""
    document = render_policy(POLICY, lang)
    assert [one for one in sentences if one not in document] == []


@pytest.mark.parametrize(
    ("lang", "sentences"),
    [
        (
            "en",
            (
                "more, 4 % of the leads without",
                "Until deals tell more: 15 % of them are expected to be won",
                "A new model may put at most 10 % of the newest leads into another stage",
            ),
        ),
        (
            "de",
            (
                "ohne eigene Erwartung voraussichtlich 4 % gewonnen",
                "Bis Abschlüsse mehr sagen: 15 % davon werden voraussichtlich gewonnen",
                "Ein neues Modell darf höchstens 10 % der neuesten Leads in eine andere Stufe bringen",
            ),
        ),
    ],
)
def test_what_both_expect_is_said(lang: str, sentences: tuple[str, ...]) -> None:
    """The expected conversion of everyone and of a persona stand in the document, where they are agreed."""
    document = render_policy(first_policy(), lang)
    assert [one for one in sentences if one not in document] == []


@pytest.mark.parametrize(
    ("lang", "nothing"), [("en", "Nothing is agreed here."), ("de", "Hierzu ist nichts vereinbart.")]
)
def test_what_is_not_agreed_is_said(lang: str, nothing: str) -> None:
    """An empty clause is no empty section; a persona nobody defined keeps its name."""
    bare = policy_with(
        personas=(), overrides=(), disqualifiers=(), responses=(), content=(), least_dwell_days=1
    )
    document = render_policy(bare, lang)
    assert document.count(nothing) == 5
    assert "| buyer |" in document
    assert ("after 1 day in" if lang == "en" else "nach 1 Tag in") in document


def test_names_cannot_break_the_document() -> None:
    """A line break or a bar in a title stays inside its cell."""
    item = Content(stage=Stage.SQL, title="a | b\n# c")
    assert "| SQL | everyone | a \\| b # c |" in render_policy(policy_with(content=(item,)), "en")
