"""The messages between `read` and its child process: msgpack frames behind a four-byte length."""

from __future__ import annotations

from typing import BinaryIO

import msgspec

from extractors.model import PageMethod, Quad

Span = tuple[int, int]


class Seen(msgspec.Struct, array_like=True):
    """A word as the page shows it. `gap`: a wide gap stands before it in its line."""

    text: str
    confidence: float
    quad: Quad
    line: int
    gap: bool = False
    raw: str | None = None
    repair: str | None = None
    other: str | None = None  # the reading of a second reader, or of the first where the second was surer
    other_sure: float = 0.0


class Grid(msgspec.Struct, array_like=True):
    """A table: each cell is a range of word ordinals, or None when empty."""

    rows: list[list[Span | None]]
    header: bool


class PageRead(msgspec.Struct):
    """A page with its words in reading order."""

    number: int
    width: float
    height: float
    method: PageMethod
    words: list[Seen] = []
    grids: list[Grid] = []
    engine: str = ""
    dpi: float = 0.0
    rotation: int = 0
    steps: list[str] = []
    reason: str | None = None
    code: str = ""  # of the refusal, where the page failed


class Open(msgspec.Struct, tag="open"):
    """Take up a document."""

    data: bytes
    media_type: str
    ocr: str
    second: str
    limits: dict[str, float]


class Turn(msgspec.Struct, tag="page"):
    """Read page `number`, from 1, of the document taken up last."""

    number: int


class Draw(msgspec.Struct, tag="draw"):
    """Draw page `number`, from 1, so that the whole page is `width` pixels wide, and of it what `crop` holds.

    `crop` is left, top, width and height as fractions of the page as a reader sees it.
    """

    number: int
    width: int
    crop: tuple[float, float, float, float] = (0.0, 0.0, 1.0, 1.0)


class Opened(msgspec.Struct, tag="opened"):
    """The document is open. Without pages it is whole: its text, and tables as spans of the text."""

    pages: int
    engine: str = ""
    text: str = ""
    tables: list[list[list[Span]]] = []
    title: str | None = None


class Read(msgspec.Struct, tag="read"):
    """A page was read."""

    page: PageRead


class Drawn(msgspec.Struct, tag="drawn"):
    """A page was drawn."""

    png: bytes


class Refusal(msgspec.Struct, tag="refused"):
    """The document, or the page, cannot be read."""

    code: str
    text: str


Request = Open | Turn | Draw
Reply = Opened | Read | Drawn | Refusal
_requests: msgspec.msgpack.Decoder[Request] = msgspec.msgpack.Decoder(Request)
_replies: msgspec.msgpack.Decoder[Reply] = msgspec.msgpack.Decoder(Reply)


def send(stream: BinaryIO, message: Request | Reply) -> None:
    """Write one frame."""
    body = msgspec.msgpack.encode(message)
    stream.write(len(body).to_bytes(4, "big"))
    stream.write(body)
    stream.flush()


def receive_request(stream: BinaryIO) -> Request | None:
    """The next request, or None at the end of the stream."""
    head = stream.read(4)
    if len(head) < 4:
        return None
    return _requests.decode(stream.read(int.from_bytes(head, "big")))


def parse_reply(body: bytes) -> Reply:
    """The reply in a frame's body."""
    return _replies.decode(body)
