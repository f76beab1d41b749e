"""Record what leads did: once per id; each lead is scored once, all in one transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from features.history.store import History
from serving.db.inserts import insert_new
from serving.db.tables_leads import ActivityRow, LeadRow
from serving.lead_scoring import Cause
from serving.operations.record_changes import Note, Recorded, Stored, record_changes
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

    def store(self, session: Session, _leads: Mapping[str, LeadRow], *, now: datetime) -> Stored:
        """Store what is new or came earlier than what was known."""
        new = _store(session, self.activities, now)
        changed: dict[str, datetime] = {}
        for one in new:
            changed[one.lead_id] = max(one.occurred_at, changed.get(one.lead_id, one.occurred_at))
        return Stored(
            causes={lead_id: Cause(at=at) for lead_id, at in changed.items()},
            counts={"stored": len(new), "repeated": len(self.activities) - len(new)},
        )

    def note(self, stored: Stored) -> Note:
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
) -> Recorded:
    """Store activities of known leads, score those leads as of now, and return where they stand."""
    change = NewActivities(activities=tuple(activities), by=by)
    return record_changes(database, [change], history=history, scorer=scorer, now=now)[0]


def _store(session: Session, activities: Sequence[NewActivity], now: datetime) -> list[NewActivity]:
    """Store each id at its earliest, and return what was new or came earlier than what was known."""
    ids = {one.activity_id for one in activities}
    known = {
        row.activity_id: row
        for row in session.scalars(select(ActivityRow).where(ActivityRow.activity_id.in_(ids)))
    }
    new: dict[str, NewActivity] = {}
    for one in sorted(activities, key=_precedence):
        row = known.get(one.activity_id)
        if one.activity_id not in new and (row is None or _precedence(one) < _precedence(_as_sent(row))):
            new[one.activity_id] = one
    insert_new(
        session,
        ActivityRow,
        [{**asdict(one), "recorded_at": now} for one in new.values() if one.activity_id not in known],
        "activity_id",
    )
    for activity_id in new.keys() & known.keys():
        for name, value in {**asdict(new[activity_id]), "recorded_at": now}.items():
            setattr(known[activity_id], name, value)
    return list(new.values())


def _as_sent(row: ActivityRow) -> NewActivity:
    names = NewActivity.__dataclass_fields__
    return NewActivity(**{name: getattr(row, name) for name in names})


def _precedence(one: NewActivity) -> tuple[datetime, str]:
    """Sort contents of one id: the earliest counts, then the smaller as text."""
    return one.occurred_at, repr(one)
