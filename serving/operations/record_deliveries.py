"""Record what came of tries: delivered, to be tried again, or parked where a person sees it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from serving.crm.retries import DeliveryStatus, Verdict
from serving.db.session import write_transaction
from serving.db.tables_messages import DeliveryRow, WebhookRow
from serving.operations.claim_deliveries import Claimed


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A claimed delivery, what follows from its try, and when it ended."""

    claimed: Claimed
    verdict: Verdict
    at: datetime


def record_deliveries(database: Engine, outcomes: Sequence[Outcome]) -> int:
    """Store outcomes whose lease is still the caller's; return how many: the rest is another's."""
    with write_transaction(database) as session:
        return sum(_record(session, outcome) for outcome in outcomes)


def _record(session: Session, outcome: Outcome) -> bool:
    claimed, verdict = outcome.claimed, outcome.verdict
    query = select(DeliveryRow).where(
        DeliveryRow.webhook_id == claimed.webhook_id,
        DeliveryRow.position == claimed.position,
        DeliveryRow.lease == claimed.lease,
    )
    row = session.scalars(query.with_for_update()).one_or_none()
    if row is None:
        return False
    row.status, row.next_at, row.last_result = verdict.status.value, verdict.next_at, verdict.result[:200]
    row.tries = claimed.tries + 1
    row.lease = row.leased_until = None
    row.ended_at = None if verdict.status is DeliveryStatus.PENDING else outcome.at
    webhook = session.get_one(WebhookRow, claimed.webhook_id)
    webhook.rests_until = verdict.rests_until or webhook.rests_until
    if verdict.disables:
        webhook.disabled_at, webhook.disabled_because = outcome.at, verdict.result[:200]
    return True
