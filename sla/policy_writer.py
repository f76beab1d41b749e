"""Policy -> TOML, in the one form that has a hash. Reading it back gives an equal policy.

Decides the order of sections and keys; values keep the order the policy gives them, because the order of
personas and clauses has a meaning.
"""

import json
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta

from sla.business_time import WEEKDAYS, OpenDay, OpeningHours
from sla.clauses import HOURS_PER_BUSINESS_DAY, ON_SIGNATURE
from sla.clauses_feedback import FeedbackRule, Reason
from sla.clauses_pledges import Pledges
from sla.clauses_work import RoutingRule
from sla.goal import Goal, Period
from sla.personas import Condition, Operator, Persona, Scalar
from sla.policy import Policy
from sla.public_holidays import PublicHolidays

Pairs = Iterable[tuple[str, str | None]]
PLEDGE_KEYS = (
    ("marketing", ("stage", "leads", "expected_wins")),
    ("sales", ("answered_in_time", "least_attempts", "followed_up")),
)
CAPACITY_KEYS = ("hours_per_week", "hours_per_sql", "hours_per_attempt")


def write_policy(policy: Policy) -> str:
    """Return the policy as TOML; `read_policy` gives back an equal policy."""
    return "\n".join("\n".join(section) + "\n" for section in _sections(policy))


def write_persona(persona: Persona) -> str:
    """Return one persona as a table of a policy file."""
    return "\n".join(_section("[[personas]]", _persona(persona))) + "\n"


def duration_text(duration: timedelta) -> str:
    """Return whole minutes of open time in the largest unit that fits exactly: "2 d", "4 h", "90 min"."""
    minutes = duration // timedelta(minutes=1)
    if minutes % (HOURS_PER_BUSINESS_DAY * 60) == 0:
        return f"{minutes // (HOURS_PER_BUSINESS_DAY * 60)} d"
    return f"{minutes // 60} h" if minutes % 60 == 0 else f"{minutes} min"


def _sections(policy: Policy) -> Iterator[list[str]]:
    yield _section("[policy]", _head(policy))
    for name in ("hours", "hours_marketing", "hours_sales"):
        if getattr(policy, name) is not None:
            yield _section(f"[{name}]", _hours(getattr(policy, name)))
    for persona in policy.personas:
        yield _section("[[personas]]", _persona(persona))
    for threshold in policy.thresholds:
        numbers = (("enter", _scalar(threshold.enter)), ("exit", _scalar(threshold.exit)))
        yield _section("[[thresholds]]", (*_for_whom(threshold.stage, threshold.persona), *numbers))
    for override in policy.overrides:
        names = ("name", "activity_kind", "within_days", "stage", "de", "en")
        yield _section("[[overrides]]", ((name, _scalar(getattr(override, name))) for name in names))
    for disqualifier in policy.disqualifiers:
        words = ((name, _scalar(getattr(disqualifier, name))) for name in ("name", "de", "en"))
        conditions = _list(_condition(one) for one in disqualifier.conditions)
        yield _section("[[disqualifiers]]", (*words, ("conditions", conditions)))
    for response in policy.responses:
        within = ("within", _scalar(duration_text(response.within)))
        yield _section("[[responses]]", (*_for_whom(response.stage, response.persona), within))
    yield _section("[attempts]", _attempts(policy))
    yield from _work(policy)
    if policy.feedback is not None:
        yield from _feedback(policy.feedback)
    for content in policy.content:
        item = (("title", _scalar(content.title)), ("url", _optional(content.url)))
        yield _section("[[content]]", (*_for_whom(content.stage, content.persona), *item))
    if policy.goal is not None:
        yield _section("[goal]", _goal(policy.goal))
    if policy.pledges is not None:
        yield from _pledges(policy.pledges)
    if policy.capacity is not None:
        hours = ((name, _scalar(getattr(policy.capacity, name))) for name in CAPACITY_KEYS)
        yield _section("[capacity]", hours)


def _pledges(pledges: Pledges) -> Iterator[list[str]]:
    yield _section("[pledges]", (("period", _scalar(pledges.period)),))
    for name, keys in PLEDGE_KEYS:
        side = getattr(pledges, name)
        yield _section(f"[pledges.{name}]", ((key, _optional(getattr(side, key))) for key in keys))


def _goal(goal: Goal) -> Pairs:
    for name in ("de", "en", "metric"):
        yield name, _scalar(getattr(goal, name))
    yield "baseline", _period(goal.baseline)
    yield "period", _period(goal.period)
    yield "target_relative", _optional(goal.target_relative)
    yield "target_points", _optional(goal.target_points)
    for name in ("power", "reward_de", "reward_en"):
        yield name, _scalar(getattr(goal, name))


def _period(period: Period) -> str:
    return f"{{ first = {period.first.isoformat()}, last = {period.last.isoformat()} }}"


def _section(header: str, pairs: Pairs) -> list[str]:
    return [header, *(f"{key} = {value}" for key, value in pairs if value is not None)]


def _head(policy: Policy) -> Pairs:
    yield "version", _scalar(policy.version)
    yield "name", _scalar(policy.name)
    yield "valid_from", _scalar(ON_SIGNATURE) if policy.valid_from is None else _instant(policy.valid_from)
    yield "least_dwell_days", _scalar(policy.least_dwell_days)
    yield "score_valid_days", _scalar(policy.score_valid_days)
    yield "expected_conversion", _optional(policy.expected_conversion)
    yield "most_moved", _optional(policy.most_moved)


