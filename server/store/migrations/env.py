"""Alembic's entry: run the migrations on the connection that `server.store.migrate` gives."""

from alembic import context

from server.store.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
