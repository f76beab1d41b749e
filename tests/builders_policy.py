"""Policies and leads for tests: a small sound policy, and Hypothesis strategies for whole ones."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from sla.business_time import OpenDay, Opening, OpeningHours
from sla.clauses import AttemptRule, Content, Disqualifier, Override, ResponseTime, Threshold
from sla.clauses_feedback import FeedbackGroup, FeedbackRule, Objection, Reason, plain
from sla.clauses_pledges import CapacityRule, MarketingPledge, PledgePeriod, Pledges, SalesPledge
from sla.clauses_work import ClockRule, Overflow, RecyclingRule, RescoringRule, RouteBy, RoutingRule
from sla.goal import Goal, Metric, Period
from sla.handover import ReasonGroup
from sla.personas import Condition, Operator, Persona
from sla.policy import Policy, ScoredLead
from sla.public_holidays import PublicHolidays
from sla.stages import SCORED_STAGES, Side, Stage
from sla.texts import Text

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
"""A Monday, ten o'clock in Berlin."""

OFFICE_DAY = (Opening(9 * 60, 17 * 60),)
OFFICE_HOURS = OpeningHours(zone="Europe/Berlin", weekdays=(OFFICE_DAY,) * 5 + ((), ()))
AROUND_THE_CLOCK = OpeningHours(zone="UTC", weekdays=((Opening(0, 24 * 60),),) * 7)

BUYER = Persona(
    name="buyer",
    de="Käuferin",
    en="Buyer",
    pains=(Text(en="no time", de="keine Zeit"),),
    owner_marketing="Mia",
    owner_sales="Sam",
    rules=(Condition(attribute="department", operator=Operator.EQUALS, values=("finance",)),),
)
DEMO = Override(
    name="demo",
    activity_kind="demo_request",
    within_days=7,
    stage=Stage.SQL,
    en="asked for a demo",
    de="Demo-Anfrage",
)
COMPETITOR = Disqualifier(
    name="competitor",
    conditions=(Condition(attribute="industry", operator=Operator.EQUALS, values=("rival",)),),
    en="works for a competitor",
    de="arbeitet bei einem Wettbewerber",
)

POLICY = Policy(
    version=3,
    name="Pact",
    valid_from=datetime(2026, 1, 1, tzinfo=UTC),
    personas=(BUYER,),
    thresholds=(
        Threshold(stage=Stage.MQL, enter=0.12, exit=0.09),
        Threshold(stage=Stage.SQL, enter=0.30, exit=0.24),
        Threshold(stage=Stage.SQL, persona="buyer", enter=0.25, exit=0.20),
    ),
    overrides=(DEMO,),
    disqualifiers=(COMPETITOR,),
    responses=(
        ResponseTime(stage=Stage.SQL, within=timedelta(hours=4)),
        ResponseTime(stage=Stage.SQL, persona="buyer", within=timedelta(hours=2)),
    ),
    attempts=AttemptRule(least=3, most=8, spacing_hours=24, channels=("phone", "email")),
    hours=OFFICE_HOURS,
    content=(
        Content(stage=Stage.SQL, title="Prices"),
        Content(stage=Stage.SQL, persona="buyer", title="Calculator", url="https://example.com/calculator"),
        Content(stage=Stage.MQL, title="Webinar"),
    ),
    least_dwell_days=3,
    score_valid_days=7,
)


def sound_text_with(old: str, new: str) -> str:
    """Return the sound file with one part replaced."""
    assert old in SOUND_TEXT, old
    return SOUND_TEXT.replace(old, new, 1)


def policy_with(**changes: Any) -> Policy:
    """Return the small policy with some fields changed."""
    return replace(POLICY, **changes)


def lead_with(probability: float, **changes: Any) -> ScoredLead:
    """Return a lead scored just now with this probability."""
    return replace(ScoredLead(lead_id="L1", probability=probability, scored_at=NOW), **changes)


