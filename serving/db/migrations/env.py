"""Run by Alembic: upgrades over the connection, and inside the transaction, that `prepare_database` holds."""

from alembic import context

from serving.db.tables import Base
from serving.db.tables_feedback import NoteRow
from serving.db.tables_messages import DeliveryRow

TABLES = (DeliveryRow, NoteRow)
"""Named so that every table is known to `Base`."""

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
