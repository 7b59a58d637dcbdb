"""Spans for the rest of the server: nothing but a look at a variable while tracing is off.

The context goes on as `traceparent` (https://www.w3.org/TR/trace-context/) through threads, queues and processes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol

_PARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


class Span(Protocol):
    """What is being measured."""

    parent: str
    """Its own `traceparent`, for what follows from it; empty while tracing is off."""

    def set(self, **attributes: Any) -> None:
        """Tell more of it; `__` in a name stands for a dot."""

    def fail(self) -> None:
        """It ended in an error, so that it is sent even where its trace is not."""


class Tracing(Protocol):
    """What makes spans, once `server.telemetry.start` has set it."""

    def span(
        self, name: str, kind: str, parent: str, links: Iterable[str], began: int, attributes: Mapping[str, Any]
    ) -> AbstractContextManager[Span]:
        """See `span`."""

    def past(self, name: str, parent: str, began: int, ended: int, attributes: Mapping[str, Any]) -> None:
        """See `past`."""

    def current(self) -> str:
        """See `current`."""


class _Nothing:
    parent = ""

    def set(self, **attributes: Any) -> None:
        """Nobody listens."""

    def fail(self) -> None:
        """Nobody listens."""


_NOTHING: AbstractContextManager[Span] = nullcontext(_Nothing())
tracing: Tracing | None = None
"""Set once at the start of a process that traces."""


def span(
    name: str, *, kind: str = "internal", parent: str = "", links: Iterable[str] = (), began: int = 0,
    attributes: Mapping[str, Any] | None = None,
) -> AbstractContextManager[Span]:  # fmt: skip
    """A span around a block, below `parent` or what runs now; `began` in nanoseconds since 1970 when that is past."""
    return _NOTHING if tracing is None else tracing.span(name, kind, parent, links, began, attributes or {})


def nothing() -> AbstractContextManager[Span]:
    """The span of what is not traced."""
    return _NOTHING


def past(name: str, began: int, ended: int, *, parent: str = "", **attributes: Any) -> None:
    """A span that is over, in nanoseconds since 1970; `__` in the name of an attribute stands for a dot."""
    if tracing is not None:
        tracing.past(name, parent, began, ended, dotted(attributes))


def current() -> str:
    """The `traceparent` of what runs now, empty where nothing is traced."""
    return "" if tracing is None else tracing.current()


def dotted(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes by their real names."""
    return {key.replace("__", "."): value for key, value in attributes.items()}


def read_parent(text: str) -> str:
    """A `traceparent` as it may go on; empty when it is none."""
    return text if _PARENT.fullmatch(text) else ""
