"""A document as a source of pages, chosen by its media type. Runs in the child process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from extractors.pages import wire
from extractors.pages.limits import Limits
from extractors.pages.ocr import Readers
from extractors.pages.sniff import CCDA, HTML, PDF, RASTER, RTF

Allow = Callable[[float], None]


class Source(Protocol):
    """An open document."""

    def page(self, number: int, allow: Allow) -> wire.PageRead:
        """Read page `number`, from 1; `allow(seconds)` renews the bound on processor time."""

    def draw(self, wanted: wire.Draw) -> bytes:
        """A page as PNG, as a reader sees it."""

    def close(self) -> None:
        """Let go of its memory."""


def open_source(data: bytes, media_type: str, limits: Limits, readers: Readers) -> tuple[Source | None, wire.Opened]:
    """Open `data`; a document without pages is whole in the answer."""
    if media_type == PDF:
        from extractors.pages.pdf import PdfSource

        pdf = PdfSource(data, limits, readers)
        return pdf, wire.Opened(pdf.pages)
    if media_type in RASTER:
        from extractors.pages.raster import RasterSource

        raster = RasterSource(data, limits, readers)
        return raster, wire.Opened(raster.pages)
    if media_type == HTML:
        from extractors.pages.html import read_html

        return None, read_html(data, limits)
    if media_type == RTF:
        from extractors.pages.rtf import read_rtf

        return None, read_rtf(data, limits)
    assert media_type == CCDA
    from extractors.pages.ccda import read_ccda

    return None, read_ccda(data, limits)
