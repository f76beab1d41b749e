"""The words say what the values say: numbers are read back out of the text and compared with the rule."""

import re
from datetime import date, datetime, timedelta
from decimal import Decimal
from types import ModuleType

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import sla.words
import sla.words_numbers
import sla.words_policy
from sla.decision import Rule
from sla.personas import Condition, Operator, Scalar
from sla.policy import Policy, ScoredLead, decide
from sla.stages import Side, Stage
from sla.texts import LANGUAGES, Text
from sla.words import RULE_WORDS, decision_text
from sla.words_numbers import (
    SIDE_NAMES,
    STAGE_NAMES,
    STAGE_PREDICATES,
    ago_text,
    date_text,
    days_text,
    exact_percent,
    instant_text,
    list_text,
    number_text,
    percent_against,
    scalar_text,
    span_text,
    working_time_text,
)
from sla.words_policy import CONDITION_WORDS, condition_text
from tests.builders_policy import (
    NOW,
    POLICY,
    hundredfold,
    inner_probabilities,
    lead_with,
    leads_of,
    percents,
    policies,
)

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
ASKED = (("demo_request", NOW - 2 * DAY - HOUR),)
RIVAL = (("industry", "rival"),)


@pytest.mark.parametrize(
    ("lead", "rule", "english", "german"),
    [
        pytest.param(
            lead_with(0.31),
            Rule.THRESHOLD_REACHED,
            "31 % reaches the SQL threshold of 30 %",
            "31 % erreicht die SQL-Schwelle von 30 %",
            id="reached",
        ),
        pytest.param(
            lead_with(0.2996),
            Rule.THRESHOLD_REACHED,
            "29.96 % reaches the MQL threshold of 12 %",
            "29,96 % erreicht die MQL-Schwelle von 12 %",
            id="just-below-sql-is-not-shown-as-30",
        ),
        pytest.param(
            lead_with(0.28, current_stage=Stage.SQL),
            Rule.THRESHOLD_HELD,
            "28 % does not fall below the SQL exit of 24 %: stays SQL",
            "28 % fällt nicht unter die SQL-Ausstiegsschwelle von 24 %: bleibt SQL",
            id="held",
        ),
        pytest.param(
            lead_with(0.2, current_stage=Stage.SQL),
            Rule.FELL_BACK,
            "20 % falls below the SQL exit of 24 % and reaches the MQL threshold of 12 %: back to MQL",
            "20 % fällt unter die SQL-Ausstiegsschwelle von 24 % und erreicht die MQL-Schwelle von 12 %: "
            "zurück auf MQL",
            id="fell-back",
        ),
        pytest.param(
            lead_with(0.1),
            Rule.BELOW_THRESHOLD,
            "10 % is below the MQL threshold of 12 %",
            "10 % liegt unter der MQL-Schwelle von 12 %",
            id="below",
        ),
        pytest.param(
            lead_with(0.1, activities=ASKED),
            Rule.OVERRIDE,
            "asked for a demo 2 days ago: SQL at once",
            "Demo-Anfrage vor 2 Tagen: sofort SQL",
            id="override",
        ),
        pytest.param(
            lead_with(0.9, attributes=RIVAL),
            Rule.DISQUALIFIER,
            "disqualified: works for a competitor",
            "ausgeschlossen: arbeitet bei einem Wettbewerber",
            id="disqualifier",
        ),
        pytest.param(
            lead_with(0.1, current_stage=Stage.SQL, stage_since=NOW - DAY),
            Rule.LEAST_DWELL,
            "10 % falls below the SQL exit of 24 % and does not fall below the MQL exit of 9 %, "
            "but the lead stays SQL for at least 3 days (so far 1 day)",
            "10 % fällt unter die SQL-Ausstiegsschwelle von 24 % und fällt nicht unter die "
            "MQL-Ausstiegsschwelle von 9 %, der Lead bleibt aber mindestens 3 Tage SQL (bisher 1 Tag)",
            id="dwell",
        ),
        pytest.param(
            lead_with(0.4, current_stage=Stage.RECYCLED, stage_since=NOW - 2 * HOUR),
            Rule.RECYCLED_REST,
            "40 % reaches the SQL threshold of 30 %, but a recycled lead rests for at least 3 days "
            "(so far 2 hours)",
            "40 % erreicht die SQL-Schwelle von 30 %, ein zurückgestellter Lead ruht aber mindestens 3 Tage "
            "(bisher 2 Stunden)",
            id="recycled",
        ),
        pytest.param(
            lead_with(0.1, current_stage=Stage.CUSTOMER),
            Rule.STAGE_KEPT,
            "stays a customer: only people change that, not a score",
            "bleibt Kunde: Das ändern nur Menschen, kein Score",
            id="kept",
        ),
        pytest.param(
            lead_with(0.1, scored_at=NOW - 7 * DAY - HOUR),
            Rule.REFUSED_STALE_SCORE,
            "not decided: the score is more than 7 days old",
            "nicht entschieden: Der Score ist mehr als 7 Tage alt",
            id="stale",
        ),
        pytest.param(
            lead_with(0.1, scored_at=NOW + HOUR),
            Rule.REFUSED_FUTURE_SCORE,
            "not decided: the score comes from the future",
            "nicht entschieden: Der Score stammt aus der Zukunft",
            id="future",
        ),
    ],
)
def test_decision_text(lead: ScoredLead, rule: Rule, english: str, german: str) -> None:
    """Each rule has a natural sentence in both languages, with the numbers of the case."""
    decision = decide(lead, POLICY, now=NOW)
    assert decision.rule is rule
    assert (decision_text(decision, "en"), decision_text(decision, "de")) == (english, german)


