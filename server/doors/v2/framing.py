"""Messages on a connection: VT, the message, FS, CR (http://www.hl7.org/documentcenter/public/wg/inm/mllp_transport_specification.PDF)."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

START, END, CARRIAGE = b"\x0b", b"\x1c", b"\r"
_BETWEEN = b"\r\n "


class Frame(NamedTuple):
    """A message, or what stood where none was: `wrong` says why, and `last` whether the connection is of no use."""

    content: bytes
    wrong: str = ""
    last: bool = False


async def next_frame(reader: asyncio.StreamReader) -> Frame | None:
    """The next message on a connection; None at its end, also in the middle of a message: then nothing was sent."""
    try:
        data = await reader.readuntil(END)
    except asyncio.IncompleteReadError:
        return None
    except asyncio.LimitOverrunError:
        return Frame(b"", "too-large", last=True)
    before, start, content = data[:-1].rpartition(START)
    if not start:
        return Frame(b"", "frame")
    if before.strip(_BETWEEN):
        return Frame(content, "frame")
    return Frame(content)


def framed(message: bytes) -> bytes:
    """A message as it is sent."""
    return START + message + END + CARRIAGE
