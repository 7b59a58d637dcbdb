"""uvicorn's HTTP protocol with the head and the body of an answer sent in one write (https://www.uvicorn.org).

By itself uvicorn writes twice for each answer: two system calls, two segments, and the client is woken twice. That is a
third of the CPU of a read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LARGE = 64 * 1024
"""What is longer goes to the socket at once, so that it is not copied and the flow control of the loop sees it."""

Data = bytes | bytearray | memoryview


class Gathered:
    """A transport that keeps small writes until the event loop has run what is ready, then sends them together."""

    def __init__(self, inner: asyncio.Transport, call_soon: Callable[[Callable[[], None]], object]) -> None:
        self._inner = inner
        self._call_soon = call_soon
        self._kept: list[Data] = []
        self.is_closing = inner.is_closing

    def write(self, data: Data) -> None:
        """Keep the data for the end of this turn of the loop; send them now when they are large."""
        kept = self._kept
        kept.append(data)
        if len(data) > LARGE:
            self.flush()
        elif len(kept) == 1:
            self._call_soon(self.flush)

    def flush(self) -> None:
        """Hand what is kept to the socket."""
        kept, self._kept = self._kept, []
        if kept and not self._inner.is_closing():
            if len(kept[-1]) > LARGE:
                self._inner.writelines(kept)
            else:
                self._inner.write(b"".join(kept))

    def close(self) -> None:
        """Send what is kept, then close."""
        self.flush()
        self._inner.close()

    def __getattr__(self, name: str) -> Any:
        """Everything else is the inner transport's."""
        return getattr(self._inner, name)


class GatheringProtocol(HttpToolsProtocol):
    """httptools over a `Gathered` transport."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take over a new connection."""
        super().connection_made(cast(asyncio.Transport, Gathered(transport, self.loop.call_soon)))

    def on_headers_complete(self) -> None:
        """Take a request whose head is whole; one without a Host, or with two, is 400 as RFC 9112 section 3.2 asks."""
        hosts = [value for name, value in self.headers if name == b"host"]
        if len(hosts) != 1 and (hosts or self.parser.get_http_version() == "1.1"):
            raise ValueError("one Host is needed")
        super().on_headers_complete()