SOUND_TEXT = """\
[policy]
version = 1
name = "Pact"
valid_from = 2026-01-01
least_dwell_days = 3
score_valid_days = 7

[hours]
zone = "Europe/Berlin"
monday = ["09:00-12:30", "13:00-17:30"]
holidays = [2026-12-25]

[[personas]]
name = "buyer"
de = "Käuferin"
en = "Buyer"
owner_marketing = "Mia"
owner_sales = "Sam"
pains = [{ de = "keine Zeit", en = "no time" }]
rules = [{ attribute = "employees", at_least = 50 }]

[[thresholds]]
stage = "mql"
enter = 0.12
exit = 0.09

[[thresholds]]
stage = "sql"
enter = 0.30
exit = 0.24

[[overrides]]
name = "demo"
activity_kind = "demo_request"
within_days = 7
stage = "sql"
de = "Demo-Anfrage"
en = "asked for a demo"

[[disqualifiers]]
name = "student"
de = "Studierende"
en = "a student"
conditions = [{ attribute = "job_level", equals = "student" }]

[[responses]]
stage = "sql"
within = "4 h"

[attempts]
least = 3
most = 8
spacing_hours = 24
channels = ["phone"]

[[content]]
stage = "sql"
title = "Prices"
"""


def percents(text: str, lang: str) -> list[Decimal]:
    """Return every percentage in a text, as numbers."""
    found = re.findall(r"(\d+(?:[.,]\d+)?) %", text)
    return [Decimal(one.replace(",", ".") if lang == "de" else one) for one in found]


def hundredfold(probability: float) -> Decimal:
    """Return a probability in percent, as it is written."""
    return Decimal(repr(probability)) * 100


# Strategies: text without surrogates (TOML cannot hold them) and with something to read in it.

texts = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12).filter(lambda text: bool(text.strip()))
names = st.from_regex(r"[a-z][a-z_]{0,8}", fullmatch=True)
probabilities = st.floats(min_value=0.0, max_value=1.0)
inner_probabilities = st.floats(min_value=0.0, max_value=1.0, exclude_min=True, exclude_max=True)
days = st.dates(min_value=date(2020, 1, 1), max_value=date(2035, 12, 31))
instants = st.datetimes(
    min_value=datetime(2020, 1, 1),  # noqa: DTZ001 - the strategy adds the zone
    max_value=datetime(2035, 1, 1),  # noqa: DTZ001
    timezones=st.sampled_from([UTC]),
)
zones = st.sampled_from(
    ["Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Casablanca", "UTC"]
)
scalars = st.one_of(
    texts, st.booleans(), st.integers(-(10**20), 10**20), st.floats(allow_nan=False, allow_infinity=False)
)


@st.composite
def openings(draw: st.DrawFn) -> tuple[Opening, ...]:
    """Draw up to three openings of a day, in order, touching at most."""
    minutes = sorted(draw(st.sets(st.integers(0, 24 * 60), max_size=6)))
    if len(minutes) % 2:
        minutes.pop()
    return tuple(Opening(start, end) for start, end in zip(minutes[::2], minutes[1::2], strict=True))


@st.composite
def opening_hours(draw: st.DrawFn) -> OpeningHours:
    """Draw hours of a week with at least one opening."""
    week = draw(st.lists(openings(), min_size=7, max_size=7))
    week[draw(st.integers(0, 6))] = draw(openings().filter(bool))
    closed = draw(st.frozensets(days, max_size=4))
    opened = draw(st.lists(days.filter(lambda day: day not in closed), unique=True, max_size=2))
    return OpeningHours(
        zone=draw(zones),
        weekdays=tuple(week),
        holidays=closed,
        open_days=tuple(OpenDay(date=day, openings=draw(openings().filter(bool))) for day in opened),
        public=draw(st.one_of(st.none(), public_holidays())),
    )


@st.composite
def public_holidays(draw: st.DrawFn) -> PublicHolidays:
    """Draw public holidays of Germany, looked up or not."""
    dates = draw(st.one_of(st.none(), st.frozensets(days, max_size=4)))
    return PublicHolidays(
        country="DE",
        region=draw(st.sampled_from([None, "BY", "SN"])),
        holiday_kinds=draw(st.sampled_from([(), ("catholic",)])),
        public_holidays=dates,
        holiday_years=None if dates is None else (2020, 2035),
    )


