"""Runs the migrations on the connection that `store.migrate` hands in."""

from alembic import context

connection, applied = context.config.attributes["connection"], context.config.attributes.get("applied")
# All migrations in one transaction: whatever ends them early leaves the database as it was.
context.configure(connection=connection, render_as_batch=False, transactional_ddl=True, on_version_apply=applied)
with context.begin_transaction():
    context.run_migrations()
