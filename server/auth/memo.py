"""Who calls, kept for a moment after it was looked up, so that a client's next request asks no database.

What this process revokes is forgotten with the commit that revokes it, before whoever revoked is answered. What another
process revokes (`fhirwright token revoke`, a second API process) holds within LONGEST.
"""

from __future__ import annotations

import threading
import time
from typing import Any
from weakref import WeakKeyDictionary

from server.access.caller import Caller
from server.store import Tx

from .model import Authorization, Token

LONGEST = 1.0
"""Seconds for which a look at the database is believed."""

MOST = 10_000
"""Callers that are known at a time."""


class Memo:
    """Callers by the header they show, of one database."""

    def __init__(self) -> None:
        self._known: dict[bytes, tuple[float, int, Caller]] = {}
        self._turn = 0
        self._lock = threading.Lock()

    @property
    def turn(self) -> int:
        """Grows whenever something ended; to be asked before the database is."""
        return self._turn

    def find(self, key: bytes) -> Caller | None:
        """Who shows this header, where that is known and still holds."""
        found = self._known.get(key)
        if found is None or found[1] != self._turn or time.time() >= found[0]:
            return None
        return found[2]

    def keep(self, key: bytes, turn: int, caller: Caller, token: Token, granted: Authorization) -> None:
        """Remember who shows a header, as the database told after `turn`: no longer than anything of it holds."""
        until = min([time.time() + LONGEST, token.expires / 1000, *(one.until / 1000 for one in granted.broken)])
        with self._lock:
            if len(self._known) >= MOST:
                self._known.clear()
            self._known[key] = (until, turn, caller)

    def forget(self) -> None:
        """Something has ended or changed: everybody is looked up again."""
        with self._lock:
            self._turn += 1
            self._known.clear()


_memos: WeakKeyDictionary[Any, Memo] = WeakKeyDictionary()
_making = threading.Lock()


def memo_of(engine: object) -> Memo:
    """The one memo of a database in this process."""
    with _making:
        return _memos.setdefault(engine, Memo())


def forget_after(tx: Tx) -> None:
    """Have everybody looked up again once the transaction is committed."""
    tx.afterwards(memo_of(tx.engine).forget)
