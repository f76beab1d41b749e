"""The report: whole, in both languages, harmless whatever a name holds, with the evaluation's numbers."""

import re
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import date
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from features.definitions import Feature, FeatureKind
from features.words.phrases import LANGUAGES, Language
from tests.training.test_groups import SOURCE, scored
from training import report_words
from training.evaluation import Evaluation, Interval, evaluate
from training.groups import Slicing
from training.influence import Influence
from training.pictures import standalone
from training.report import Report, ReportedModel, pictures_of, render_report
from training.report_words import Both

NASTY = '<script>alert("x")</script> & </td>'
VOID = {"meta", "br", "hr", "img", "link", "input"}


def evaluation(*, seed: int = 0, level: str = "web") -> Evaluation:
    """Return a real evaluation with tenths, months and slices."""
    rows = scored(400, seed=seed)
    value = np.random.default_rng(seed).choice(
        [0.0, 1.0, 2.0, np.nan], len(rows.label), p=[0.3, 0.5, 0.1, 0.1]
    )
    feature = replace(SOURCE, levels=(level, "fair"))
    return evaluate(rows, seed=0, slicings=(Slicing(feature=feature, value=value),))


def model(role: str, judged: Evaluation, *, label: str = "Employees") -> ReportedModel:
    """Return a model with one influence."""
    moved = Influence(family="f", feature="employees", label_en=label, label_de=label, points=2.25)
    return ReportedModel(role=role, version="7", evaluation=judged, influences=(moved,))


def report(*models: ReportedModel, crm_name: str = "acme") -> Report:
    """Return a report of one or two models."""
    difference = Interval(value=-0.0123, low=-0.02, high=0.001) if len(models) > 1 else None
    return Report(
        crm_name=crm_name,
        horizon_days=90,
        models=models,
        difference=difference,
        written_on=date(2026, 11, 23),
    )


class Page(HTMLParser):
    """Collects the tags, the attributes and the text of a page, and checks that every tag is closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Close the tag that was opened last."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Collect the text."""
        self.text += data


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_page_is_whole_and_loads_nothing(lang: Language) -> None:
    """Every tag is closed, nothing runs, no address of anything else is in it, and it is small."""
    judged = evaluation()
    page = render_report(report(model("challenger", judged), model("champion", evaluation(seed=1))), lang)
    seen = Page(page)
    assert not {"script", "link", "img", "iframe", "object", "a"} & set(seen.tags)
    assert not [name for name, _ in seen.attributes if name.startswith("on") or name in {"src", "href"}]
    assert re.findall(r"https?://[^\"' <]+", page) == ["http://www.w3.org/2000/svg"] * page.count("<svg")
    assert "url(" not in page
    assert ("lang", lang) in seen.attributes
    assert "prefers-color-scheme: dark" in page
    assert len(page) < 100_000


@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_name_can_break_out(lang: Language) -> None:
    """A CRM, a level and a label full of markup are text."""
    judged = evaluation(level=NASTY)
    seen = Page(render_report(report(model("trained", judged, label=NASTY), crm_name=NASTY), lang))
    assert "script" not in seen.tags
    assert seen.text.count(NASTY) == 3


def test_the_numbers_are_those_of_the_evaluation() -> None:
    """Figures with their intervals, each tenth, each month, each slice, in the language's own form."""
    judged = evaluation()
    english, german = (
        Page(render_report(report(model("champion", judged)), lang)).text for lang in LANGUAGES
    )
    shown = {name for name, _, _ in report_words.METRICS}
    assert {name for name, _ in judged.metrics} - shown == {"log_loss_gain"}
    for _, interval in (each for each in judged.metrics if each[0] in shown):
        text = f"{interval.value:.4f}".replace("-", "−")
        assert text in english
        assert text.replace(".", ",") in german
    for row in judged.tenths:
        assert f"{100 * row.win_rate:.1f} %" in english
    for month in judged.months:
        assert month.month in german
    for each in judged.slices:
        assert each.level_en in english
        assert each.level_de in german
    assert "23.11.2026" in german
    assert "2026-11-23" in english


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("shift", [-0.03, 0.0, 0.2])
def test_the_first_sentence_says_whether_the_promise_is_kept(lang: Language, shift: float) -> None:
    """Kept, too much, or too little: by the range that chance allows."""
    rows = scored(3000, per_lead=1)
    judged = evaluate(replace(rows, probability=np.clip(rows.probability + shift, 0.001, 0.999)), seed=0)
    text = Page(render_report(report(model("champion", judged)), lang)).text
    expected = {
        0.0: ("the promise is kept", "Das Versprechen ist gehalten"),
        0.2: ("it promises too much", "Es wird zu viel versprochen"),
        -0.03: ("it promises too little", "Es wird zu wenig versprochen"),
    }[shift][lang == "de"]
    assert expected in text


@pytest.mark.parametrize("lang", LANGUAGES)
def test_what_cannot_be_judged_is_not_applicable(lang: Language) -> None:
    """A part without a win has no AUC, no gain picture and no slices; the page still says the rest."""
    rows = scored(30)
    nothing = replace(rows, label=np.zeros_like(rows.label), as_of_us=np.zeros_like(rows.as_of_us))
    judged = evaluate(nothing, seed=0)
    page = render_report(report(replace(model("trained", judged), influences=())), lang)
    assert ("not applicable" if lang == "en" else "nicht anwendbar") in Page(page).text
    assert page.count("<svg") == 1


def test_pictures_are_files_of_their_own() -> None:
    """Each is sound XML with its title and its colours, also for a model that says one thing only."""
    varied = evaluation()
    constant = evaluate(replace(scored(), probability=np.full(800, 0.3)), seed=0)
    moved = model("champion", varied).influences
    for judged in (varied, constant):
        drawn = pictures_of(judged, moved, "de")
        assert [name for name, _ in drawn] == ["reliability", "gain", "months", "influences"]
        for _, svg in drawn:
            picture = ET.fromstring(standalone(svg))  # noqa: S314 our own text
            assert picture.find("{http://www.w3.org/2000/svg}title") is not None
            assert "--first" in "".join(picture.itertext())
            for text in re.findall(r' (?:x|y|cx|cy)="([^"]+)"', svg):
                assert -1.0 <= float(text) <= 600.0


def _texts() -> Iterator[tuple[str, Both]]:
    for name, value in vars(report_words).items():
        for each in value if isinstance(value, tuple) else [value]:
            for text in each if isinstance(each, tuple) else [each]:
                if isinstance(text, Both):
                    yield name, text


@pytest.mark.parametrize(("name", "text"), tuple(_texts()))
def test_every_text_says_the_same_in_both_languages(name: str, text: Both) -> None:
    """The same places for values, no German text left English, unless the word is one in both."""
    places = [set(re.findall(r"{(\w+)}", getattr(text, field.name))) for field in fields(text)]
    assert places[0] == places[1], name
    same = {"Leads", "AUC", "Lift"}
    assert text.en != text.de or text.en in same


def test_slices_of_a_boolean_are_named() -> None:
    """Yes and no are words of the language."""
    newsletter = Feature(
        name="newsletter",
        kind=FeatureKind.ATTRIBUTE_BOOLEAN,
        family="attribute:newsletter",
        attribute="newsletter",
    )
    rows = scored(200)
    value = (np.arange(400) % 3 == 0).astype(np.float64)
    judged = evaluate(rows, seed=0, slicings=(Slicing(feature=newsletter, value=value),))
    text = Page(render_report(report(model("champion", judged)), "de")).text
    assert "Newsletter" in text
    assert "nein" in text
