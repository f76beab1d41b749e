"""Record what leads did: once per id; each lead is scored once, all in one transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Self

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from features.errors import LeadPactError
from features.history.store import History
from serving.db.inserts import replace_rows
from serving.db.tables_leads import ActivityRow, LeadRow
from serving.lead_marks import UNKEYED, LeadMarks
from serving.lead_scoring import Cause
from serving.operations.record_changes import Note, Recorded, Stored, record_change
from serving.scorer import Scorer


@dataclass(frozen=True, slots=True, kw_only=True)
class NewActivity:
    """Something a lead did, as it was sent."""

    activity_id: str
    lead_id: str
    occurred_at: datetime
    kind: str
    asset: str | None = None
    channel: str | None = None
    value: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewActivities:
    """Activities of known leads, as they were sent.

    An id that is there already counts once, at its earliest, as in the features. A batch that brings
    nothing new scores nobody.
    """

    activities: tuple[NewActivity, ...]
    by: str

    @property
    def lead_ids(self) -> frozenset[str]:
        """The leads that did something."""
        return frozenset(one.lead_id for one in self.activities)

    @property
    def creates_leads(self) -> bool:
        """Only leads that are known do something."""
        return False

    def refusal(self, _session: Session, *, now: datetime) -> LeadPactError | None:  # noqa: ARG002 - one face
        """Nothing of it can break the agreement."""
        return None

    @classmethod
    def store_all(
        cls, session: Session, changes: Sequence[Self], _leads: Mapping[str, LeadRow], *, now: datetime
    ) -> list[Stored]:
        """Store what is new or came earlier than what was known."""
        known = _known(session, [one for change in changes for one in change.activities])
        news = [_news(change.activities, known) for change in changes]
        _write(session, [one for new in news for one in new], now)
        return [change.stored(new) for change, new in zip(changes, news, strict=True)]

    def stored(self, new: Sequence[NewActivity]) -> Stored:
        """Say what is new of these activities."""
        changed: dict[str, datetime] = {}
        for one in new:
            changed[one.lead_id] = max(one.occurred_at, changed.get(one.lead_id, one.occurred_at))
        return Stored(
            causes={lead_id: Cause(at=at) for lead_id, at in changed.items()},
            counts={"stored": len(new), "repeated": len(self.activities) - len(new)},
        )

    def note(self, stored: Stored, _marks: LeadMarks) -> Note:
        """Say how many leads it changed."""
        return Note(act="activities.recorded", who=self.by, what=f"{len(stored.causes)} leads")


def record_activities(
    database: Engine,
    activities: Sequence[NewActivity],
    *,
    history: History,
    scorer: Scorer | None,
    by: str,
    now: datetime,
    marks: LeadMarks = UNKEYED,
) -> Recorded:
    """Store activities of known leads, score those leads as of now, and return where they stand."""
    change = NewActivities(activities=tuple(activities), by=by)
    return record_change(database, change, history=history, scorer=scorer, now=now, marks=marks)


def _known(session: Session, activities: Sequence[NewActivity]) -> dict[str, NewActivity]:
    """Return what is stored of these ids."""
    ids = {one.activity_id for one in activities}
    names = [field.name for field in fields(NewActivity)]
    query = select(*(getattr(ActivityRow, name) for name in names)).where(ActivityRow.activity_id.in_(ids))
    rows = (dict(zip(names, row, strict=True)) for row in session.execute(query))
    return {row["activity_id"]: NewActivity(**row) for row in rows}


def _news(activities: Sequence[NewActivity], known: dict[str, NewActivity]) -> list[NewActivity]:
    """Return what is new or comes earlier than what is known, each id once, and note it as known."""
    new: dict[str, NewActivity] = {}
    for one in sorted(activities, key=_precedence):
        before = known.get(one.activity_id)
        if before is None or _precedence(one) < _precedence(before):
            new[one.activity_id] = known[one.activity_id] = one
    return list(new.values())


def _write(session: Session, activities: Sequence[NewActivity], now: datetime) -> None:
    """Store each id at its earliest: the last of several is that."""
    rows = {one.activity_id: {**asdict(one), "recorded_at": now} for one in activities}
    replace_rows(session, ActivityRow, list(rows.values()), "activity_id")


def _precedence(one: NewActivity) -> tuple[datetime, str]:
    """Sort contents of one id: the earliest counts, then the smaller as text."""
    return one.occurred_at, repr(one)
