"""Every mistake of a policy file is named with line, path, rule and value, all at once."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sla.errors import PolicyProblem, PolicyProblems
from sla.policy_file import MOST_CHARACTERS, read_policy
from tests.builders_policy import SOUND_TEXT, sound_text_with

SQL_AGAIN = "\n[[thresholds]]\nstage = 'sql'\nenter = 0.4\nexit = 0.3\n"
GOAL_TEXT = """
[goal]
en = "More"
de = "Mehr"
metric = "close_rate"
baseline = { first = 2026-01-01, last = 2026-06-30 }
period = { first = 2026-07-01, last = 2026-12-31 }
target_relative = 0.1
power = 0.8
reward_en = "Cake"
reward_de = "Kuchen"

"""
PLEDGES_TEXT = """
[pledges]
period = "month"
[pledges.marketing]
stage = "mql"
leads = 40
expected_wins = 5
[pledges.sales]
answered_in_time = 0.9

[capacity]
hours_per_week = 60
hours_per_sql = 1.5
hours_per_attempt = 0.25

"""


def pledged(old: str, new: str) -> str:
    """Return the sections about pledges with one part replaced."""
    assert old in PLEDGES_TEXT, old
    return PLEDGES_TEXT.replace(old, new, 1)


def problems_of(text: str | bytes) -> tuple[PolicyProblem, ...]:
    """Return the problems of a text that must have some."""
    with pytest.raises(PolicyProblems, match=r"^policy\.toml has") as caught:
        read_policy(text, source="policy.toml")
    return caught.value.problems


def problems_if_any(text: str) -> tuple[PolicyProblem, ...]:
    """Return the problems of a text, none when it is a policy."""
    try:
        read_policy(text)
    except PolicyProblems as error:
        return error.problems
    return ()


def line_of(text: str, part: str) -> int:
    """Return the line on which a part of the text stands first."""
    return text[: text.index(part)].count("\n") + 1


FEEDBACK = """
[feedback]

[[feedback.groups]]
group = "data"
side = "marketing"
person = "Ops"
within = "3 d"

[[feedback.reasons]]
code = "wrong_number"
group = "data"
de = "falsch"
en = "wrong"
matches = ["wrong number"]
bad_data = true

[[feedback.objections]]
code = "price"
de = "teuer"
en = "dear"

"""
AGAIN = """
[[feedback.reasons]]
code = "other"
group = "data"
de = "anders"
en = "else"
matches = ["no"]

