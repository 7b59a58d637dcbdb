"""One document in a child process: opened, read page by page, taken up again after a page killed the child."""

from __future__ import annotations

import dataclasses
import time
from types import TracebackType
from typing import Self

from extractors.pages import children, wire
from extractors.pages.limits import Limits, Refused

OPEN_WALL = 20.0  # a loaded machine is slow; the child's own CPU bound is `Limits.open_seconds`
MAX_DEATHS = 3  # after so many pages in a row that killed their child the rest is not tried

SLOW = "The document takes too long to open: it is damaged or built to exhaust. Print it to a new PDF and send that."
HEAVY = "The document does not open within its memory: it is damaged or built to exhaust. Print it anew and send that."
SLOW_PAGE = "The page takes too long to read. Scan it again at 300 dpi, or send it as an image."
HEAVY_PAGE = "The page cannot be read within its memory: it is damaged or built to exhaust. Scan it again at 300 dpi."
OPEN_DEATHS = {"time": SLOW, "wall": SLOW, "crash": HEAVY}
PAGE_DEATHS = {"time": SLOW_PAGE, "wall": SLOW_PAGE, "crash": HEAVY_PAGE}
LATE = "The document takes too long as a whole. Send it in parts."


class Session:
    """A document and the child that has it open."""

    def __init__(
        self, data: bytes, kind: str, limits: Limits, ocr: str, second: str, child: children.Child | None = None
    ) -> None:
        self._request = wire.Open(data, kind, ocr, second, dataclasses.asdict(limits))
        self._limits = limits
        self._child = child
        self._deaths = 0
        self._end = time.monotonic() + limits.document_wall_seconds

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._child is None:
            return
        if kind is None or issubclass(kind, Refused):
            children.give_back(self._child)
        else:
            self._child.kill()
        self._child = None

    def name(self, mark: str, pages: int) -> None:
        """Let whoever draws this document next find the child that has it open."""
        if self._child is not None:
            self._child.holds = (mark, pages)

    def open(self) -> wire.Opened:
        """Open the document; raises `Refused`."""
        reply = self._ask_open(warm=True)
        if isinstance(reply, wire.Refusal):
            raise Refused(reply.code, reply.text)
        assert isinstance(reply, wire.Opened)
        return reply

    def _ask_open(self, *, warm: bool) -> wire.Reply:
        if self._child is None:
            self._child = children.take() if warm else children.Child()
        used = self._child.asked > 0
        try:
            return self._child.ask(self._request, OPEN_WALL)
        except children.Died as death:
            self._lose()
            if used and death.why == "crash":  # it may have died before: a fresh one tells
                return self._ask_open(warm=False)
            raise Refused("too-costly", OPEN_DEATHS[death.why]) from None

    def page(self, number: int) -> wire.PageRead:
        """Read a page; one that cannot be read is `failed` with its reason."""
        left = self._end - time.monotonic()
        if left <= 0:
            return _failed(number, LATE, "too-costly")
        if self._deaths >= MAX_DEATHS:
            return _failed(number, "Not tried: the pages before it could not be read.", "too-costly")
        try:
            if self._child is None:
                self.open()
            assert self._child is not None
            reply = self._child.ask(wire.Turn(number), min(left, self._limits.page_wall_seconds))
        except children.Died as death:
            self._lose()
            return _failed(number, PAGE_DEATHS[death.why], "too-costly")
        except Refused as refusal:
            self._deaths += 1
            return _failed(number, refusal.text, refusal.code)
        if isinstance(reply, wire.Refusal):
            return _failed(number, reply.text, reply.code)
        assert isinstance(reply, wire.Read)
        self._deaths = 0
        return reply.page

    def draw(self, number: int, width: int, crop: tuple[float, float, float, float]) -> bytes:
        """A page as PNG; raises `Refused`."""
        assert self._child is not None
        try:
            reply = self._child.ask(wire.Draw(number, width, crop), self._limits.page_wall_seconds)
        except children.Died as death:
            self._lose()
            raise Refused("too-costly", PAGE_DEATHS[death.why]) from None
        if isinstance(reply, wire.Refusal):
            raise Refused(reply.code, reply.text)
        assert isinstance(reply, wire.Drawn)
        return reply.png

    def _lose(self) -> None:
        self._deaths += 1
        if self._child is not None:
            self._child.kill()
        self._child = None


def _failed(number: int, reason: str, code: str) -> wire.PageRead:
    return wire.PageRead(number, 612.0, 792.0, "failed", reason=reason, code=code)
