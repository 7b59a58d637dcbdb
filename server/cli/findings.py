"""What a check of `fhirwright doctor` says that found something wrong, and the store that checks read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from server.settings import Settings

if TYPE_CHECKING:
    from server.store import Store


class Wrong(Exception):
    """Something is wrong: what, why that matters, and what to do about it."""

    def __init__(self, what: str, why: str, do: str) -> None:
        super().__init__(what)
        self.why, self.do = why, do


@contextmanager
def opened(settings: Settings) -> Iterator[Store]:
    """The store as it stands; nothing is made or migrated."""
    from server.phi.keys import keys_of
    from server.store import open_store

    store = open_store(settings.database_url, create=False, keys=keys_of(settings))
    try:
        yield store
    finally:
        store.close()
