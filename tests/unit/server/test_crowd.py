"""Too many at once: the rest is refused at once, and room is made again whatever happens inside."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from server.http.crowd import Crowd


class Caller:
    """Asks a Crowd and keeps what it is answered."""

    def __init__(self) -> None:
        self.sent: list[Any] = []

    async def ask(self, crowd: Crowd, kind: str = "http") -> None:
        """One request."""

        async def receive() -> Any:
            raise AssertionError("nothing of a request that is refused may be read")

        async def send(message: Any) -> None:
            self.sent.append(message)

        await crowd({"type": kind}, receive, send)

    @property
    def waits(self) -> bytes | None:
        """The Retry-After that was answered, None without an answer."""
        return dict(self.sent[0]["headers"])[b"retry-after"] if self.sent else None


async def test_who_comes_beyond_is_told_to_come_again() -> None:
    """503 with an OperationOutcome and differing waits; those inside go on, and then there is room again."""
    gate = asyncio.Event()

    async def app(*_: Any) -> None:
        await gate.wait()

    crowd = Crowd(app, 2)
    inside = [asyncio.create_task(Caller().ask(crowd)) for _ in range(2)]
    await asyncio.sleep(0)
    late = [Caller() for _ in range(3)]
    for caller in late:
        await caller.ask(crowd)
    assert {caller.sent[0]["status"] for caller in late} == {503}
    assert json.loads(late[0].sent[1]["body"])["resourceType"] == "OperationOutcome"
    assert {caller.waits for caller in late} == {b"1", b"2", b"3"}
    gate.set()
    await asyncio.gather(*inside)
    (again := Caller()).sent = []
    await again.ask(crowd)
    assert again.waits is None and crowd.now == 0


async def test_room_is_made_when_a_request_fails_and_sockets_are_not_counted() -> None:
    """An exception leaves nothing behind; a websocket passes a full house."""

    async def app(scope: Any, *_: Any) -> None:
        if scope["type"] == "http":
            raise RuntimeError

    crowd = Crowd(app, 1)
    for _ in range(3):
        with pytest.raises(RuntimeError):
            await Caller().ask(crowd)
    crowd.now = 1
    (socket := Caller()).sent = []
    await socket.ask(crowd, "websocket")
    assert socket.waits is None
