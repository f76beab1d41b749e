"""Run by Alembic: upgrades over the connection, and inside the transaction, that `prepare_database` holds."""

from alembic import context

from serving.db.tables_messages import DeliveryRow

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=DeliveryRow.metadata,
    render_as_batch=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
