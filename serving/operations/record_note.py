"""Record what a seller noted about a lead, tagged to persona, objection and content."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine

from features.history.store import History
from serving.db.audited import audited_transaction
from serving.db.tables_feedback import NoteRow
from serving.errors import UnknownLeadError
from serving.lead_book import lead_rows
from serving.lead_marks import UNKEYED, LeadMarks, refuse_erased
from serving.leads import unknown_leads
from serving.notes import Tags, add_note, made_note_id, tag_problems
from serving.reasons import agreed_now, refuse_not_agreed


@dataclass(frozen=True, slots=True, kw_only=True)
class NewNote:
    """A note as it was sent; `note_id` None: made from lead, time, words and tags."""

    lead_id: str
    tags: Tags
    text: str | None
    at: datetime
    note_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteView:
    """A note as it is stored; the order of the fields is the order in JSON."""

    note_id: str
    lead_id: str
    attempt_id: str
    occurred_at: datetime
    by: str
    text: str
    persona: str
    stage: str
    objection: str
    content: str


def record_note(
    database: Engine,
    history: History,
    new: NewNote,
    *,
    by: str,
    now: datetime,
    marks: LeadMarks = UNKEYED,
) -> NoteView:
    """Store a note of a known lead; the same id again is the note already there.

    Raises `UnknownLeadError`, `ErasedLeadError`, and `NotAgreedError` for an objection or a persona the
    agreement does not list.
    """
    with audited_transaction(database, now=now) as work:
        session, tags = work.session, new.tags
        refuse_erased(session, [new.lead_id], marks)
        if unknown_leads(session.connection(), history, [new.lead_id]):
            raise UnknownLeadError(new.lead_id)
        parts = (new.lead_id, new.at, new.text, tags.objection, tags.content, tags.persona)
        note_id = new.note_id or made_note_id(*parts)
        row = session.get(NoteRow, note_id)
        if row is None:
            refuse_not_agreed(tag_problems(agreed_now(session, now=now), tags))
            lead = lead_rows(session, history, [new.lead_id], now=now)[new.lead_id]
            row = add_note(session, lead, tags, note_id=note_id, text=new.text, by=by, at=new.at, now=now)
            after = {"objection": row.objection, "content": row.content}
            work.note("note.recorded", who=by, what=marks.name(new.lead_id), after=after)
        return _view(row)


def _view(row: NoteRow) -> NoteView:
    return NoteView(
        note_id=row.note_id,
        lead_id=row.lead_id,
        attempt_id=row.attempt_id or "",
        occurred_at=row.occurred_at,
        by=row.by,
        text=row.text or "",
        persona=row.persona or "",
        stage=row.stage,
        objection=row.objection or "",
        content=row.content or "",
    )
