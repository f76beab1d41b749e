"""The section [feedback] of a policy file: TOML tables -> closing feedback.

Decides which keys exist. What they may hold is decided by `sla.clauses_feedback`.
"""

from collections.abc import Callable
from typing import TypeVar

from sla.clauses_feedback import USUAL_LOOK_BACK_DAYS, FeedbackGroup, FeedbackRule, Objection, Reason
from sla.handover import ReasonGroup
from sla.policy_fields import DURATION, FLAG, TEXT, TEXTS, WHOLE, Kind, TableReader, one_of
from sla.stages import Side

T = TypeVar("T")

_GROUP: Kind[ReasonGroup] = one_of(ReasonGroup, ReasonGroup.DATA)
_SIDE: Kind[Side] = one_of(Side, Side.MARKETING)


def read_feedback(table: TableReader) -> FeedbackRule | None:
    """Return what is agreed about closing feedback, or None when anything in it is wrong and reported."""
    feedback = table.build(
        FeedbackRule,
        groups=_read_list(table, "groups", _read_group),
        reasons=_read_list(table, "reasons", _read_reason),
        objections=_read_list(table, "objections", _read_objection),
        look_back_days=table.get("look_back_days", WHOLE, USUAL_LOOK_BACK_DAYS),
        source_attribute=table.maybe("source_attribute", TEXT),
        dispute_side=table.get("dispute_side", _SIDE, Side.MARKETING),
        dispute_within=table.maybe("dispute_within", DURATION),
    )
    table.close()
    return feedback


def _read_list(table: TableReader, key: str, read: Callable[[TableReader], T | None]) -> tuple[T, ...]:
    """Read tables inside the section; a mistake in one is a mistake in the section."""
    found = []
    for inner in table.tables(key):
        one = read(inner)
        inner.close()
        if one is None:
            table.spoil(key)
        else:
            found.append(one)
    return tuple(found)


def _read_group(table: TableReader) -> FeedbackGroup | None:
    return table.build(
        FeedbackGroup,
        group=table.need("group", _GROUP),
        side=table.need("side", _SIDE),
        person=table.need("person", TEXT),
        within=table.need("within", DURATION),
    )


def _read_reason(table: TableReader) -> Reason | None:
    return table.build(
        Reason,
        code=table.need("code", TEXT),
        group=table.need("group", _GROUP),
        de=table.need("de", TEXT),
        en=table.need("en", TEXT),
        matches=table.get("matches", TEXTS, ()),
        bad_data=table.get("bad_data", FLAG, default=False),
    )


def _read_objection(table: TableReader) -> Objection | None:
    return table.build(
        Objection, code=table.need("code", TEXT), de=table.need("de", TEXT), en=table.need("en", TEXT)
    )
