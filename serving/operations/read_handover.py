"""Read one handover as it stands now."""

from datetime import datetime

from sqlalchemy import Engine

from features.words.reasons import Language
from serving.acts import find_handover
from serving.db.session import read_transaction
from serving.handover_views import HandoverView, handover_view


def read_handover(database: Engine, handover_id: str, *, now: datetime, lang: Language) -> HandoverView:
    """Return one handover, or raise `UnknownHandoverError`."""
    with read_transaction(database) as session:
        return handover_view(session, find_handover(session, handover_id), now=now, lang=lang)
