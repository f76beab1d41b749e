"""Every row of the database that is about one lead, found by the columns that say so.

A table is about a lead when it names one (`lead_id`), a handover (`handover_id`) or a message (`position`): a
new table with such a column is exported and erased without being listed anywhere.
"""

from collections.abc import Iterator
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Table, delete, or_, select, update
from sqlalchemy.orm import Session

from serving.db.tables import Base
from serving.db.tables_feedback import DisputeRow, FeedbackAnswerRow, MissedAnswerRow
from serving.db.tables_leads import DealRow, HandoverRow
from serving.db.tables_messages import KeptAnswerRow, MessageRow
from serving.ends import deal_end_id, handover_end_id

PARENTS = (
    ("handover_id", HandoverRow.handover_id, HandoverRow),
    ("position", MessageRow.position, MessageRow),
)


def lead_tables() -> tuple[Table, ...]:
    """Return the tables that are about leads, those that others point to last."""
    return tuple(
        table
        for table in reversed(Base.metadata.sorted_tables)
        if "lead_id" in table.c or any(name in table.c for name, _, _ in PARENTS)
    )


def rows_of_lead(session: Session, lead_id: str) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Yield the name of each table with its rows about a lead, where there are any."""
    for table in reversed(lead_tables()):
        found = session.execute(select(table).where(_is_about(table, lead_id))).mappings()
        rows = [{str(name): value for name, value in row.items()} for row in found]
        if rows:
            yield str(table.name), rows


def delete_rows_of_lead(session: Session, lead_id: str) -> dict[str, int]:
    """Delete every row about a lead; return how many went per table."""
    _blank_answers(session, lead_id)
    _forget_ends(session, lead_id)
    counts = {}
    for table in lead_tables():
        gone = delete(table).where(_is_about(table, lead_id)).returning(*table.primary_key.columns)
        counts[table.name] = len(session.execute(gone).all())
    return {name: count for name, count in counts.items() if count}


def _is_about(table: Table, lead_id: str) -> ColumnElement[bool]:
    if "lead_id" in table.c:
        return table.c.lead_id == lead_id
    for name, column, parent in PARENTS:
        if name in table.c:
            return table.c[name].in_(select(column).where(parent.lead_id == lead_id))
    raise LookupError(f"{table.name} is not about leads")


def _blank_answers(session: Session, lead_id: str) -> None:
    """Blank kept answers that name the lead or one of its handovers: who repeats the request learns why."""
    handovers = session.scalars(select(HandoverRow.handover_id).where(HandoverRow.lead_id == lead_id)).all()
    named = [msgspec.json.encode(name).decode() for name in (lead_id, *handovers)]
    says_it = or_(*(KeptAnswerRow.answer.contains(text, autoescape=True) for text in named))
    session.execute(update(KeptAnswerRow).where(says_it).values(answer=None))


def _forget_ends(session: Session, lead_id: str) -> None:
    """Keep what a team answered about a group of reasons, but not which end of this lead had asked."""
    deals, handovers, disputes = (
        session.scalars(select(column).where(lead == lead_id)).all()
        for column, lead in (
            (DealRow.deal_id, DealRow.lead_id),
            (HandoverRow.handover_id, HandoverRow.lead_id),
            (DisputeRow.dispute_id, DisputeRow.lead_id),
        )
    )
    ends = (*map(deal_end_id, deals), *map(handover_end_id, handovers))
    session.execute(delete(MissedAnswerRow).where(MissedAnswerRow.subject_id.in_((*ends, *disputes))))
    asked = FeedbackAnswerRow.question_id.in_(ends)
    session.execute(update(FeedbackAnswerRow).where(asked).values(question_id=""))