@st.composite
def clock_rules(draw: st.DrawFn, responses: tuple[ResponseTime, ...], most_minutes: int) -> ClockRule:
    """Draw limits that fit the response times and the hours."""
    shortest = min((one.within for one in responses if one.stage is Stage.SQL), default=timedelta(hours=1))
    limits = st.one_of(
        st.none(), st.integers(1, most_minutes).map(lambda minutes: timedelta(minutes=minutes))
    )
    soon = [None] if shortest <= timedelta(minutes=1) else [None, timedelta(minutes=1)]
    return ClockRule(
        system_within=draw(limits), due_soon=draw(st.sampled_from(soon)), escalate_after=draw(limits)
    )


routing_rules = st.builds(
    RoutingRule,
    by=st.sampled_from(RouteBy),
    people=st.lists(texts, unique=True, min_size=1, max_size=3).map(tuple),
    most_open=st.one_of(st.none(), st.integers(1, 50)),
    overflow=st.sampled_from(Overflow),
)
recycling_rules = st.integers(0, 100).map(lambda days: RecyclingRule(cool_off_days=days))
rescoring_rules = st.builds(RescoringRule, every_hours=st.integers(1, 720), step_points=st.integers(0, 50))


codes = st.from_regex(r"[a-z][a-z0-9_]{0,9}", fullmatch=True).filter(lambda code: code != "unmapped")


@st.composite
def feedback_rules(draw: st.DrawFn, most_minutes: int) -> FeedbackRule:
    """Draw what is agreed about closing feedback; every reason has somebody who answers for it."""
    within = st.integers(1, most_minutes).map(lambda minutes: timedelta(minutes=minutes))
    owned = draw(st.lists(st.sampled_from(ReasonGroup), unique=True, max_size=3))
    reasons = [
        Reason(
            code=code,
            group=draw(st.sampled_from(owned)),
            de=draw(texts),
            en=draw(texts),
            matches=tuple(f"{code} {number}" for number in range(draw(st.integers(0, 2)))),
            bad_data=draw(st.booleans()),
        )
        for code in (draw(st.lists(codes, unique_by=plain, max_size=4)) if owned else ())
    ]
    return FeedbackRule(
        groups=tuple(
            FeedbackGroup(
                group=group, side=draw(st.sampled_from(Side)), person=draw(texts), within=draw(within)
            )
            for group in owned
        ),
        reasons=tuple(reasons),
        objections=tuple(
            Objection(code=code, de=draw(texts), en=draw(texts))
            for code in draw(st.lists(codes, unique=True, max_size=2))
        ),
        look_back_days=draw(st.integers(1, 400)),
        source_attribute=draw(st.one_of(st.none(), names)),
        dispute_side=draw(st.sampled_from(Side)),
        dispute_within=draw(st.one_of(st.none(), within)),
    )


@st.composite
def conditions(draw: st.DrawFn) -> Condition:
    """Draw a condition of any operator with values that suit it."""
    operator = draw(st.sampled_from(Operator))
    values: dict[Operator, st.SearchStrategy[Any]] = {
        Operator.IN: st.lists(scalars, min_size=1, max_size=3),
        Operator.EQUALS: scalars.map(lambda value: [value]),
        Operator.AT_LEAST: st.integers(-100, 100_000).map(lambda value: [value]),
        Operator.AT_MOST: st.floats(-1e6, 1e6).map(lambda value: [value]),
        Operator.CONTAINS: texts.map(lambda value: [value]),
        Operator.FILLED: st.booleans().map(lambda value: [value]),
    }
    return Condition(attribute=draw(names), operator=operator, values=tuple(draw(values[operator])))


