"""A SQLite database that is written to, and what came back of it elsewhere."""

from __future__ import annotations

from pathlib import Path

from server.access.caller import SYSTEM
from server.audit.checkpoints import FILE, Checkpoints
from server.audit.event import Event, line_of
from server.audit.place import directory
from server.audit.verify import verify
from server.continuity.target import Target
from server.settings import Settings
from server.store import Store, Version, open_store


class Live:
    """A database that is written to, and where its backups go."""

    def __init__(self, folder: Path, template: Path) -> None:
        (folder / "data").mkdir()
        path = folder / "data" / "live.db"
        path.write_bytes(template.read_bytes())
        self.folder = folder
        self.path = path
        self.settings = Settings(data=folder / "data", database=f"sqlite:///{path}")
        self.target = Target(folder / "target")
        self.store: Store = open_store(self.settings.database_url, create=False)
        self.audit = directory(self.store, self.settings)

    def write(self, *names: str) -> None:
        """Store resources of these ids, each with an event."""
        write(self.store, *names)

    def sign(self) -> None:
        """Sign what stands in the chain."""
        Checkpoints(self.store, self.audit, self.settings).advance(last=True)

    def elsewhere(self, name: str) -> Settings:
        """Settings of another place."""
        folder = self.folder / name
        return Settings(data=folder, database=f"sqlite:///{folder / 'there.db'}")


def write(store: Store, *names: str) -> None:
    """Store resources of these ids in a database, each with an event."""

    def run(tx):
        for name in names:
            rid = tx.new_rid()
            tx.put(Version(rid, "Basic", name, 1, tx.now, "C", None, b'{"resourceType":"Basic"}'), None, {})
            tx.audit(line_of(Event(tx.now, "create", 201, "Basic", name, 1, who=SYSTEM.who)))

    store.write_sync(run)


def ids(settings):
    """The ids that a restored database holds, and whether its audit trail is whole."""
    store = open_store(settings.database_url, create=False)
    try:
        text = (directory(store, settings) / FILE).read_text()
        return {row[0] for row in store.query("SELECT id FROM resource")}, verify(store, text).whole
    finally:
        store.close()
