"""Storage: tables, migrations and the group-commit writer, on SQLite and PostgreSQL."""

from . import asynchronous as _asynchronous  # noqa: F401 - its tables are part of the metadata
from .driver import QueryTimeout
from .store import Store, open_store
from .tx import Tx
from .version import Version, Written

__all__ = ["QueryTimeout", "Store", "Tx", "Version", "Written", "open_store"]
