"""Pages of documents as pictures, made in a child process like all that parses foreign bytes."""

from __future__ import annotations

import io
from collections.abc import Callable

from PIL import Image

from extractors.pages import children
from extractors.pages.limits import Limits, Refused
from extractors.pages.ocr import OFF
from extractors.pages.session import Session
from extractors.pages.sniff import PDF, RASTER, media_type

WHOLE = (0.0, 0.0, 1.0, 1.0)
Sides = tuple[float, float, float, float]


class NoPage(Refused):
    """The document has no page of that number; `pages` is how many it has."""

    def __init__(self, pages: int) -> None:
        super().__init__("not-found", "There is no such page.")
        self.pages = pages


def draw(
    mark: str,
    data: Callable[[], bytes],
    number: int,
    width: int,
    crop: Sides = WHOLE,
    limits: Limits = Limits(),  # noqa: B008 - frozen
) -> bytes:
    """Page `number`, from 1, as PNG, in gray, upright as a reader sees it: the fractions of `Word.quad` fit it.

    `mark` names the document, whose bytes `data` gives when no child has it open. The whole page is `width` pixels
    wide, or less where it would have too many; `crop`, left, top, width and height as fractions, cuts a part out of it.
    Raises `NoPage`, and `Refused` for what cannot be read.
    """
    with children.seat():
        held = children.holding(mark)
        if held is not None:
            with Session(b"", "", limits, "auto", OFF, held) as session:
                return _page(session, number, held.holds[1], width, crop)
        content = data()
        kind = media_type(content)
        if kind != PDF and kind not in RASTER:
            raise NoPage(0)
        if len(content) > limits.size:
            raise Refused("too-long", f"The attachment is over {limits.size / 1e6:g} MB. Send it in parts.")
        with Session(content, kind, limits, "auto", OFF) as session:
            pages = session.open().pages
            session.name(mark, pages)
            return _page(session, number, pages, width, crop)


def _page(session: Session, number: int, pages: int, width: int, crop: Sides) -> bytes:
    if not 1 <= number <= pages:
        raise NoPage(pages)
    return session.draw(number, width, crop)


def warm() -> None:
    """Start a child and let it load what the first page would wait for."""
    page = Image.new("L", (8, 8), 255)
    for kind in ("PNG", "PDF"):
        page.save(file := io.BytesIO(), kind)
        draw(kind, file.getvalue, 1, 8)