def test_every_rule_stage_side_and_operator_has_words() -> None:
    """Nothing the rules can say is without words."""
    assert {rule for rule, _ in RULE_WORDS} == set(Rule)
    assert {stage for stage, _ in STAGE_NAMES} == {stage for stage, _ in STAGE_PREDICATES} == set(Stage)
    assert {side for side, _ in SIDE_NAMES} == set(Side)
    assert {operator for operator, _ in CONDITION_WORDS} == set(Operator) - {Operator.FILLED}


def texts_inside(value: object) -> list[Text]:
    """Return every text in a constant, however nested."""
    if isinstance(value, Text):
        return [value]
    return [text for inner in value for text in texts_inside(inner)] if isinstance(value, tuple) else []


@pytest.mark.parametrize(
    "module", [sla.words, sla.words_numbers, sla.words_policy], ids=lambda one: one.__name__
)
def test_both_languages_say_the_same_facts(module: ModuleType) -> None:
    """Each sentence has the same places for facts in English and German."""
    texts = [text for value in vars(module).values() for text in texts_inside(value)]
    assert len(texts) > 10
    for text in texts:
        english, german = (set(re.findall(r"\{\w+\}", one)) for one in (text.en, text.de))
        assert english == german, text


cases = policies().flatmap(lambda policy: st.tuples(st.just(policy), leads_of(policy, NOW)))
CLAIMS = (
    (r"reaches the|does not fall below|erreicht|fällt nicht unter", True),
    (r"is below|falls below|liegt unter|fällt unter", False),
)


@settings(max_examples=60)
@given(cases)
def test_the_words_never_contradict_the_rule(case: tuple[Policy, ScoredLead]) -> None:
    """Read back from the text, the percentage stands where the sentence says."""
    policy, lead = case
    decision = decide(lead, policy, now=NOW)
    limits = {hundredfold(one.threshold) for one in decision.comparisons}
    for lang in LANGUAGES:
        text = decision_text(decision, lang)
        assert text.strip()
        if not decision.comparisons or decision.rule is Rule.OVERRIDE:
            continue
        probability, *shown = percents(text, lang)
        claims = re.findall("|".join(pattern for pattern, _ in CLAIMS), text)
        assert len(claims) == len(shown) >= 1
        for claim, limit in zip(claims, shown, strict=True):
            assert limit in limits
            assert (probability >= limit) is bool(re.fullmatch(CLAIMS[0][0], claim))


@given(st.floats(0, 1), st.lists(inner_probabilities, max_size=3))
@example(0.2999999999999999, [0.3])
@example(0.30000000000000004, [0.3])
@example(5e-324, [0.5])
@example(1.0, [0.999999])
def test_percent_against(probability: float, thresholds: list[float]) -> None:
    """A shown percentage is near the number, on its side of each threshold, and never falsely certain."""
    (shown,) = percents(percent_against(probability, thresholds, "de"), "de")
    exact = hundredfold(probability)
    assert abs(shown - exact) <= Decimal("0.5")
    assert [shown >= hundredfold(one) for one in thresholds] == [probability >= one for one in thresholds]
    assert (shown in (0, 100)) is (probability in (0.0, 1.0))


@given(inner_probabilities)
def test_agreed_percentages_are_exact(probability: float) -> None:
    """A threshold is shown with every decimal it was agreed with."""
    for lang in LANGUAGES:
        assert percents(exact_percent(probability, lang), lang) == [hundredfold(probability)]


