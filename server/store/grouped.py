"""Group read: lookups by id that come while one runs are asked for together, with one statement.

Where the database is another process, most of a lookup is the way there and back.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence

from .version import Version

Key = tuple[str, str]
MOST = 500
"""Lookups in one statement."""

_Waiting = tuple[Key, asyncio.AbstractEventLoop, "asyncio.Future[Version | None]"]


class GroupedReads:
    """Answers lookups from one thread; `find` gives the versions that exist."""

    def __init__(self, find: Callable[[Sequence[Key]], Mapping[Key, Version]]) -> None:
        self._find = find
        self._waiting: list[_Waiting] = []
        self._wake = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="store-lookup", daemon=True)
        self._thread.start()

    async def read(self, key: Key) -> Version | None:
        """The newest version of a resource."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Version | None] = loop.create_future()
        with self._wake:
            self._waiting.append((key, loop, future))
            if len(self._waiting) == 1:
                self._wake.notify()
        return await future

    def close(self) -> None:
        """Answer what waits and stop."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        self._thread.join()

    def _run(self) -> None:
        while items := self._take():
            found: Mapping[Key, Version] | Exception
            try:
                found = self._find(list(dict.fromkeys(key for key, _, _ in items)))
            except Exception as error:
                found = error
            for loop in {loop for _, loop, _ in items}:
                if not loop.is_closed():
                    theirs = [(key, future) for key, of, future in items if of is loop]
                    loop.call_soon_threadsafe(_answer, theirs, found)

    def _take(self) -> list[_Waiting]:
        with self._wake:
            while not self._waiting and not self._closing:
                self._wake.wait()
            items, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
            return items


def _answer(items: list[tuple[Key, asyncio.Future[Version | None]]], found: Mapping[Key, Version] | Exception) -> None:
    for key, future in items:
        if future.done():
            continue
        if isinstance(found, Exception):
            future.set_exception(found)
        else:
            future.set_result(found.get(key))
