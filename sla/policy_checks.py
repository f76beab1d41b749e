"""How the clauses of one policy have to fit together: one function for each rule over several clauses.

What a single clause may hold is checked where it is built. Each finding names the clause by its path, so that
the reader of a file can add the line; a broken clause is simply not there and causes no second complaint.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar
from zoneinfo import ZoneInfo

from sla.business_time import OpeningHours
from sla.clauses import Content, Disqualifier, Override, ResponseTime, Threshold
from sla.clauses_feedback import FeedbackRule
from sla.clauses_pledges import CapacityRule, Pledges
from sla.clauses_work import ClockRule, RecyclingRule, RescoringRule, RoutingRule
from sla.personas import Persona
from sla.policy import Policy, PolicyHead, fits_hours, side_hours
from sla.policy_fields import NO_VALUE, did_you_mean
from sla.policy_lines import Path
from sla.stages import SCORED_STAGES, Side, Stage, owner_of

T = TypeVar("T", covariant=True)

EFFECTIVE_DATE = ("policy", "valid_from")


@dataclass(frozen=True, slots=True)
class Located(Generic[T]):
    """A clause and where it stands."""

    path: Path
    clause: T


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule over several clauses that is broken: where, which rule, by which value."""

    path: Path
    rule: str
    value: object = NO_VALUE


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """The sound clauses of a policy that may have mistakes elsewhere.

    `persona_names` are all names written down, even of personas with a mistake; `has_all_thresholds` and
    `has_all_responses` are False when one could not be read, so that nothing is said to be missing.
    `has_general_expectation` is True too when the head could not be read.
    """

    personas: tuple[Located[Persona], ...]
    persona_names: tuple[str, ...]
    thresholds: tuple[Located[Threshold], ...]
    has_all_thresholds: bool
    overrides: tuple[Located[Override], ...]
    disqualifiers: tuple[Located[Disqualifier], ...]
    responses: tuple[Located[ResponseTime], ...]
    content: tuple[Located[Content], ...]
    hours: OpeningHours | None
    has_general_expectation: bool
    hours_marketing: OpeningHours | None = None
    hours_sales: OpeningHours | None = None
    clocks: ClockRule | None = None
    routing: RoutingRule | None = None
    recycling: RecyclingRule | None = None
    feedback: FeedbackRule | None = None
    pledges: Pledges | None = None
    capacity: CapacityRule | None = None
    has_all_responses: bool = True
    rescoring: RescoringRule | None = None

    def hours_of(self, side: Side | None) -> OpeningHours | None:
        """Return the hours of a side; None when they could not be read."""
        return side_hours(self, side)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What a policy that is proposed now must fit: the instant, and the dates other versions have.

    `taken` are (version, effective instant) of the versions that are open, agreed or in force.
    """

    now: datetime
    taken: tuple[tuple[int, datetime], ...] = ()


def check_date(head: PolicyHead, hours: OpeningHours, proposal: Proposal) -> Iterator[Finding]:
    """Yield what is wrong with the effective date: a day that is over, or one another version has.

    Days are those of the zone in which the teams work; today is not over.
    """
    if head.valid_from is None:
        return
    zone = ZoneInfo(hours.zone)
    day, today = head.valid_from.astimezone(zone).date(), proposal.now.astimezone(zone).date()
    if day < today:
        rule = f"must not lie in the past (today is {today.isoformat()})"
        yield Finding(EFFECTIVE_DATE, rule, day.isoformat())
    for version, instant in proposal.taken:
        if version != head.version and instant.astimezone(zone).date() == day:
            rule = f"must not be the date of another policy: version {version} has it"
            yield Finding(EFFECTIVE_DATE, rule, day.isoformat())


def check_draft(draft: Draft) -> Iterator[Finding]:
    """Yield every rule over several clauses that the draft breaks."""
    for check in _CHECKS:
        yield from check(draft)


def check_policy(policy: Policy) -> tuple[Finding, ...]:
    """Return what does not fit together in a policy that was built by hand; empty when it all does."""
    draft = Draft(
        personas=_located("personas", policy.personas),
        persona_names=tuple(persona.name for persona in policy.personas),
        thresholds=_located("thresholds", policy.thresholds),
        has_all_thresholds=True,
        overrides=_located("overrides", policy.overrides),
        disqualifiers=_located("disqualifiers", policy.disqualifiers),
        responses=_located("responses", policy.responses),
        content=_located("content", policy.content),
        hours=policy.hours,
        has_general_expectation=policy.expected_conversion is not None,
        hours_marketing=policy.hours_marketing,
        hours_sales=policy.hours_sales,
        clocks=policy.clocks,
        routing=policy.routing,
        recycling=policy.recycling,
        feedback=policy.feedback,
        pledges=policy.pledges,
        capacity=policy.capacity,
        rescoring=policy.rescoring,
    )
    return tuple(check_draft(draft))


def _located(name: str, clauses: tuple[T, ...]) -> tuple[Located[T], ...]:
    return tuple(Located((name, index), clause) for index, clause in enumerate(clauses))


def _names_are_unique(draft: Draft) -> Iterator[Finding]:
    named: tuple[tuple[Located[Persona | Override | Disqualifier], ...], ...] = (
        draft.personas,
        draft.overrides,
        draft.disqualifiers,
    )
    for clauses in named:
        for path, name in _repeated((one.path, one.clause.name) for one in clauses):
            yield Finding((*path, "name"), "must be given only once", name)


def _clauses_are_unique(draft: Draft) -> Iterator[Finding]:
    groups: tuple[tuple[Located[Threshold | ResponseTime], ...], ...] = (draft.thresholds, draft.responses)
    for clauses in groups:
        pairs = ((one.path, _who(one.clause.stage, one.clause.persona)) for one in clauses)
        for path, who in _repeated(pairs):
            yield Finding(path, "must be agreed only once for the same stage and persona", who)
    items = ((one.path, (one.clause.title, one.clause.stage, one.clause.persona)) for one in draft.content)
    for path, (title, _stage, _persona) in _repeated(items):
        yield Finding(path, "must be listed only once for the same stage and persona", title)


def _personas_are_known(draft: Draft) -> Iterator[Finding]:
    groups: tuple[tuple[Located[Threshold | ResponseTime | Content], ...], ...] = (
        draft.thresholds,
        draft.responses,
        draft.content,
    )
    for clauses in groups:
        for one in clauses:
            name = one.clause.persona
            if name is not None and name not in draft.persona_names:
                hint = did_you_mean(name, draft.persona_names)
                yield Finding((*one.path, "persona"), f"must name a persona of this policy{hint}", name)


def _thresholds_are_there(draft: Draft) -> Iterator[Finding]:
    general = {one.clause.stage for one in draft.thresholds if one.clause.persona is None}
    for stage in SCORED_STAGES:
        if draft.has_all_thresholds and stage not in general:
            rule = f'must have a threshold for stage "{stage}" that holds for everyone (without persona)'
            yield Finding(("thresholds",), rule)


def _thresholds_rise(draft: Draft) -> Iterator[Finding]:
    """MQL lies below SQL for everyone and for each persona, once the general threshold fills the gap."""
    agreed = {(one.clause.stage, one.clause.persona): one for one in draft.thresholds}
    for persona in dict.fromkeys(persona for _stage, persona in agreed):
        mql = agreed.get((Stage.MQL, persona)) or agreed.get((Stage.MQL, None))
        sql = agreed.get((Stage.SQL, persona)) or agreed.get((Stage.SQL, None))
        if mql is not None and sql is not None:
            place = mql if mql.clause.persona == persona else sql
            yield from _pair_rises(place.path, mql.clause, sql.clause)


def _pair_rises(path: Path, mql: Threshold, sql: Threshold) -> Iterator[Finding]:
    who = "everyone" if mql.persona is None and sql.persona is None else f"{mql.persona or sql.persona}"
    if mql.enter >= sql.enter:
        rule = f"must keep the MQL enter below the SQL enter ({sql.enter}) for {who}"
        yield Finding((*path, "enter"), rule, mql.enter)
    if mql.exit > sql.exit:
        rule = f"must not have an MQL exit above the SQL exit ({sql.exit}) for {who}"
        yield Finding((*path, "exit"), rule, mql.exit)


def _responses_fit_hours(draft: Draft) -> Iterator[Finding]:
    for one in draft.responses:
        hours = draft.hours_of(owner_of(one.clause.stage))
        if hours is not None and not fits_hours(one.clause.within, hours):
            yield Finding((*one.path, "within"), "must fit into a year of opening hours", one.clause.within)
    hours = draft.hours_of(Side.SALES)
    for name in ("system_within", "escalate_after"):
        limit = getattr(draft.clocks, name, None)
        if limit is not None and hours is not None and not fits_hours(limit, hours):
            yield Finding(("clocks", name), "must fit into a year of opening hours of sales", limit)


def _reminders_come_in_time(draft: Draft) -> Iterator[Finding]:
    """Refuse a reminder that would come before the clock of the shortest response time starts."""
    due_soon = None if draft.clocks is None else draft.clocks.due_soon
    limits = [one.clause.within for one in draft.responses if one.clause.stage is Stage.SQL]
    shortest = min(limits, default=None)
    if due_soon is not None and shortest is not None and due_soon >= shortest:
        rule = f"must be shorter than every response time for SQL (shortest: {shortest})"
        yield Finding(("clocks", "due_soon"), rule, due_soon)


def _answers_fit_hours(draft: Draft) -> Iterator[Finding]:
    """Yield the times to answer for reasons and disputes that no year of hours has room for."""
    rule = draft.feedback
    limits = [] if rule is None else [("groups", one.side, one.within) for one in rule.groups]
    if rule is not None and rule.dispute_within is not None:
        limits.append(("dispute_within", rule.dispute_side, rule.dispute_within))
    for name, side, within in limits:
        hours = draft.hours_of(side)
        if hours is not None and not fits_hours(within, hours):
            yield Finding(("feedback", name), "must fit into a year of opening hours", within)


def _answers_have_a_time(draft: Draft) -> Iterator[Finding]:
    """Who promises to answer in time needs a time that holds for everyone."""
    general = any(one.clause.stage is Stage.SQL and one.clause.persona is None for one in draft.responses)
    if draft.pledges is not None and draft.has_all_responses and not general:
        rule = "must come with a response time for SQL that holds for everyone (without persona)"
        yield Finding(("pledges", "sales", "answered_in_time"), rule, draft.pledges.sales.answered_in_time)


def _expectations_have_a_general_one(draft: Draft) -> Iterator[Finding]:
    """Leads of no persona need a number too, once personas have theirs."""
    for one in draft.personas:
        if one.clause.expected_conversion is not None and not draft.has_general_expectation:
            rule = "must come with expected_conversion in [policy], which holds for leads of no persona"
            yield Finding((*one.path, "expected_conversion"), rule, one.clause.expected_conversion)


def _repeated(pairs: Iterator[tuple[Path, T]]) -> Iterator[tuple[Path, T]]:
    """Yield the second and every later place of a value."""
    seen: set[T] = set()
    for path, value in pairs:
        if value in seen:
            yield path, value
        seen.add(value)


def _who(stage: Stage, persona: str | None) -> str:
    return f"{stage} for {persona or 'everyone'}"


_CHECKS: tuple[Callable[[Draft], Iterator[Finding]], ...] = (
    _names_are_unique,
    _clauses_are_unique,
    _personas_are_known,
    _thresholds_are_there,
    _thresholds_rise,
    _responses_fit_hours,
    _expectations_have_a_general_one,
    _reminders_come_in_time,
    _answers_fit_hours,
    _answers_have_a_time,
)