def personas(name: str, *, with_expectations: bool) -> st.SearchStrategy[Persona]:
    """Return a strategy for a persona of this name."""
    expected = st.one_of(st.none(), inner_probabilities) if with_expectations else st.none()
    return st.builds(
        Persona,
        name=st.just(name),
        de=texts,
        en=texts,
        pains=st.lists(st.builds(Text, en=texts, de=texts), max_size=2).map(tuple),
        owner_marketing=texts,
        owner_sales=texts,
        rules=st.lists(conditions(), min_size=1, max_size=3).map(tuple),
        expected_conversion=expected,
    )


@st.composite
def threshold_pairs(draw: st.DrawFn, persona: str | None) -> tuple[Threshold, ...]:
    """Draw MQL and SQL for one persona (or everyone) with MQL below SQL."""
    limits = draw(st.lists(inner_probabilities, min_size=4, max_size=4, unique=True).map(sorted))
    lowest, low, high, highest = limits
    mql = Threshold(stage=Stage.MQL, persona=persona, enter=low, exit=lowest)
    return mql, Threshold(stage=Stage.SQL, persona=persona, enter=highest, exit=high)


@st.composite
def goals(draw: st.DrawFn) -> Goal:
    """Draw a joint goal: a period after its baseline, and one kind of target."""
    days = draw(st.lists(st.dates(date(2020, 1, 1), date(2022, 1, 1)), min_size=4, max_size=4, unique=True))
    first, last, start, end = sorted(days)
    is_relative = draw(st.booleans())
    return Goal(
        de=draw(texts),
        en=draw(texts),
        metric=draw(st.sampled_from(Metric)),
        baseline=Period(first, last),
        period=Period(start, end),
        target_relative=draw(st.floats(0.001, 10.0)) if is_relative else None,
        target_points=None if is_relative else draw(st.floats(0.1, 99.0)),
        power=draw(st.floats(0.5, 0.99)),
        reward_de=draw(texts),
        reward_en=draw(texts),
    )


@st.composite
def pledges(draw: st.DrawFn) -> Pledges:
    """Draw what both sides promise."""
    leads, shares = draw(st.integers(1, 5000)), st.floats(0.01, 1.0)
    return Pledges(
        period=draw(st.sampled_from(PledgePeriod)),
        marketing=MarketingPledge(
            stage=draw(st.sampled_from(SCORED_STAGES)),
            leads=leads,
            expected_wins=draw(st.none() | st.floats(0.01, leads)),
        ),
        sales=SalesPledge(
            answered_in_time=draw(shares), least_attempts=draw(shares), followed_up=draw(shares)
        ),
    )


