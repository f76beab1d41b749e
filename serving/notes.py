"""Sellers' notes: what a lead objects to and which content was used, tagged to persona and stage.

Decides what is stored with a note: the lead's persona unless another is named, and the stage it was in.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from serving.db.tables_feedback import NoteRow
from serving.db.tables_leads import LeadRow
from serving.errors import ActProblem
from serving.lead_work import state_of
from serving.reasons import Agreed
from sla.lifecycle import stage_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Tags:
    """What a note is tagged to; None: not said, and the lead's persona."""

    objection: str | None = None
    content: str | None = None
    persona: str | None = None

    @property
    def is_empty(self) -> bool:
        """True when nothing makes a note of it."""
        return self.objection is None and self.content is None


NO_TAGS = Tags()


def tag_problems(agreed: Agreed, tags: Tags) -> Iterator[ActProblem]:
    """Yield what the agreement in force does not know: an objection or a persona."""
    if tags.objection is not None and (agreed.rule is None or agreed.rule.objection(tags.objection) is None):
        known = [] if agreed.rule is None else [one.code for one in agreed.rule.objections]
        yield ActProblem(field="objection", rule=_must_be("an objection", known), value=tags.objection)
    personas = [] if agreed.policy is None else [one.name for one in agreed.policy.personas]
    if tags.persona is not None and tags.persona not in personas:
        yield ActProblem(field="persona", rule=_must_be("a persona", personas), value=tags.persona)


def add_note(
    session: Session,
    lead: LeadRow,
    tags: Tags,
    *,
    note_id: str,
    text: str | None,
    by: str,
    at: datetime,
    now: datetime,
    attempt_id: str | None = None,
) -> NoteRow:
    """Store a note with the persona and the stage of its lead."""
    row = NoteRow(
        note_id=note_id,
        lead_id=lead.lead_id,
        attempt_id=attempt_id,
        occurred_at=at,
        recorded_at=now,
        by=by,
        text=text,
        persona=tags.persona or lead.persona,
        stage=stage_at(state_of(session, lead), at).value,
        objection=tags.objection,
        content=tags.content,
    )
    session.add(row)
    session.flush()
    return row


def made_note_id(*parts: object) -> str:
    """Return the id of a note that was sent without one: the same note again has the same."""
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()[:32]


def _must_be(thing: str, known: list[str]) -> str:
    if not known:
        return f"must be {thing} of the agreement in force, which lists none"
    return f"must be {thing} of the agreement in force: {', '.join(known)}"
