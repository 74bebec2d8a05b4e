"""Runs the migrations on the connection that `store.migrate` hands in."""

from alembic import context

connection = context.config.attributes["connection"]
context.configure(connection=connection, transaction_per_migration=True, render_as_batch=False)
with context.begin_transaction():
    context.run_migrations()
