"""Closing feedback: what a text counts as, when an answer is due, and how ends are counted."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sla.business_time import business_elapsed
from sla.clauses_feedback import (
    MOST_CODES,
    MOST_MATCHES,
    FeedbackGroup,
    FeedbackRule,
    Objection,
    Reason,
    plain,
)
from sla.errors import BrokenRulesError
from sla.feedback import (
    AnswerStatus,
    Coded,
    Dimension,
    Ended,
    Question,
    Verdict,
    code_end,
    groups_in_order,
    judge_question,
    names_of,
    overdue_id,
    reason_of_text,
    tally,
)
from sla.handover import ReasonGroup
from sla.lifecycle import GIVEN_BACK
from sla.policy_diff import compare_policies
from sla.policy_facts import policy_facts
from sla.policy_file import read_policy
from sla.policy_writer import write_policy
from sla.stages import Side
from sla.texts import LANGUAGES
from sla.words import render_policy
from sla.words_feedback import (
    END_NAMES,
    GROUP_NAMES,
    STATUS_NAMES,
    VERDICT_NAMES,
    end_name,
    feedback_lines,
    group_name,
    objection_name,
    reason_name,
    status_text,
    verdict_text,
)
from tests.builders_policy import NOW, OFFICE_HOURS, policy_with

HOURS_24 = timedelta(hours=24)
DATA = FeedbackGroup(group=ReasonGroup.DATA, side=Side.MARKETING, person="Ops", within=HOURS_24)
OFFER = FeedbackGroup(group=ReasonGroup.OFFER, side=Side.SALES, person="Sam", within=timedelta(hours=4))
WRONG = Reason(
    code="wrong_number",
    group=ReasonGroup.DATA,
    de="falsche Nummer",
    en="wrong number",
    matches=("not in service", "number"),
    bad_data=True,
)
PRICE = Reason(
    code="price",
    group=ReasonGroup.OFFER,
    de="zu teuer",
    en="too expensive",
    matches=("price", "number of seats too small for the price"),
)
DEAR = Objection(code="dear", de="zu teuer", en="too dear")
RULE = FeedbackRule(groups=(OFFER, DATA), reasons=(PRICE, WRONG), objections=(DEAR,))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        pytest.param("wrong_number", "wrong_number", id="the code"),
        pytest.param("  Wrong-NUMBER ", "wrong_number", id="the words, however written"),
        pytest.param("Zu teuer!", "price", id="the words in German"),
        pytest.param("not in service", "wrong_number", id="a text that was agreed"),
        pytest.param("they said the price is far off", "price", id="as words inside a text"),
        pytest.param("number of seats too small for the price", "price", id="a whole text before a part"),
        pytest.param("the number of seats too small for the price", "price", id="the longest part"),
        pytest.param("overpriced numbers", None, id="parts of words mean nothing"),
        pytest.param("", None, id="no text"),
        pytest.param("?!", None, id="signs only"),
    ],
)
def test_what_a_text_means(text: str, code: str | None) -> None:
    """A text means the reason whose code, words or agreed texts it is or holds; others mean none."""
    found = reason_of_text(RULE, text)
    assert (None if found is None else found.code) == code


@pytest.mark.parametrize(
    ("group", "code", "text", "expected"),
    [
        pytest.param(None, "price", None, ("offer", "price", False), id="a code brings its group"),
        pytest.param("data", None, "price", ("data", None, False), id="a text of another group means none"),
        pytest.param("data", None, "wrong number", ("data", "wrong_number", True), id="a text of this group"),
        pytest.param(None, None, "wrong number", ("data", "wrong_number", True), id="a text alone"),
        pytest.param(None, None, None, (None, None, False), id="nothing"),
        pytest.param("offer", "gone", "price", ("offer", "gone", False), id="a code no longer listed stays"),
    ],
)
def test_what_an_end_counts_as(
    group: str | None, code: str | None, text: str | None, expected: tuple[object, ...]
) -> None:
    """A code decides, else the text, else the group stands alone; nothing is ever dropped."""
    coded = code_end(RULE, group=group, code=code, text=text)
    assert (coded.group, coded.code, coded.is_bad_data) == expected
    assert code_end(None, group=group, code=code, text=text) == Coded(group=group, code=code)


@given(st.text(), st.text())
def test_signs_and_case_never_matter(one: str, other: str) -> None:
    """What is compared is a fixed point, and words stay apart."""
    assert plain(plain(one)) == plain(one)
    assert plain(f"{one} - {other}").split() == plain(one).split() + plain(other).split()


@given(st.permutations([WRONG, PRICE]), st.permutations([DATA, OFFER]))
def test_the_order_in_a_policy_means_nothing(reasons: list[Reason], groups: list[FeedbackGroup]) -> None:
    """Two policies that list the same in another order are one."""
    other = FeedbackRule(groups=tuple(groups), reasons=tuple(reasons), objections=(DEAR,))
    assert other == RULE
    assert (RULE.group("data"), RULE.group("timing")) == (DATA, None)
    assert replace(WRONG, matches=("number", "not in service")) == WRONG


@given(
    opened=st.integers(0, 400 * 24 * 60),
    within=st.integers(1, 3000),
    waited=st.integers(0, 10 * 24 * 60),
    answered=st.booleans(),
)
def test_an_answer_is_late_after_so_much_open_time(
    opened: int, within: int, waited: int, answered: bool
) -> None:
    """In time means: no more open time than agreed has passed until the answer, or until now."""
    since = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=opened)
    at, limit = since + timedelta(minutes=waited), timedelta(minutes=within)
    question = Question(
        opened_at=since, within=limit, hours=OFFICE_HOURS, answered_at=at if answered else None
    )
    verdict = judge_question(question, now=at + timedelta(days=30) if answered else at)
    assert verdict.due_at is not None
    is_late = business_elapsed(since, at, OFFICE_HOURS) > limit or at > verdict.due_at
    late, fine = (
        (AnswerStatus.LATE, AnswerStatus.IN_TIME) if answered else (AnswerStatus.OVERDUE, AnswerStatus.OPEN)
    )
    assert verdict.status is (late if is_late else fine)
    assert business_elapsed(since, verdict.due_at, OFFICE_HOURS) == limit


def test_without_a_limit_nothing_is_overdue() -> None:
    """A question nobody promised to answer has no deadline."""
    question = Question(opened_at=NOW, within=None, hours=OFFICE_HOURS)
    verdict = judge_question(question, now=NOW + timedelta(days=400))
    assert (verdict.status, verdict.due_at) == (AnswerStatus.UNTIMED, None)


def test_a_missed_answer_has_one_identity() -> None:
    """The same again is the same; another kind or thing is another."""
    ids = {overdue_id(kind, thing) for kind in ("group", "dispute") for thing in ("a", "b")}
    assert len(ids) == 4
    assert overdue_id("group", "a") in ids


ends = st.builds(
    Ended,
    end_id=st.uuids().map(str),
    lead_id=st.sampled_from(["L1", "L2", "L3"]),
    kind=st.just("lost"),
    at=st.just(NOW),
    coded=st.just(Coded()),
    persona=st.sampled_from([None, "buyer"]),
    source=st.sampled_from([None, "fair"]),
    content=st.lists(st.sampled_from(["/a", "/b"]), max_size=3).map(tuple),
)


@given(st.lists(ends, max_size=8), st.lists(ends, max_size=8))
def test_counts_add_up(now: list[Ended], before: list[Ended]) -> None:
    """Every end is counted once per persona and source, and once under each content or under none."""
    whole = tally(now, before)
    assert (whole.count, whole.change) == (len(now), len(now) - len(before))
    assert set(whole.lead_ids) == {one.lead_id for one in now}
    for dimension in Dimension:
        counted = Counter(name for one in now for name in names_of(one, dimension))
        expected = len(now)
        if dimension is Dimension.CONTENT:
            expected = sum(max(1, len(set(one.content))) for one in now)
        assert sum(counted.values()) == expected


def test_words_of_every_group_and_status() -> None:
    """Both languages name each one, and what has none; codes that are no longer listed name themselves."""
    assert [group for group, _ in GROUP_NAMES] == list(ReasonGroup)
    assert [status for status, _ in STATUS_NAMES] == list(AnswerStatus)
    assert groups_in_order() == (*ReasonGroup, "")
    assert [group_name("offer", lang) for lang in LANGUAGES] == ["Offer", "Angebot"]
    assert [group_name(None, lang) for lang in LANGUAGES] == [
        "not mapped to a code",
        "keinem Code zugeordnet",
    ]
    assert [reason_name(RULE, code, "de") for code in ("price", "gone", "unmapped")] == [
        "zu teuer",
        "gone",
        "keinem Code zugeordnet",
    ]
    assert [objection_name(RULE, "dear", lang) for lang in LANGUAGES] == ["too dear", "zu teuer"]
    assert (objection_name(None, "dear", "de"), reason_name(None, "price", "en")) == ("dear", "price")
    assert {kind for kind, _ in END_NAMES} == GIVEN_BACK
    assert [end_name("lost", lang) for lang in LANGUAGES] == ["deal lost", "Abschluss verloren"]
    assert [verdict for verdict, _ in VERDICT_NAMES] == list(Verdict)
    assert (verdict_text(None, "de"), verdict_text("score_wrong", "de")) == ("", "der Score war falsch")
    assert status_text(AnswerStatus.LATE, "de") == "wurde zu spät beantwortet"


def test_what_is_agreed_in_words() -> None:
    """Numbers, codes and people stand in the document, in both languages, and come back from the file."""
    rule = replace(RULE, source_attribute="origin", dispute_within=timedelta(hours=16))
    policy = policy_with(feedback=rule)
    assert feedback_lines(None, "de") == []
    english, german = (render_policy(policy, lang) for lang in LANGUAGES)
    assert "- Offer: Sam (Sales) answers within 4 working hours" in english
    assert (
        "- Daten, `wrong_number`: falsche Nummer; geschrieben als not in service, number; kein Lead" in german
    )
    assert "beantwortet, innerhalb von 2 Arbeitstagen (16 Stunden Arbeitszeit)." in german
    assert "Where a lead came from: `origin`." in english
    assert read_policy(write_policy(policy)) == policy
    paths = {fact.path for fact in policy_facts(policy) if fact.path[0] == "feedback"}
    assert ("feedback", "reasons", "price") in paths


def test_changes_of_feedback_in_words() -> None:
    """A shorter time to answer and a new code are each a change of their own."""
    before = policy_with(feedback=replace(RULE, reasons=(WRONG,)))
    sooner = replace(DATA, within=timedelta(hours=8))
    after = policy_with(feedback=replace(RULE, groups=(OFFER, sooner)))
    assert [change.text("de") for change in compare_policies(before, after)] == [
        (
            "Antwortet für Daten: bisher Daten: Ops (Marketing) antwortet innerhalb von 3 Arbeitstagen "
            "(24 Stunden Arbeitszeit), künftig Daten: Ops (Marketing) antwortet innerhalb von 1 Arbeitstag "
            "(8 Stunden Arbeitszeit) (niedriger)"
        ),
        (
            "neu: Grund `price`: Angebot, `price`: zu teuer; geschrieben als number of seats too small for "
            "the price, price"
        ),
    ]


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        pytest.param({"groups": (DATA, DATA, OFFER)}, "must not repeat a group or a code", id="group"),
        pytest.param({"objections": (DEAR, DEAR)}, "must not repeat a group or a code", id="objection"),
        pytest.param({"groups": (DATA,)}, 'who answers for "offer"', id="no owner"),
        pytest.param(
            {"objections": tuple(replace(DEAR, code=f"c{one}") for one in range(MOST_CODES + 1))},
            "at most 200 codes",
            id="too many codes",
        ),
    ],
)
def test_parts_that_do_not_fit(changes: dict[str, object], rule: str) -> None:
    """What stands there twice, or belongs to nobody, is refused."""
    with pytest.raises(BrokenRulesError, match=rule):
        replace(RULE, **changes)  # type: ignore[arg-type]


def test_texts_of_one_reason_are_bounded() -> None:
    """A list nobody can read is none."""
    with pytest.raises(BrokenRulesError, match="at most 100 texts"):
        replace(WRONG, matches=tuple(f"text {one}" for one in range(MOST_MATCHES + 1)))
    with pytest.raises(BrokenRulesError, match="must be whole minutes"):
        replace(DATA, within=timedelta(seconds=90))
