"""`DocumentReference/[id]/$page-image`: a page as a picture, or a part of one (docs/operations/page-image.md).

https://hl7.org/fhir/R4/operations.html
"""

from __future__ import annotations

import re
import threading
from functools import partial

from extractors.pages.draw import WHOLE, NoPage, Sides, draw, warm
from extractors.pages.limits import Refused
from server.interactions.exchange import Request, Response
from server.interactions.fhir import Fhir
from server.jobs.bounds import limits_of
from server.jobs.children import Failure
from server.operations.papers import Lane, Paper, Papers, absent_page, kept, tag, unchanged
from server.operations.parameters import Arguments, read_arguments, wrong
from server.settings import Settings

PNG = "image/png"
NARROWEST, USUAL, WIDEST = 100, 1200, 2400
"""Pixels of width of the whole page."""

SMALL = 300
"""Width up to which a picture is a thumbnail: those wait for each other and hold up nothing else."""

DRAWING = "1"  # raise when a page would be drawn differently, so that no cache answers with an older picture
_FRACTION = re.compile(r"0(\.\d{1,9})?|1(\.0{1,9})?|\.\d{1,9}")


class PageImage:
    """Answers with pictures: from the cache, or drawn in a child process that can be killed."""

    def __init__(self, papers: Papers, fhir: Fhir, settings: Settings) -> None:
        self._papers = papers
        self._run = fhir.store.run
        self._limits = limits_of(settings)
        self._pages, self._thumbnails = Lane("page"), Lane("thumbnail")
        self._warmed = False

    async def __call__(self, request: Request) -> Response:
        """The PNG; 404 for a document that the caller may not read, and for a page that it does not have."""
        arguments = read_arguments(request)
        arguments.only("page", "width", "crop")
        number, width, crop = arguments.whole("page", 1, 1_000_000), _width(arguments), _crop(arguments)
        paper = await self._run(self._papers.find, request)
        etag = tag(DRAWING, paper.mark, str(number), str(width), repr(crop))
        if unchanged(request, etag):
            return kept(paper, etag, None, PNG)
        key = f"image:{etag}"
        png = await self._run(self._papers.cache.get, key)
        if png is None:
            lane = self._thumbnails if width <= SMALL else self._pages
            png = await lane.run(self._draw, key, paper, number, width, crop)
        return kept(paper, etag, png, PNG)

    def _draw(self, key: str, paper: Paper, number: int, width: int, crop: Sides) -> bytes:
        try:
            png = draw(paper.mark, partial(self._papers.data, paper), number, width, crop, self._limits)
        except NoPage as error:
            raise absent_page(error.pages) from None
        except Refused as refused:
            raise Failure(refused.code, refused.text) from None
        self._papers.cache.put(key, png)
        return png

    def prepare(self) -> None:
        """Start, once, the process that draws: whoever asks for words is about to ask for pictures."""
        if not self._warmed:
            self._warmed = True
            threading.Thread(target=warm, name="page-warm", daemon=True).start()


def _width(arguments: Arguments) -> int:
    """The width that is asked for; 400 when it is out of bounds."""
    width = arguments.whole("width", USUAL, WIDEST + 1, NARROWEST)
    if width > WIDEST:
        raise wrong(f"width must be a whole number from {NARROWEST} to {WIDEST}.", "width")
    return width


def _crop(arguments: Arguments) -> Sides:
    """The part of the page that is asked for: left, top, width and height as fractions."""
    text = arguments.text("crop")
    if text is None:
        return WHOLE
    parts = text.split(",")
    if len(parts) == 4 and all(_FRACTION.fullmatch(part) for part in parts):
        left, top, width, height = (float(part) for part in parts)
        if width > 0 and height > 0 and left + width <= 1.000001 and top + height <= 1.000001:
            return left, top, min(width, 1.0 - left), min(height, 1.0 - top)
    raise wrong("crop must be left,top,width,height as fractions of the page, within it.", "crop")
