"""Every FHIR interaction behind one call, with or without HTTP (https://hl7.org/fhir/R4/http.html)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from server.store import Store, Tx, Written

from .exchange import Request, Response

Hook = Callable[[Tx, Written], None]


class Fhir:
    """The interactions over one store. `on_write` hooks run inside the transaction of each new version."""

    def __init__(self, store: Store, settings: Any, on_write: Sequence[Hook] = ()) -> None:
        self.store = store
        self.settings = settings
        self.on_write = list(on_write)

    async def handle(self, request: Request) -> Response:
        """Answer a request; raises FhirError, and nothing else that a client could cause."""
        raise NotImplementedError

    def handle_sync(self, request: Request) -> Response:
        """The same, for threads."""
        raise NotImplementedError

    def handle_in(self, tx: Tx, request: Request) -> Response:
        """Answer a request inside a transaction that is open: what it writes commits with the rest of that one."""
        raise NotImplementedError