"""


def feedback(old: str, new: str, path: str, rule: str) -> tuple[str, str, str, str]:
    """Return a case: the section about closing feedback with one part replaced."""
    assert old in FEEDBACK + AGAIN, old
    return "[attempts]", (FEEDBACK + AGAIN).replace(old, new, 1) + "[attempts]", path, rule


ZONE = 'zone = "Europe/Berlin"'
BAD_CASES = {
    "unknown-country": (ZONE, ZONE + '\ncountry = "de"', "hours.country", 'did you mean "DE"?'),
    "unknown-region": (ZONE, ZONE + '\ncountry = "DE"\nregion = "BX"', "hours.region", "a region of DE (Aug"),
    "region-without-country": (ZONE, ZONE + '\nregion = "BY"', "hours.region", 'must come with "country"'),
    "unknown-holiday-kind": (
        ZONE,
        ZONE + '\ncountry = "DE"\nholiday_kinds = ["bank"]',
        "hours.holiday_kinds",
        "further kind of holiday of DE (catholic)",
    ),
    "dates-without-years": (
        ZONE,
        ZONE + '\ncountry = "DE"\npublic_holidays = [2026-01-01]',
        "hours.public_holidays",
        "must come together with holiday_years",
    ),
    "years-backwards": (
        ZONE,
        ZONE + '\ncountry = "DE"\npublic_holidays = []\nholiday_years = [2027, 2026]',
        "hours.holiday_years",
        "a first and a last year",
    ),
    "dates-outside-years": (
        ZONE,
        ZONE + '\ncountry = "DE"\npublic_holidays = [2030-01-01]\nholiday_years = [2026, 2027]',
        "hours.public_holidays",
        "must lie in the holiday_years 2026 to 2027",
    ),
    "years-as-text": (
        ZONE,
        ZONE + '\ncountry = "DE"\nholiday_years = "2026"',
        "hours.holiday_years",
        "must be two years",
    ),
    "open-day-without-hours": (
        ZONE,
        ZONE + "\nopen_days = [{ date = 2026-12-19, openings = [] }]",
        "hours.open_days #1.openings",
        "at least one opening",
    ),
    "open-day-as-text": (
        ZONE,
        ZONE + '\nopen_days = [{ date = "soon", openings = ["09:00-10:00"] }]',
        "hours.open_days #1.date",
        "must be a date such as",
    ),
    "hours-of-sales-never-open": (
        "[attempts]",
        '[hours_sales]\nzone = "Europe/Berlin"\n[attempts]',
        "hours_sales",
        "at least one opening in the week",
    ),
    "reminder-after-the-deadline": (
        "[attempts]",
        '[clocks]\ndue_soon = "4 h"\n[attempts]',
        "clocks.due_soon",
        "shorter than every response time for SQL",
    ),
    "escalation-of-no-length": (
        "[attempts]",
        '[clocks]\nescalate_after = "0 min"\n[attempts]',
        "clocks.escalate_after",
        "longer than 0",
    ),
    "system-limit-too-long": (
        "[attempts]",
        '[clocks]\nsystem_within = "600 h"\n[attempts]',
        "clocks.system_within",
        "fit into a year of opening hours of sales",
    ),
    "routing-to-nobody": (
        "[attempts]",
        '[routing]\nby = "load"\npeople = []\n[attempts]',
        "routing.people",
        "at least one person",
    ),
    "routing-twice-to-one": (
        "[attempts]",
        '[routing]\nby = "load"\npeople = ["A", "A"]\n[attempts]',
        "routing.people",
        "must not repeat a person",
    ),
    "routing-by-chance": (
        "[attempts]",
        '[routing]\nby = "roundrobin"\npeople = ["A"]\n[attempts]',
        "routing.by",
        'did you mean "round_robin"?',
    ),
    "no-room-for-anybody": (
        "[attempts]",
        '[routing]\nby = "load"\npeople = ["A"]\nmost_open = 0\n[attempts]',
        "routing.most_open",
        "from 1 to 10000",
    ),
    "scored-again-never": (
        "[attempts]",
        "[rescoring]\nevery_hours = 0\nstep_points = 1\n[attempts]",
        "rescoring.every_hours",
        "from 1 to 720",
    ),
    "cool-off-backwards": (
        "[attempts]",
        "[recycling]\ncool_off_days = -1\n[attempts]",
        "recycling.cool_off_days",
        "from 0 to 3650",
    ),
    "endless-name": (
        'name = "Pact"',
        f'name = "{"x" * 201}"',
        "policy.name",
        "must have at most 200 characters",
    ),
    "mql-above-sql": (
        "enter = 0.12",
        "enter = 0.31",
        "thresholds #1.enter",
        "below the SQL enter (0.3) for everyone",
    ),
    "exit-above-enter": (
        "exit = 0.09",
        "exit = 0.13",
        "thresholds #1.exit",
        "must not be above enter (0.12)",
    ),
    "mql-exit-above-sql-exit": (
        "exit = 0.24",
        "exit = 0.05",
        "thresholds #1.exit",
        "above the SQL exit (0.05)",
    ),
    "threshold-of-zero": ("exit = 0.09", "exit = 0.0", "thresholds #1.exit", "above 0 and below 1"),
    "threshold-in-percent": ("enter = 0.30", "enter = 30", "thresholds #2.enter", "above 0 and below 1"),
    "threshold-nan": ("enter = 0.30", "enter = nan", "thresholds #2.enter", "above 0 and below 1"),
    "threshold-for-a-lead": ('stage = "mql"', 'stage = "lead"', "thresholds #1.stage", "must be mql or sql"),
    "unknown-stage": ('stage = "mql"', 'stage = "mqll"', "thresholds #1.stage", 'did you mean "mql"?'),
    "override-below-mql": (
        'stage = "sql"\nde',
        'stage = "lead"\nde',
        "overrides #1.stage",
        "must be mql or sql",
    ),
    "opening-of-zero-length": ("09:00-12:30", "09:00-09:00", "hours.monday #1", "must lie after the start"),
    "opening-backwards": ("09:00-12:30", "12:30-09:00", "hours.monday #1", "must lie after the start"),
    "opening-after-midnight": ("13:00-17:30", "13:00-24:30", "hours.monday #2", "must be at most 1440"),
    "opening-overlap": ("09:00-12:30", "09:00-13:30", "hours.monday", "in order and without overlap"),
    "opening-unreadable": ("09:00-12:30", "9 to 12", "hours.monday #1", "must be an opening such as"),
    "opening-no-list": (
        '["09:00-12:30", "13:00-17:30"]',
        '"09:00-12:30"',
        "hours.monday",
        "must be a list of",
    ),
    "never-open": ('["09:00-12:30", "13:00-17:30"]', "[]", "hours", "at least one opening in the week"),
    "unknown-zone": ("Europe/Berlin", "Europe/Berln", "hours.zone", 'did you mean "Europe/Berlin"?'),
    "zone-no-text": ('zone = "Europe/Berlin"', "zone = 1", "hours.zone", "must be a text"),
    "holiday-as-text": ("[2026-12-25]", '["2026-12-25"]', "hours.holidays", "must be a list of dates"),
    "unknown-persona-in-threshold": (
        "[[overrides]]",
        SQL_AGAIN.replace("enter", "persona = 'buyr'\nenter") + "[[overrides]]",
        "thresholds #3.persona",
        'did you mean "buyer"?',
    ),
    "unknown-persona-in-response": (
        "within = ",
        'persona = "x"\nwithin = ',
        "responses #1.persona",
        "must name a persona",
    ),
    "unknown-persona-in-content": (
        "title = ",
        'persona = "x"\ntitle = ',
        "content #1.persona",
        "must name a persona",
    ),
    "least-above-most": ("least = 3", "least = 9", "attempts.least", "must not be above most (8)"),
    "channel-twice": ('["phone"]', '["phone", "phone"]', "attempts.channels", "must not repeat a channel"),
    "channel-empty": ('["phone"]', '[" "]', "attempts.channels", "at least one channel, none empty"),
    "channels-no-list": ('["phone"]', '"phone"', "attempts.channels", "must be a list of texts"),
    "unknown-key": ("least = 3", "least = 3\nmots = 8", "attempts.mots", 'did you mean "most"?'),
    "unknown-key-in-a-persona": (
        'en = "Buyer"',
        'en = "Buyer"\nfr = "A"',
        "personas #1.fr",
        "not a key that is known",
    ),
    "unknown-key-in-a-rule": ("at_least = 50", "at_least = 50, x = 1", "personas #1.rules #1.x", "not a key"),
    "unknown-section": ("[attempts]", "[atempts]\n[attempts]", "atempts", 'did you mean "attempts"?'),
    "wrong-type": (
        "within_days = 7",
        'within_days = "7"',
        "overrides #1.within_days",
        "must be a whole number",
    ),
    "true-is-no-number": ("enter = 0.30", "enter = true", "thresholds #2.enter", "must be a number"),
    "number-out-of-range": (
        "within_days = 7",
        "within_days = 0",
        "overrides #1.within_days",
        "from 1 to 3650",
    ),
    "expects-certainty": (
        "score_valid_days = 7",
        "score_valid_days = 7\nexpected_conversion = 1.0",
        "policy.expected_conversion",
        "between 0 and 1",
    ),
    "moves-more-than-all": (
        "score_valid_days = 7",
        "score_valid_days = 7\nmost_moved = 10",
        "policy.most_moved",
        "must be a share from 0 to 1",
    ),
    "persona-expects-nothing": (
        'en = "Buyer"',
        'en = "Buyer"\nexpected_conversion = 0',
        "personas #1.expected_conversion",
        "between 0 and 1",
    ),
    "expects-only-for-a-persona": (
        'en = "Buyer"',
        'en = "Buyer"\nexpected_conversion = 0.2',
        "personas #1.expected_conversion",
        "must come with expected_conversion in [policy]",
    ),
    "pledge-per-year": (
        "[attempts]",
        pledged('"month"', '"moth"') + "[attempts]",
        "pledges.period",
        'did you mean "month"?',
    ),
    "pledge-of-customers": (
        "[attempts]",
        pledged('stage = "mql"', 'stage = "customer"') + "[attempts]",
        "pledges.marketing.stage",
        "must be mql or sql",
    ),
    "pledge-of-more-wins-than-leads": (
        "[attempts]",
        pledged("expected_wins = 5", "expected_wins = 41") + "[attempts]",
        "pledges.marketing.expected_wins",
        "at most leads (40)",
    ),
    "pledge-of-no-share": (
        "[attempts]",
        pledged("answered_in_time = 0.9", "answered_in_time = 1.1") + "[attempts]",
        "pledges.sales.answered_in_time",
        "a share above 0 and at most 1",
    ),
    "capacity-of-no-hours": (
        "[attempts]",
        pledged("hours_per_week = 60", "hours_per_week = 0") + "[attempts]",
        "capacity.hours_per_week",
        "above 0 and be at most 100000",
    ),
    "pledge-of-one-side": (
        "[attempts]",
        pledged("[pledges.sales]\nanswered_in_time = 0.9\n", "") + "[attempts]",
        "pledges",
        "must have a section [sales]",
    ),
    "pledge-of-answers-without-a-time": (
        '[[responses]]\nstage = "sql"\nwithin = "4 h"\n',
        PLEDGES_TEXT,
        "pledges.sales.answered_in_time",
        "a response time for SQL that holds for everyone",
    ),
    "goal-before-its-baseline": (
        "[attempts]",
        GOAL_TEXT.replace("first = 2026-07-01", "first = 2026-06-30") + "[attempts]",
        "goal.period",
        "must begin after the baseline has ended (2026-06-30)",
    ),
    "goal-of-no-days": (
        "[attempts]",
        GOAL_TEXT.replace("last = 2026-06-30", "last = 2025-06-30") + "[attempts]",
        "goal.baseline.last",
        "must not be before first (2026-01-01)",
    ),
    "goal-with-two-targets": (
        "[attempts]",
        GOAL_TEXT.replace("power", "target_points = 2\npower") + "[attempts]",
        "goal.target_relative",
        "one of the two",
    ),
    "goal-of-an-unknown-metric": (
        "[attempts]",
        GOAL_TEXT.replace("close_rate", "close_rates") + "[attempts]",
        "goal.metric",
        'did you mean "close_rate"?',
    ),
    "code-with-blanks": feedback(
        '"wrong_number"', '"Wrong number"', "feedback.reasons #1.code", "must be small letters"
    ),
    "code-kept-for-none": feedback('"other"', '"unmapped"', "feedback.reasons #2.code", "and not unmapped"),
    "code-twice": feedback('"other"', '"wrong_number"', "feedback.reasons", "must not repeat a group or"),
    "reason-of-no-group": feedback('"data"\nde', '"date"\nde', "feedback.reasons #1.group", '"data"?'),
    "reason-nobody-answers-for": feedback(
        '"data"\nde = "anders"', '"offer"\nde = "anders"', "feedback.reasons", 'who answers for "offer"'
    ),
    "text-twice": feedback('["no"]', '["Wrong-Number"]', "feedback.reasons", "must not list a text twice"),
    "text-without-letters": feedback('"no"', '"?!"', "feedback.reasons #2.matches", "letters or digits"),
    "bad-data-as-text": feedback("true", '"yes"', "feedback.reasons #1.bad_data", "must be true or false"),
    "nobody-answers": feedback('"Ops"', '" "', "feedback.groups #1.person", "must not be empty"),
    "answer-at-once": feedback('"3 d"', '"0 min"', "feedback.groups #1.within", "longer than 0"),
    "answer-after-a-year": feedback('"3 d"', '"900 h"', "feedback.groups", "fit into a year of opening"),
    "no-way-back": feedback(
        "[feedback]", "[feedback]\nlook_back_days = 0", "feedback.look_back_days", "from 1 to 3650"
    ),
    "source-of-no-name": feedback(
        "[feedback]", '[feedback]\nsource_attribute = ""', "feedback.source_attribute", "must not be empty"
    ),
    "dispute-after-a-year": feedback(
        "[feedback]", '[feedback]\ndispute_within = "900 h"', "feedback.dispute_within", "fit into a year"
    ),
    "dispute-to-nobody": feedback(
        "[feedback]", '[feedback]\ndispute_side = "sale"', "feedback.dispute_side", 'did you mean "sales"?'
    ),
    "empty-text": ('en = "Buyer"', 'en = ""', "personas #1.en", "must not be empty"),
    "empty-pain": ('en = "no time"', 'en = " "', "personas #1.pains #1.en", "must not be empty"),
    "no-rules": (
        'rules = [{ attribute = "employees", at_least = 50 }]',
        "rules = []",
        "personas #1.rules",
        "at least one rule",
    ),
    "no-conditions": (
        'conditions = [{ attribute = "job_level", equals = "student" }]',
        "conditions = []",
        "disqualifiers #1.conditions",
        "at least one condition",
    ),
    "rule-without-comparison": (
        ", at_least = 50",
        "",
        "personas #1.rules #1.attribute",
        "exactly one of in, equals",
    ),
    "rule-with-two": (
        "at_least = 50",
        "at_least = 50, at_most = 9",
        "personas #1.rules #1.attribute",
        "exactly one of",
    ),
    "rule-of-wrong-type": (
        "at_least = 50",
        'at_least = "50"',
        "personas #1.rules #1.at_least",
        "must be a finite number",
    ),
    "rule-with-a-date": (
        "at_least = 50",
        "equals = 2026-01-01",
        "personas #1.rules #1.equals",
        "a text, a number",
    ),
    "rule-in-without-list": (
        "at_least = 50",
        'in = "a"',
        "personas #1.rules #1.in",
        "must be a list of texts",
    ),
    "rule-no-table": (
        '{ attribute = "employees", at_least = 50 }',
        "5",
        "personas #1.rules #1",
        "must be a table",
    ),
    "duration-unreadable": (
        '"4 h"',
        '"4 hours"',
        "responses #1.within",
        'must be a duration such as "30 min"',
    ),
    "duration-of-zero": ('"4 h"', '"0 h"', "responses #1.within", "must be longer than 0"),
    "duration-too-long": ('"4 h"', '"500 h"', "responses #1.within", "fit into a year of opening hours"),
    "naive-time": (
        "valid_from = 2026-01-01",
        "valid_from = 2026-01-01T08:00:00",
        "policy.valid_from",
        "with an offset",
    ),
    "year-zero": (
        "valid_from = 2026-01-01",
        "valid_from = 0001-01-01",
        "policy.valid_from",
        "years 1970 to 9000",
    ),
    "url": (
        'title = "Prices"',
        'title = "Prices"\nurl = "ftp://x"',
        "content #1.url",
        "must start with https://",
    ),
    "sections-no-list": ("[[content]]\nstage", "[content]\nstage", "content", "must be a list of tables"),
    "section-as-list": ("[attempts]", "[[attempts]]", "attempts", "must be a section"),
}


@pytest.mark.parametrize(("old", "new", "path", "rule"), BAD_CASES.values(), ids=BAD_CASES.keys())
def test_one_mistake_is_one_problem(old: str, new: str, path: str, rule: str) -> None:
    """A single mistake is reported once, at its path, by its rule."""
    problems = problems_of(sound_text_with(old, new))
    assert [(one.path, rule in one.rule) for one in problems] == [(path, True)], problems


@pytest.mark.parametrize(
    ("section", "key"),
    [(one, key) for one in ("policy", "hours", "attempts") for key in (None, "zone", "most", "name")],
)
def test_missing_sections_and_keys(section: str, key: str | None) -> None:
    """A missing section is one problem; a missing key is one problem at its section."""
    body = re.search(rf"\[{section}\]\n(?:.+\n)+", SOUND_TEXT)
    assert body is not None
    if key is None:
        (problem,) = problems_of(SOUND_TEXT.replace(body[0], ""))
        assert problem.rule == f"must have a section [{section}]"
    elif f"\n{key} = " in body[0]:
        (problem,) = problems_of(SOUND_TEXT.replace(body[0], re.sub(rf"\n{key} = .+", "", body[0])))
        assert (problem.path, problem.line) == (section, line_of(SOUND_TEXT, f"[{section}]"))
        assert f'must have "{key}"' in problem.rule


def test_a_policy_needs_general_thresholds() -> None:
    """A threshold for one persona does not replace the one for everyone."""
    (problem,) = problems_of(sound_text_with("enter = 0.30", 'persona = "buyer"\nenter = 0.30'))
    assert 'threshold for stage "sql" that holds for everyone' in problem.rule


def test_duplicates_are_named_at_the_second_place() -> None:
    """Names and agreements are given once; the second one is the mistake."""
    parts = {
        "personas #2.name": SOUND_TEXT[SOUND_TEXT.index("[[personas]]") : SOUND_TEXT.index("[[thresholds]]")],
        "overrides #2.name": SOUND_TEXT[
            SOUND_TEXT.index("[[overrides]]") : SOUND_TEXT.index("[[disqualifiers]]")
        ],
        "disqualifiers #2.name": SOUND_TEXT[
            SOUND_TEXT.index("[[disqualifiers]]") : SOUND_TEXT.index("[[responses]]")
        ],
        "responses #2": SOUND_TEXT[SOUND_TEXT.index("[[responses]]") : SOUND_TEXT.index("[attempts]")],
        "content #2": SOUND_TEXT[SOUND_TEXT.index("[[content]]") :],
        "thresholds #3": SQL_AGAIN,
    }
    problems = problems_of(SOUND_TEXT + "\n".join(parts.values()))
    assert [one.path for one in problems] == list(parts)
    assert all("only once" in one.rule for one in problems)


@pytest.mark.parametrize(
    ("stage", "enter", "exit_", "path"),
    [
        pytest.param("sql", 0.11, 0.1, "thresholds #3.enter", id="sql-of-the-persona-below-general-mql"),
        pytest.param("mql", 0.35, 0.1, "thresholds #3.enter", id="mql-of-the-persona-above-general-sql"),
        pytest.param("mql", 0.29, 0.28, "thresholds #3.exit", id="exit-of-the-persona-above-general-sql"),
    ],
)
def test_thresholds_rise_for_each_persona(stage: str, enter: float, exit_: float, path: str) -> None:
    """A persona's own threshold is held against the general one of the other stage."""
    own = f'\n[[thresholds]]\nstage = "{stage}"\npersona = "buyer"\nenter = {enter}\nexit = {exit_}\n'
    (problem,) = problems_of(SOUND_TEXT + own)
    assert problem.path == path
    assert "for buyer" in problem.rule


