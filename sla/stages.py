"""The stages of a lead, the two sides, and which side looks after which stage: one table.

Decides no movement between stages; `sla.policy` does.
"""

from enum import StrEnum


class Side(StrEnum):
    """The two parties of the agreement."""

    MARKETING = "marketing"
    SALES = "sales"


class Stage(StrEnum):
    """Where a lead stands in the funnel."""

    LEAD = "lead"
    MQL = "mql"
    SQL = "sql"
    OPPORTUNITY = "opportunity"
    CUSTOMER = "customer"
    RECYCLED = "recycled"
    DISQUALIFIED = "disqualified"


OWNERS: tuple[tuple[Stage, Side | None], ...] = (
    (Stage.LEAD, Side.MARKETING),
    (Stage.MQL, Side.MARKETING),
    (Stage.SQL, Side.SALES),
    (Stage.OPPORTUNITY, Side.SALES),
    (Stage.CUSTOMER, Side.SALES),
    (Stage.RECYCLED, Side.MARKETING),
    (Stage.DISQUALIFIED, None),
)
"""Who looks after a lead in each stage; nobody owes a disqualified lead anything."""

SCORED_STAGES = (Stage.SQL, Stage.MQL)
"""The stages a score, an action or a response time can be agreed for, highest first."""

FINAL_STAGES = (Stage.OPPORTUNITY, Stage.CUSTOMER, Stage.DISQUALIFIED)
"""The stages only a person changes: no score, no action and no new policy moves a lead out of them."""

_OWNER_OF = dict(OWNERS)


def owner_of(stage: Stage) -> Side | None:
    """Return the side that looks after a lead in this stage, or None."""
    return _OWNER_OF[stage]


def rank(stage: Stage) -> int:
    """Return how far a stage the score decides lies up the funnel: lead and recycled 0, MQL 1, SQL 2."""
    return {Stage.SQL: 2, Stage.MQL: 1}.get(stage, 0)