@pytest.mark.parametrize(
    ("age", "ago_en", "ago_de", "span_en", "span_de"),
    [
        pytest.param(2 * DAY + 23 * HOUR, "2 days ago", "vor 2 Tagen", "2 days", "2 Tage", id="days"),
        pytest.param(DAY, "1 day ago", "vor 1 Tag", "1 day", "1 Tag", id="day"),
        pytest.param(5 * HOUR, "5 hours ago", "vor 5 Stunden", "5 hours", "5 Stunden", id="hours"),
        pytest.param(HOUR, "1 hour ago", "vor 1 Stunde", "1 hour", "1 Stunde", id="hour"),
        pytest.param(MINUTE, "1 minute ago", "vor 1 Minute", "1 minute", "1 Minute", id="minute"),
        pytest.param(MINUTE / 2, "just now", "gerade eben", "0 minutes", "0 Minuten", id="seconds"),
        pytest.param(-DAY, "just now", "gerade eben", "0 minutes", "0 Minuten", id="ahead"),
    ],
)
def test_ages(age: timedelta, ago_en: str, ago_de: str, span_en: str, span_de: str) -> None:
    """Ages are rounded down to their largest unit, in grammatical German and English."""
    assert (ago_text(age, "en"), ago_text(age, "de")) == (ago_en, ago_de)
    assert (span_text(age, "en"), span_text(age, "de")) == (span_en, span_de)


@pytest.mark.parametrize(
    ("duration", "english", "german"),
    [
        pytest.param(HOUR, "1 working hour", "1 Stunde Arbeitszeit", id="hour"),
        pytest.param(4 * HOUR, "4 working hours", "4 Stunden Arbeitszeit", id="hours"),
        pytest.param(90 * MINUTE, "90 working minutes", "90 Minuten Arbeitszeit", id="minutes"),
        pytest.param(MINUTE, "1 working minute", "1 Minute Arbeitszeit", id="minute"),
        pytest.param(
            8 * HOUR, "1 working day (8 working hours)", "1 Arbeitstag (8 Stunden Arbeitszeit)", id="day"
        ),
        pytest.param(
            16 * HOUR,
            "2 working days (16 working hours)",
            "2 Arbeitstagen (16 Stunden Arbeitszeit)",
            id="days",
        ),
    ],
)
def test_working_time(duration: timedelta, english: str, german: str) -> None:
    """A day of working time is always shown with its hours, so that nobody reads 24 of them into it."""
    assert (working_time_text(duration, "en"), working_time_text(duration, "de")) == (english, german)


def test_dates_and_instants() -> None:
    """Dates are written out; seconds only where there are any."""
    moment = datetime(2026, 3, 1, 7, 5, 9, tzinfo=NOW.tzinfo)
    assert date_text(date(2026, 3, 1), "en") == "1 March 2026"
    assert date_text(date(2026, 3, 1), "de") == "1. März 2026"
    assert instant_text(moment, "en") == "1 March 2026, 07:05:09"
    assert instant_text(moment.replace(second=0), "de") == "1. März 2026, 07:05 Uhr"


@pytest.mark.parametrize(
    ("value", "english", "german"),
    [
        (1234567.5, "1,234,567.5", "1.234.567,5"),
        (50.0, "50", "50"),
        (50, "50", "50"),
        (1e9, "1,000,000,000", "1.000.000.000"),
    ],
)
def test_numbers(value: float, english: str, german: str) -> None:
    """Thousands and decimals are marked as the language does."""
    assert (number_text(value, "en"), number_text(value, "de")) == (english, german)


@pytest.mark.parametrize(
    ("operator", "values", "english", "german"),
    [
        (Operator.IN, ("a", "b", "c"), "`x` is a, b or c", "`x` ist a, b oder c"),
        (Operator.EQUALS, (True,), "`x` is yes", "`x` ist ja"),
        (Operator.EQUALS, (False,), "`x` is no", "`x` ist nein"),
        (Operator.AT_LEAST, (2500,), "`x` is at least 2,500", "`x` beträgt mindestens 2.500"),
        (Operator.AT_MOST, (0.5,), "`x` is at most 0.5", "`x` beträgt höchstens 0,5"),
        (Operator.CONTAINS, ("a",), "`x` contains a", "`x` enthält a"),
        (Operator.FILLED, (True,), "`x` is filled in", "`x` ist ausgefüllt"),
        (Operator.FILLED, (False,), "`x` is empty", "`x` ist leer"),
    ],
)
def test_conditions(operator: Operator, values: tuple[Scalar, ...], english: str, german: str) -> None:
    """Each comparison reads naturally."""
    one = Condition(attribute="x", operator=operator, values=values)
    assert (condition_text(one, "en"), condition_text(one, "de")) == (english, german)


def test_lists_and_days() -> None:
    """One item has no comma, three have one; a single day is singular."""
    assert [list_text(items, "en") for items in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]
    assert (days_text(1, "de"), days_text(3, "en"), scalar_text("x", "de")) == ("1 Tag", "3 days", "x")
