"""What a document may cost, and the error that says which bound it broke."""

from __future__ import annotations

from dataclasses import dataclass

MiB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on one document. Seconds of CPU unless the name says wall; sizes in bytes."""

    size: int = 50_000_000  # of the attachment
    pages: int = 300
    pixels: int = 40_000_000  # of a raster page: A4 at 600 dpi is 34.8 million
    characters: int = 5_000_000  # of text in a document without pages
    page_words: int = 20_000  # a page with more is not a page that a person wrote
    depth: int = 200  # of nested elements or groups
    memory: int = 1000 * MiB  # address space of the process that parses
    open_seconds: float = 2.0  # to open a document; to take a page's text layer; to render it
    look_seconds: float = 1.0  # to load a page and see how it is to be read
    page_seconds: float = 20.0
    second_pieces: int = 200  # of lines of a page that a second reader reads
    second_seconds: float = 6.0  # of a page past which it begins no further one
    page_wall_seconds: float = 60.0
    document_wall_seconds: float = 1800.0


class Refused(Exception):
    """A document that cannot be read. `code` is from http://hl7.org/fhir/issue-type, `text` says what to do.

    `required` (empty), `not-supported` (type), `structure` (damaged), `security` (encrypted), `too-long` (bytes or
    pages), `too-costly` (pixels, memory or time).
    """

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
