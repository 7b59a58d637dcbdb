"""Storage: tables, migrations and the group-commit writer, on SQLite and PostgreSQL."""

from . import asynchronous as _asynchronous  # noqa: F401 - its tables are part of the metadata
from . import authorization as _authorization  # noqa: F401 - its tables too
from . import doors as _doors  # noqa: F401 - these
from . import floor as _floor  # noqa: F401 - this
from . import holds as _holds  # noqa: F401 - and of holds
from . import learning as _learning  # noqa: F401 - and those of learning
from . import leases as _leases  # noqa: F401 - and this
from . import sealed as _sealed  # noqa: F401 - as are these
from . import streaming as _streaming  # noqa: F401 - and those of streams
from . import traces as _traces  # noqa: F401 - and what versions follow from
from . import unaided as _unaided  # noqa: F401 - and of documents that are coded unaided
from .driver import QueryTimeout
from .store import Store, open_store
from .tx import Tx
from .version import Version, Written

__all__ = ["QueryTimeout", "Store", "Tx", "Version", "Written", "open_store"]