def test_all_mistakes_at_once_in_the_order_of_the_file() -> None:
    """Many mistakes give one line each, sorted, with line, rule and value; none hides another."""
    edits = (
        ("version = 1", "version = 0"),
        ("zone = ", 'zonne = "x"\nzone = '),
        ('name = "buyer"', "name = 5"),
        ("exit = 0.09", 'exit = "low"'),
        ("enter = 0.30", "enter = 3.0"),
        ("within_days = 7", "within_days = -1"),
        ('"4 h"', '"soon"'),
        ("least = 3", "least = 9"),
    )
    text = SOUND_TEXT
    for old, new in edits:
        text = text.replace(old, new, 1)
    problems = problems_of(text)
    assert [one.line for one in problems] == [
        line_of(text, new.split("\n", maxsplit=1)[0]) for _, new in edits
    ]
    assert problems[3].text() == f"line {problems[3].line}: thresholds #1.exit must be a number; got 'low'"


def test_a_broken_part_causes_no_second_complaint() -> None:
    """What is held against a broken field, or named in a broken clause, is not complained about again."""
    text = sound_text_with("enter = 0.12", 'enter = "high"').replace('en = "Buyer"', "en = 1")
    text = text.replace("within = ", 'persona = "buyer"\nwithin = ')
    assert [one.path for one in problems_of(text)] == ["personas #1.en", "thresholds #1.enter"]


