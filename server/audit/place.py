"""Where the audit keeps what is not in the database: the spool of each process, checkpoints, and the key they bear."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from server.settings import Settings
from server.store import Store


def directory(store: Store, settings: Settings) -> Path:
    """The directory of this database's audit; it is made when it is not there.

    Beside a file of SQLite; of PostgreSQL in the data directory under the name that the database gave itself.
    """
    found = settings.audit_directory
    if found is None and store.dialect == "sqlite":
        path = Path(unquote(urlsplit(settings.database_url).path[1:]))
        found = path.with_name(f"{path.name}-audit")
    elif found is None:
        [(name,)] = store.query("SELECT id FROM audit_trail")
        found = settings.data / "audit" / str(name)
    found.mkdir(parents=True, exist_ok=True, mode=0o700)
    return found
