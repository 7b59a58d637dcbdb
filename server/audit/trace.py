"""What is known of the connection a request came by; it travels with its caller into whatever follows from it."""

from __future__ import annotations

import msgspec


class Trace(msgspec.Struct, frozen=True, eq=False, omit_defaults=True):
    """One request on the wire. All traces are equal: callers who differ in nothing else may do the same."""

    request: str = ""
    """X-Request-Id."""

    address: str = ""
    """Where the client's connection comes from."""

    server: str = ""
    """The host that the client addressed."""

    asked: str = ""
    """Path and query as they came."""

    notes: list[bytes] | None = None
    """Takes events of parts of the request (entries of a batch), which are kept together with its own."""

    decision: str = ""
    """By which id an external policy has its decision about the request."""

    denied: bool = False
    """Whether that decision was no."""

    parent: str = ""
    """The `traceparent` of the request, where requests are traced; a job that answers it goes on below that."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Trace)

    def __hash__(self) -> int:
        return 0


NOWHERE = Trace()
"""Of what did not come over the wire."""