@pytest.mark.parametrize(
    ("text", "line", "rule"),
    [
        pytest.param("", None, "must not be empty", id="empty"),
        pytest.param(" \n\t\r\n", None, "must not be empty", id="blank"),
        pytest.param(b"[policy]\nname = '\xff'\n", 2, "must be UTF-8 text", id="invalid-utf-8"),
        pytest.param("a = 1\nb = = 2\n", 2, "must be valid TOML", id="invalid-toml"),
        pytest.param("a = 1\n\nb = ", 3, "must be valid TOML", id="cut-off"),
        pytest.param("a = 1\na = 2\n", 2, "must be valid TOML", id="key-twice"),
        pytest.param("a = 2026-02-30\n", 1, "must be valid TOML", id="no-such-day"),
        pytest.param("a = " + "9" * 5000, 1, "must be valid TOML", id="number-too-long"),
        pytest.param("#" * 1_000_000, None, f"at most {MOST_CHARACTERS}", id="a-megabyte"),
        pytest.param("a = " + "[" * 20_000, None, "must not nest", id="nested-deeply"),
    ],
)
def test_texts_that_are_no_policy(text: str | bytes, line: int | None, rule: str) -> None:
    """What cannot be read at all is one problem with a line where there is one."""
    (problem,) = problems_of(text)
    assert (problem.line, problem.path) == (line, "")
    assert rule in problem.rule


@given(st.one_of(st.text(max_size=60), st.binary(max_size=60)))
def test_no_text_raises_anything_else(text: str | bytes) -> None:
    """Arbitrary text and bytes are refused as a policy, never with another error."""
    assert problems_of(text) != ()


lines = st.lists(st.sampled_from(SOUND_TEXT.splitlines()), min_size=1, max_size=60)


@given(lines)
def test_shuffled_policies_raise_nothing_else(shuffled: list[str]) -> None:
    """Lines of a policy in any order are a policy or are refused with lines inside the text."""
    found = problems_if_any("\n".join(shuffled))
    assert all(one.line is None or 1 <= one.line <= len(shuffled) for one in found)


def test_the_error_says_how_many_problems() -> None:
    """One problem is one problem, two are problems."""
    with pytest.raises(
        PolicyProblems, match=r"^pact has 1 problem:\n  whole file: a policy must not be empty$"
    ):
        read_policy("", source="pact")
    with pytest.raises(PolicyProblems, match=r"^policy has 2 problems:\n  line 2: .*\n  line 3: "):
        read_policy(sound_text_with("version = 1", "version = 0").replace('"Pact"', "1"))
