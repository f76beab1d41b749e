"""Put a lead: its attributes as the CRM knows them, each with the instant since when."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from features.errors import LeadPactError
from features.history.store import History
from serving.db.inserts import insert_new
from serving.db.tables_leads import LeadAttributeRow, LeadRow
from serving.lead_marks import UNKEYED, LeadMarks
from serving.lead_scoring import Cause
from serving.lead_work import Standing
from serving.operations.record_changes import Note, Stored, record_change
from serving.scorer import Scorer


@dataclass(frozen=True, slots=True, kw_only=True)
class PutLead:
    """The attributes of a lead since `changed_at`, as they were sent.

    The same again changes nothing but the score. Attributes that are not given stay as they are. Of two
    values for one instant the greater text stays, so that the order of arrival does not matter.
    """

    lead_id: str
    attributes: Mapping[str, object]
    created_at: datetime | None
    changed_at: datetime
    by: str

    @property
    def lead_ids(self) -> frozenset[str]:
        """The one lead."""
        return frozenset({self.lead_id})

    @property
    def creates_leads(self) -> bool:
        """A lead begins with it."""
        return True

    def refusal(self, _session: Session, *, now: datetime) -> LeadPactError | None:  # noqa: ARG002 - one face
        """Nothing of it can break the agreement."""
        return None

    @classmethod
    def store_all(
        cls, session: Session, changes: Sequence[Self], leads: Mapping[str, LeadRow], *, now: datetime
    ) -> list[Stored]:
        """Store the attributes; the earliest created_at that was ever sent counts."""
        return [one.store(session, leads[one.lead_id], now) for one in changes]

    def store(self, session: Session, lead: LeadRow, now: datetime) -> Stored:
        """Store the attributes of one lead."""
        if self.created_at is not None:
            lead.created_at = min(lead.created_at, self.created_at)
        _put(session, self, now)
        return Stored(
            causes={self.lead_id: Cause(at=self.changed_at)}, counts={"attributes": sorted(self.attributes)}
        )

    def note(self, _stored: Stored, marks: LeadMarks) -> Note:
        """Name the lead."""
        return Note(act="lead.put", who=self.by, what=marks.name(self.lead_id))


def put_lead(
    database: Engine,
    lead_id: str,
    attributes: Mapping[str, object],
    *,
    created_at: datetime | None,
    changed_at: datetime,
    history: History,
    scorer: Scorer | None,
    by: str,
    now: datetime,
    marks: LeadMarks = UNKEYED,
) -> Standing:
    """Store attributes since `changed_at`, score the lead, and return where it stands."""
    change = PutLead(
        lead_id=lead_id, attributes=attributes, created_at=created_at, changed_at=changed_at, by=by
    )
    return record_change(database, change, history=history, scorer=scorer, now=now, marks=marks).leads[0]


def _put(session: Session, change: PutLead, now: datetime) -> None:
    texts = {
        name: json.dumps(value, ensure_ascii=False, sort_keys=True)
        for name, value in change.attributes.items()
    }
    table = LeadAttributeRow
    query = select(table).where(table.lead_id == change.lead_id, table.changed_at == change.changed_at)
    known = {row.attribute: row for row in session.scalars(query)}
    key = {"lead_id": change.lead_id, "changed_at": change.changed_at, "recorded_at": now}
    new = [{**key, "attribute": name, "value": text} for name, text in texts.items() if name not in known]
    insert_new(session, table, new, "lead_id", "attribute", "changed_at")
    for name in known.keys() & texts.keys():
        if known[name].value < texts[name]:
            known[name].value, known[name].recorded_at = texts[name], now
