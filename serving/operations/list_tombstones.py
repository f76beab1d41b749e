"""List the marks of erased persons, for whoever brings in leads."""

from sqlalchemy import Engine, select

from serving.db.session import read_transaction
from serving.db.tables_leads import TombstoneRow


def list_tombstones(database: Engine) -> frozenset[str]:
    """Return every mark."""
    with read_transaction(database) as session:
        return frozenset(session.scalars(select(TombstoneRow.mark)))
