"""Stored rows as events of a lead's life: what `sla.lifecycle` folds, and how an event becomes a row."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Protocol

from sla.lifecycle import EventKind, LeadEvent
from sla.stages import Stage

PLACES = {
    EventKind.SCORED: 1,
    EventKind.RELEASED: 2,
    EventKind.ACCEPTED: 3,
    EventKind.ATTEMPTED: 4,
    EventKind.REJECTED: 5,
    EventKind.RECYCLED: 5,
    EventKind.NO_CONTACT: 5,
    EventKind.OPENED: 6,
    EventKind.WON: 7,
    EventKind.LOST: 7,
}
"""Which of two events at one instant comes first: a lead is scored before it is worked on and ends last."""


class StoredEvent(Protocol):
    """A row of stage events, as object or as plain values."""

    event_id: Any
    occurred_at: Any
    kind: Any
    stage: Any
    basis: Any
    dwell_days: Any
    rest_days: Any
    lifts: Any


class StoredDeal(Protocol):
    """A row of deals, as object or as plain values."""

    deal_id: Any
    opened_at: Any
    outcome: Any
    closed_at: Any


def event_id(kind: EventKind, name: str) -> str:
    """Return the id of an event; events at one instant are taken in the order of their ids."""
    return f"{PLACES[kind]}-{kind}-{name}"


def lead_event(row: StoredEvent) -> LeadEvent:
    """Return a stored event."""
    return LeadEvent(
        event_id=row.event_id,
        occurred_at=row.occurred_at,
        kind=EventKind(row.kind),
        stage=None if row.stage is None else Stage(row.stage),
        basis=row.basis,
        dwell_days=row.dwell_days,
        rest_days=row.rest_days,
        lifts=row.lifts,
    )


def event_values(lead_id: str, event: LeadEvent, detail: dict[str, Any], *, now: datetime) -> dict[str, Any]:
    """Return an event as the row that stores it; `detail` is for readers."""
    return {
        "event_id": event.event_id,
        "lead_id": lead_id,
        "occurred_at": event.occurred_at,
        "recorded_at": now,
        "kind": event.kind.value,
        "stage": None if event.stage is None else event.stage.value,
        "basis": event.basis,
        "dwell_days": event.dwell_days,
        "rest_days": event.rest_days,
        "lifts": event.lifts,
        "detail": detail,
    }


def deal_events(deal: StoredDeal) -> Iterator[LeadEvent]:
    """Yield what a deal says about the stage: opened, and how it ended."""
    if deal.opened_at is not None:
        kind = EventKind.OPENED
        yield LeadEvent(event_id=event_id(kind, deal.deal_id), occurred_at=deal.opened_at, kind=kind)
    if deal.outcome is not None and deal.closed_at is not None:
        kind = EventKind(deal.outcome)
        yield LeadEvent(event_id=event_id(kind, deal.deal_id), occurred_at=deal.closed_at, kind=kind)
