"""Run by Alembic: upgrades over the connection, and inside the transaction, that `prepare_database` holds."""

from alembic import context

from serving.db import tables_feedback, tables_messages  # noqa: F401  they add their tables to the metadata
from serving.db.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
