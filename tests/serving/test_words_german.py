"""Whoever reads German is told in German: every rule in the source has its words, and they arrive."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.api.fields import FieldProblem
from serving.api.german import in_language
from serving.api.words_german import GERMAN_WORDS, in_german
from tests.builders_serving import Desk

ROOT = Path(__file__).parents[2]
SOURCES = (
    *sorted((ROOT / "serving" / "api").glob("*.py")),
    *(ROOT / "serving" / name for name in ("acts.py", "scorer.py")),
    ROOT / "features" / "online.py",
)
RULE = re.compile(r"^(must |is required|is not a known|attribute|ignored |activities after|created_at must)")


def templates(tree: ast.AST) -> Iterator[str]:
    """Yield every text that reads like a rule or a warning, with {} where it is filled."""
    inner = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts = [str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values]
            text = "".join(parts).replace("activit{}", "activities")
            text = "must be a whole number" if text == "must be {}" else text  # the kinds of fields
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inner:
            text = node.value
        else:
            continue
        if RULE.match(text) and "\n" not in text and not text.endswith("."):
            yield text


def rules_in_source() -> set[str]:
    """Return the rules of all checked files, those of the German table itself aside."""
    words = {english for english, _ in GERMAN_WORDS}
    found: set[str] = set()
    for path in SOURCES:
        if path.name not in ("words_german.py", "examples.py", "policy_examples.py", "examples_leads.py"):
            found |= set(templates(ast.parse(path.read_text("utf-8"))))
    return {text for text in found if " " in text} | words


@pytest.mark.parametrize("template", sorted(rules_in_source()))
def test_every_rule_has_german_words(template: str) -> None:
    """A rule that is added without them is found here; what it is filled with stays."""
    filled = template.replace("{}", "'X1'")
    german = in_language(FieldProblem(field="f", rule=filled, value=None), "de").rule
    assert german != filled
    assert german.count("'X1'") == template.count("{}")


@given(st.text(max_size=80))
def test_any_other_text_stays(text: str) -> None:
    """What callers sent is never taken for a rule, and nothing breaks."""
    said = in_german(f"lead {text!r} is not in the history")
    assert said == f"den Lead {text!r} kennt niemand"
    assert isinstance(in_german(text), str)


def test_mistakes_and_warnings_arrive_in_german(shared_desk: Desk) -> None:
    """By `?lang=` or Accept-Language, in one answer and in the items of a batch; titles stay as they are."""
    wrong = {"lead": {"lead_id": 7}, "as_of": "yesterday", "nonsense": 1}
    english = shared_desk.post("/v1/score", wrong).json()
    for german in (
        shared_desk.post("/v1/score?lang=de", wrong).json(),
        shared_desk.post("/v1/score", wrong, **{"Accept-Language": "de-DE,de;q=0.9"}).json(),
    ):
        assert german["detail"] == "3 Felder der Anfrage müssen berichtigt werden"
        assert german["title"] == english["title"]
        pairs = list(zip(english["errors"], german["errors"], strict=True))
        assert all(one["rule"] != other["rule"] for one, other in pairs)
        assert all(one["value"] == other["value"] for one, other in pairs)
    odd = {"lead": {"lead_id": "L1", "industy": "Retail"}}
    warned = shared_desk.post("/v1/score?lang=de", odd).json()["warnings"]
    assert any(text.startswith("das Merkmal 'industy' benutzen weder Modell") for text in warned)
    assert not set(warned) & set(shared_desk.post("/v1/score", odd).json()["warnings"])
    items = shared_desk.post("/v1/score/batch?lang=de", {"items": [{"lead": {}}, odd]}).json()["items"]
    assert items[0]["error"]["errors"][0]["rule"] == "fehlt"
    assert items[1]["warnings"] == warned