def _hours(hours: OpeningHours) -> Pairs:
    yield "zone", _scalar(hours.zone)
    for name, openings in zip(WEEKDAYS, hours.weekdays, strict=True):
        yield name, _list(_scalar(opening.text) for opening in openings)
    yield "holidays", _list(day.isoformat() for day in sorted(hours.holidays))
    if hours.open_days:
        yield "open_days", _list(_open_day(one) for one in hours.open_days)
    if hours.public is not None:
        yield from _public(hours.public)


def _open_day(one: OpenDay) -> str:
    openings = ", ".join(_scalar(opening.text) for opening in one.openings)
    return f"{{ date = {one.date.isoformat()}, openings = [{openings}] }}"


def _public(public: PublicHolidays) -> Pairs:
    yield "country", _scalar(public.country)
    yield "region", _optional(public.region)
    if public.holiday_kinds:
        yield "holiday_kinds", _list(_scalar(kind) for kind in public.holiday_kinds)
    if public.public_holidays is not None:
        yield "public_holidays", _list(day.isoformat() for day in sorted(public.public_holidays))
    if public.holiday_years is not None:
        yield "holiday_years", f"[{', '.join(str(year) for year in public.holiday_years)}]"


def _work(policy: Policy) -> Iterator[list[str]]:
    """Write the sections about work on a lead that are agreed; a policy without them has its old form."""
    if policy.clocks is not None:
        names = ("system_within", "due_soon", "escalate_after")
        limits = ((name, getattr(policy.clocks, name)) for name in names)
        texts = ((name, None if limit is None else _scalar(duration_text(limit))) for name, limit in limits)
        yield _section("[clocks]", texts)
    if policy.routing is not None:
        yield _section("[routing]", _routing(policy.routing))
    if policy.recycling is not None:
        yield _section("[recycling]", (("cool_off_days", _scalar(policy.recycling.cool_off_days)),))
    if policy.rescoring is not None:
        numbers = ((name, getattr(policy.rescoring, name)) for name in ("every_hours", "step_points"))
        yield _section("[rescoring]", ((name, _scalar(number)) for name, number in numbers))


def _feedback(rule: FeedbackRule) -> Iterator[list[str]]:
    yield _section("[feedback]", _feedback_head(rule))
    for group in rule.groups:
        names = (("group", group.group), ("side", group.side), ("person", group.person))
        within = ("within", _scalar(duration_text(group.within)))
        yield _section("[[feedback.groups]]", (*((name, _scalar(value)) for name, value in names), within))
    for reason in rule.reasons:
        yield _section("[[feedback.reasons]]", _reason(reason))
    for objection in rule.objections:
        names_of = ((name, _scalar(getattr(objection, name))) for name in ("code", "de", "en"))
        yield _section("[[feedback.objections]]", names_of)


def _feedback_head(rule: FeedbackRule) -> Pairs:
    yield "look_back_days", _scalar(rule.look_back_days)
    yield "source_attribute", _optional(rule.source_attribute)
    yield "dispute_side", _scalar(rule.dispute_side)
    within = rule.dispute_within
    yield "dispute_within", None if within is None else _scalar(duration_text(within))


def _reason(reason: Reason) -> Pairs:
    for name in ("code", "group", "de", "en"):
        yield name, _scalar(getattr(reason, name))
    yield "matches", _list(_scalar(text) for text in reason.matches) if reason.matches else None
    yield "bad_data", _scalar(reason.bad_data) if reason.bad_data else None


def _routing(routing: RoutingRule) -> Pairs:
    yield "by", _scalar(routing.by)
    yield "people", _list(_scalar(person) for person in routing.people)
    yield "most_open", None if routing.most_open is None else _scalar(routing.most_open)
    yield "overflow", _scalar(routing.overflow)


def _persona(persona: Persona) -> Pairs:
    for name in ("name", "de", "en", "owner_marketing", "owner_sales"):
        yield name, _scalar(getattr(persona, name))
    yield "expected_conversion", _optional(persona.expected_conversion)
    pains = (f"{{ de = {_scalar(pain.de)}, en = {_scalar(pain.en)} }}" for pain in persona.pains)
    yield "pains", _list(pains)
    yield "rules", _list(_condition(rule) for rule in persona.rules)


def _attempts(policy: Policy) -> Pairs:
    for name in ("least", "most", "spacing_hours"):
        yield name, _scalar(getattr(policy.attempts, name))
    yield "channels", _list(_scalar(channel) for channel in policy.attempts.channels)


def _for_whom(stage: str, persona: str | None) -> tuple[tuple[str, str | None], ...]:
    return ("stage", _scalar(stage)), ("persona", _optional(persona))


def _condition(condition: Condition) -> str:
    values = [_scalar(value) for value in condition.values]
    value = f"[{', '.join(values)}]" if condition.operator is Operator.IN else values[0]
    return f"{{ attribute = {_scalar(condition.attribute)}, {condition.operator} = {value} }}"


def _list(items: Iterable[str]) -> str:
    written = list(items)
    return (
        "[" + "".join(f"\n    {item}," for item in written) + "\n]"
        if len(written) > 1
        else f"[{''.join(written)}]"
    )


def _optional(value: Scalar | None) -> str | None:
    return None if value is None else _scalar(value)


def _scalar(value: Scalar) -> str:
    """Write one value; equal numbers are written alike, so that equal policies have one hash."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
    return str(int(value)) if value == int(value) else repr(value)


def _instant(instant: datetime | date) -> str:
    return instant.isoformat()