_hours = st.floats(0.01, 1000.0)
capacities = st.builds(CapacityRule, hours_per_week=_hours, hours_per_sql=_hours, hours_per_attempt=_hours)


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    """Draw a whole policy that fits together."""
    persona_names = draw(st.lists(names, unique=True, max_size=3))
    hours = draw(opening_hours())
    most_minutes = min(60_000, 52 * hours.minutes_per_week)
    for_whom = st.sampled_from([None, *persona_names])
    who_and_what = st.lists(st.tuples(st.sampled_from(SCORED_STAGES), for_whom), unique=True, max_size=3)
    specific = draw(st.lists(st.sampled_from(persona_names), unique=True)) if persona_names else []
    thresholds = [one for who in [None, *specific] for one in draw(threshold_pairs(who))]
    own = draw(st.one_of(st.none(), opening_hours()))
    if own is not None:
        most_minutes = min(most_minutes, 52 * own.minutes_per_week)
    within = st.integers(1, most_minutes).map(lambda minutes: timedelta(minutes=minutes))
    least = draw(st.integers(1, 10))
    expected = draw(st.one_of(st.none(), inner_probabilities))
    responses = tuple(
        ResponseTime(stage=stage, persona=who, within=draw(within)) for stage, who in draw(who_and_what)
    )
    return Policy(
        version=draw(st.integers(1, 1000)),
        name=draw(texts),
        valid_from=draw(instants),
        personas=tuple(
            draw(personas(name, with_expectations=expected is not None)) for name in persona_names
        ),
        thresholds=tuple(draw(st.permutations(thresholds))),
        overrides=tuple(draw(_overrides(name)) for name in draw(st.lists(names, unique=True, max_size=2))),
        disqualifiers=tuple(
            draw(_disqualifiers(name)) for name in draw(st.lists(names, unique=True, max_size=2))
        ),
        responses=responses,
        attempts=AttemptRule(
            least=least,
            most=least + draw(st.integers(0, 10)),
            spacing_hours=draw(st.integers(0, 100)),
            channels=tuple(draw(st.lists(texts, unique=True, min_size=1, max_size=3))),
        ),
        hours=hours,
        hours_sales=own,
        hours_marketing=own if draw(st.booleans()) else None,
        clocks=draw(st.one_of(st.none(), clock_rules(responses, most_minutes))),
        routing=draw(st.one_of(st.none(), routing_rules)),
        recycling=draw(st.one_of(st.none(), recycling_rules)),
        feedback=draw(st.one_of(st.none(), feedback_rules(most_minutes))),
        rescoring=draw(st.one_of(st.none(), rescoring_rules)),
        goal=draw(st.one_of(st.none(), goals())),
        pledges=draw(st.one_of(st.none(), pledges())) if has_general_answer(responses) else None,
        capacity=draw(st.one_of(st.none(), capacities)),
        content=tuple(
            draw(
                st.lists(
                    st.builds(
                        Content,
                        persona=for_whom,
                        stage=st.sampled_from(Stage),
                        title=texts,
                        url=st.sampled_from([None, "https://example.com/a?b=c#d"]),
                    ),
                    max_size=3,
                    unique_by=lambda one: (one.persona, one.stage, one.title),
                )
            )
        ),
        least_dwell_days=draw(st.integers(0, 30)),
        score_valid_days=draw(st.integers(1, 30)),
        expected_conversion=expected,
        most_moved=draw(st.none() | st.floats(0, 1)),
    )


def has_general_answer(responses: tuple[ResponseTime, ...]) -> bool:
    """Say whether an SQL of anybody has a response time."""
    return any(one.stage is Stage.SQL and one.persona is None for one in responses)


def _overrides(name: str) -> st.SearchStrategy[Override]:
    return st.builds(
        Override,
        name=st.just(name),
        activity_kind=names,
        within_days=st.integers(1, 60),
        stage=st.sampled_from(SCORED_STAGES),
        de=texts,
        en=texts,
    )


def _disqualifiers(name: str) -> st.SearchStrategy[Disqualifier]:
    return st.builds(
        Disqualifier,
        name=st.just(name),
        conditions=st.lists(conditions(), min_size=1, max_size=2).map(tuple),
        de=texts,
        en=texts,
    )


@st.composite
def leads_of(draw: st.DrawFn, policy: Policy, now: datetime) -> ScoredLead:
    """Draw a lead of any kind, often with the attributes, actions and limits that the policy names."""
    rules = [rule for persona in policy.personas for rule in persona.rules]
    rules += [rule for one in policy.disqualifiers for rule in one.conditions]
    attributes = st.sampled_from([rule.attribute for rule in rules] or ["department"])
    values = st.one_of(st.none(), scalars, st.sampled_from([rule.values[0] for rule in rules] or ["x"]))
    limits = [limit for one in policy.thresholds for limit in (one.enter, one.exit)]
    moments = st.integers(-5000, 100_000).map(lambda minutes: now - timedelta(minutes=minutes))
    kinds = st.one_of(names, st.sampled_from([one.activity_kind for one in policy.overrides] or ["call"]))
    return ScoredLead(
        lead_id=draw(texts),
        probability=draw(st.one_of(probabilities, st.sampled_from(limits))),
        scored_at=draw(st.one_of(st.just(now), moments)),
        attributes=tuple(draw(st.lists(st.tuples(attributes, values), max_size=4))),
        activities=tuple(draw(st.lists(st.tuples(kinds, moments), max_size=4))),
        current_stage=draw(st.one_of(st.none(), st.sampled_from(Stage))),
        stage_since=draw(st.one_of(st.none(), moments)),
    )
