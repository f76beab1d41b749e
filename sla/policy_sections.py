"""The sections of a policy file and the keys of each: TOML tables -> clauses, every mistake reported.

Decides which keys exist. What they may hold is decided by the clauses and by `sla.policy_checks`.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, time
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from sla.business_time import OpeningHours
from sla.clauses import AttemptRule, Content, Disqualifier, Override, ResponseTime, Threshold
from sla.clauses_work import ClockRule, Overflow, RecyclingRule, RescoringRule, RouteBy, RoutingRule
from sla.goal import Goal
from sla.personas import Condition, Operator, Persona, Scalar
from sla.policy import Policy, PolicyHead
from sla.policy_checks import Draft, Located, Proposal, check_date, check_draft
from sla.policy_feedback import read_feedback
from sla.policy_fields import (
    DURATION,
    EFFECTIVE,
    NUMBER,
    STAGE,
    TEXT,
    TEXTS,
    WHOLE,
    Kind,
    Reading,
    TableReader,
    one_of,
)
from sla.policy_goal import read_goal
from sla.policy_hours import read_hours
from sla.policy_pledges import read_capacity, read_pledges
from sla.texts import Text

T = TypeVar("T")


def _read_scalar(value: object) -> Scalar | None:
    return value if isinstance(value, (str, int, float)) else None


_ROUTE_BY: Kind[RouteBy] = one_of(RouteBy, RouteBy.ROUND_ROBIN)
_OVERFLOW: Kind[Overflow] = one_of(Overflow, Overflow.HOLD)
_SCALAR: Kind[Scalar] = Kind("must be a text, a number, true or false", _read_scalar, "-")


def read_sections(
    values: Mapping[str, Any], reading: Reading, proposal: Proposal | None = None
) -> Policy | None:
    """Read every section; None when there is any problem, all of which `reading` then holds.

    With a `proposal` the effective date is held against the calendar and the other policies, too.
    """
    root = TableReader(reading, (), values)
    hours = read_hours(root.table("hours"))
    head = _read_head(root.table("policy"), zone="UTC" if hours is None else hours.zone)
    attempts = _read_attempts(root.table("attempts"))
    thresholds = _read_all(root, "thresholds", _read_threshold)
    responses = _read_all(root, "responses", _read_response)
    draft = Draft(
        personas=_read_all(root, "personas", _read_persona),
        persona_names=_written_names(values.get("personas")),
        thresholds=thresholds,
        has_all_thresholds=_are_all(thresholds, values.get("thresholds", [])),
        overrides=_read_all(root, "overrides", _read_override),
        disqualifiers=_read_all(root, "disqualifiers", _read_disqualifier),
        responses=responses,
        content=_read_all(root, "content", _read_content),
        hours=hours,
        has_general_expectation=head is None or head.expected_conversion is not None,
        hours_marketing=_read_section(root, "hours_marketing", read_hours),
        hours_sales=_read_section(root, "hours_sales", read_hours),
        clocks=_read_section(root, "clocks", _read_clocks),
        routing=_read_section(root, "routing", _read_routing),
        recycling=_read_section(root, "recycling", _read_recycling),
        feedback=_read_section(root, "feedback", read_feedback),
        pledges=_read_section(root, "pledges", read_pledges),
        capacity=_read_section(root, "capacity", read_capacity),
        has_all_responses=_are_all(responses, values.get("responses", [])),
        rescoring=_read_section(root, "rescoring", _read_rescoring),
    )
    goal = _read_section(root, "goal", read_goal)
    root.close()
    for finding in check_draft(draft):
        reading.report(finding.path, finding.rule, finding.value)
    if proposal is not None and head is not None and hours is not None:
        for finding in check_date(head, hours, proposal):
            reading.report(finding.path, finding.rule, finding.value)
    if reading.problems or head is None or hours is None or attempts is None:
        return None
    return _assemble(head, attempts, hours, goal, draft)


def _assemble(
    head: PolicyHead, attempts: AttemptRule, hours: OpeningHours, goal: Goal | None, draft: Draft
) -> Policy:
    return Policy(
        version=head.version,
        name=head.name,
        valid_from=head.valid_from,
        least_dwell_days=head.least_dwell_days,
        score_valid_days=head.score_valid_days,
        expected_conversion=head.expected_conversion,
        most_moved=head.most_moved,
        personas=_clauses(draft.personas),
        thresholds=_clauses(draft.thresholds),
        overrides=_clauses(draft.overrides),
        disqualifiers=_clauses(draft.disqualifiers),
        responses=_clauses(draft.responses),
        attempts=attempts,
        hours=hours,
        content=_clauses(draft.content),
        hours_marketing=draft.hours_marketing,
        hours_sales=draft.hours_sales,
        clocks=draft.clocks,
        routing=draft.routing,
        recycling=draft.recycling,
        feedback=draft.feedback,
        rescoring=draft.rescoring,
        goal=goal,
        pledges=draft.pledges,
        capacity=draft.capacity,
    )


def _clauses(located: tuple[Located[T], ...]) -> tuple[T, ...]:
    return tuple(one.clause for one in located)


def _read_all(root: TableReader, key: str, read: Callable[[TableReader], T | None]) -> tuple[Located[T], ...]:
    """Read an array of tables; those with a mistake are left out."""
    found = []
    for table in root.tables(key):
        clause = read(table)
        table.close()
        if clause is not None:
            found.append(Located(table.path, clause))
    return tuple(found)


def _are_all(found: tuple[Located[T], ...], written: object) -> bool:
    return isinstance(written, list) and len(found) == len(written)


def _written_names(tables: object) -> tuple[str, ...]:
    """Return every persona name in the text, so that a mistake elsewhere in a persona hides no name."""
    written = tables if isinstance(tables, list) else []
    names = [table.get("name") for table in written if isinstance(table, dict)]
    return tuple(name for name in names if isinstance(name, str))


def _read_head(table: TableReader, *, zone: str) -> PolicyHead | None:
    valid_from = _effective(table.need("valid_from", EFFECTIVE), zone)
    head = table.build(
        PolicyHead,
        version=table.need("version", WHOLE),
        name=table.need("name", TEXT),
        valid_from=valid_from,
        least_dwell_days=table.need("least_dwell_days", WHOLE),
        score_valid_days=table.need("score_valid_days", WHOLE),
        expected_conversion=table.maybe("expected_conversion", NUMBER),
        most_moved=table.maybe("most_moved", NUMBER),
    )
    table.close()
    return head


def _effective(written: date | str, zone: str) -> datetime | None:
    """Return the instant an effective date means: midnight in the zone of the hours; None on signature."""
    if isinstance(written, str):
        return None
    return written if isinstance(written, datetime) else datetime.combine(written, time(), ZoneInfo(zone))


def _read_attempts(table: TableReader) -> AttemptRule | None:
    attempts = table.build(
        AttemptRule,
        least=table.need("least", WHOLE),
        most=table.need("most", WHOLE),
        spacing_hours=table.need("spacing_hours", WHOLE),
        channels=table.need("channels", TEXTS),
    )
    table.close()
    return attempts


def _read_section(root: TableReader, key: str, read: Callable[[TableReader], T | None]) -> T | None:
    """Read a section that may be left out."""
    return read(root.table(key)) if root.has(key) else None


def _read_clocks(table: TableReader) -> ClockRule | None:
    clocks = table.build(
        ClockRule,
        system_within=table.maybe("system_within", DURATION),
        due_soon=table.maybe("due_soon", DURATION),
        escalate_after=table.maybe("escalate_after", DURATION),
    )
    table.close()
    return clocks


def _read_routing(table: TableReader) -> RoutingRule | None:
    routing = table.build(
        RoutingRule,
        by=table.need("by", _ROUTE_BY),
        people=table.need("people", TEXTS),
        most_open=table.maybe("most_open", WHOLE),
        overflow=table.get("overflow", _OVERFLOW, Overflow.HOLD),
    )
    table.close()
    return routing


def _read_recycling(table: TableReader) -> RecyclingRule | None:
    recycling = table.build(RecyclingRule, cool_off_days=table.need("cool_off_days", WHOLE))
    table.close()
    return recycling


def _read_rescoring(table: TableReader) -> RescoringRule | None:
    rescoring = table.build(
        RescoringRule,
        every_hours=table.need("every_hours", WHOLE),
        step_points=table.need("step_points", WHOLE),
    )
    table.close()
    return rescoring


def _read_persona(table: TableReader) -> Persona | None:
    return table.build(
        Persona,
        name=table.need("name", TEXT),
        de=table.need("de", TEXT),
        en=table.need("en", TEXT),
        pains=tuple(_read_inside(table, "pains", _read_pain)),
        owner_marketing=table.need("owner_marketing", TEXT),
        owner_sales=table.need("owner_sales", TEXT),
        rules=tuple(_read_inside(table, "rules", _read_condition)),
        expected_conversion=table.maybe("expected_conversion", NUMBER),
    )


def _read_inside(table: TableReader, key: str, read: Callable[[TableReader], T | None]) -> Iterator[T]:
    """Read a list of inline tables of one clause; a mistake in one is a mistake in the clause."""
    for inner in table.tables(key):
        clause = read(inner)
        inner.close()
        if clause is None:
            table.spoil(key)
        else:
            yield clause


def _read_pain(table: TableReader) -> Text | None:
    return table.build(Text, de=table.need("de", TEXT), en=table.need("en", TEXT))


def _read_condition(table: TableReader) -> Condition | None:
    """Read one condition: the attribute and exactly one comparison."""
    attribute = table.need("attribute", TEXT)
    written = [operator for operator in Operator if table.has(operator)]
    if len(written) != 1:
        table.fail("attribute", f"must come with exactly one of {', '.join(Operator)}", len(written))
        return None
    operator = written[0]
    return table.build(
        Condition, attribute=attribute, operator=operator, values=_read_values(table, operator)
    )


def _read_values(table: TableReader, operator: Operator) -> tuple[Scalar, ...]:
    if operator is not Operator.IN:
        return (table.need(operator, _SCALAR),)
    items = table.items(operator, of="texts, numbers, true or false")
    return tuple(table.read_item(operator, (index,), item, _SCALAR) for index, item in enumerate(items))


def _read_threshold(table: TableReader) -> Threshold | None:
    return table.build(
        Threshold,
        stage=table.need("stage", STAGE),
        persona=table.maybe("persona", TEXT),
        enter=table.need("enter", NUMBER),
        exit=table.need("exit", NUMBER),
    )


def _read_override(table: TableReader) -> Override | None:
    return table.build(
        Override,
        name=table.need("name", TEXT),
        activity_kind=table.need("activity_kind", TEXT),
        within_days=table.need("within_days", WHOLE),
        stage=table.need("stage", STAGE),
        de=table.need("de", TEXT),
        en=table.need("en", TEXT),
    )


def _read_disqualifier(table: TableReader) -> Disqualifier | None:
    return table.build(
        Disqualifier,
        name=table.need("name", TEXT),
        conditions=tuple(_read_inside(table, "conditions", _read_condition)),
        de=table.need("de", TEXT),
        en=table.need("en", TEXT),
    )


def _read_response(table: TableReader) -> ResponseTime | None:
    return table.build(
        ResponseTime,
        stage=table.need("stage", STAGE),
        persona=table.maybe("persona", TEXT),
        within=table.need("within", DURATION),
    )


def _read_content(table: TableReader) -> Content | None:
    return table.build(
        Content,
        persona=table.maybe("persona", TEXT),
        stage=table.need("stage", STAGE),
        title=table.need("title", TEXT),
        url=table.maybe("url", TEXT),
    )
