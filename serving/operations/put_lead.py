"""Put a lead: its attributes as the CRM knows them, each with the instant since when."""

import json
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from features.history.store import History
from serving.db.audited import audited_transaction
from serving.db.tables_leads import LeadAttributeRow, LeadRow
from serving.lead_work import Standing, lead_row, score_and_settle
from serving.scorer import Scorer


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
) -> Standing:
    """Store attributes since `changed_at`, score the lead, and return where it stands.

    The same again changes nothing but the score. Attributes that are not given stay as they are. Of two
    values for one instant the greater text stays, so that the order of arrival does not matter.
    """
    with audited_transaction(database, now=now) as work:
        lead = lead_row(work.session, history, lead_id, now=now)
        if created_at is not None:
            lead.created_at = min(lead.created_at, created_at)
        for attribute, value in attributes.items():
            _put(work.session, lead, attribute, changed_at, value, now)
        standing = score_and_settle(work.session, lead, history, scorer, now=now, caused_at=changed_at)
        work.note("lead.put", who=by, what=f"lead {lead_id}", after={"attributes": sorted(attributes)})
        return standing


def _put(
    session: Session, lead: LeadRow, attribute: str, changed_at: datetime, value: object, now: datetime
) -> None:
    text = json.dumps(value, ensure_ascii=False, sort_keys=True)
    row = session.get(LeadAttributeRow, (lead.lead_id, attribute, changed_at))
    if row is None:
        key = {"lead_id": lead.lead_id, "attribute": attribute, "changed_at": changed_at}
        session.add(LeadAttributeRow(**key, value=text, recorded_at=now))
    elif row.value < text:
        row.value, row.recorded_at = text, now
