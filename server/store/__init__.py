"""Storage: tables, migrations and the group-commit writer, on SQLite and PostgreSQL."""
