"""What the pages of a read document say, as JSON for whoever shows them (docs/operations/page-words.md)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from extractors.model import Document, Page, Word
from extractors.pages.corrected import BY_HAND
from server.jobs.attachments import fingerprint
from server.jobs.cache import ContentCache

UNSURE = 60.0
"""Confidence below which a word is doubtful, whoever else read it."""

ALL = 0
"""The number of the overview among the pages."""

_PLACES = 4  # a tenth of a millimetre on a page


def pages_key(document: Mapping[str, Any]) -> str:
    """Where the cache says under which key the read Document of a DocumentReference is kept."""
    return f"pages:{document['id']}:{fingerprint(document)}"


def keep_pages(cache: ContentCache, key: str, document: Document) -> None:
    """Keep what each page of the Document under `key` says, so that whoever shows one need not read all of them."""
    for number in range(1, len(document.pages) + 1):
        cache.put(page_key(key, number), page_words(document, number) or b"")
    cache.put(page_key(key), overview(document))


def page_key(key: str, number: int = ALL) -> str:
    """Where the cache has what a page of the Document under `key` says; without a number the overview."""
    return f"words:{key}:{number}"


def overview(document: Document) -> bytes:
    """The pages with their sizes and how well each was read; none for a document without."""
    pages = [{**_head(page), "words": len(page.words), "doubtful": _doubtful(page)} for page in document.pages]
    return orjson.dumps({"of": len(pages), "pages": pages})


def page_words(document: Document, number: int) -> bytes | None:
    """The words of page `number`, from 1; of a document without pages its text; None where there is no such page."""
    of = len(document.pages)
    if not of:
        return orjson.dumps({"page": 1, "of": 0, "text": document.text}) if number == 1 else None
    page = document.pages[number - 1] if 1 <= number <= of else None
    if page is None:
        return None
    head = _head(page)
    return orjson.dumps({"page": head.pop("page"), "of": of, **head, "words": [_word(word) for word in page.words]})


def _head(page: Page) -> dict[str, Any]:
    said = {"reason": page.reason} if page.reason else {}
    return {
        "page": page.number,
        "width": page.width,
        "height": page.height,
        "method": page.method,
        "confidence": round(page.confidence, 1),
        "start": page.start,
        "end": page.end,
        **said,
    }


def _doubtful(page: Page) -> int:
    return sum(_is_doubtful(word) for word in page.words)


def _is_doubtful(word: Word) -> bool:
    """Whether a person should look: two readers differ, or the only one was not sure."""
    return word.repair != BY_HAND and (word.other is not None or word.confidence < UNSURE)


def _word(word: Word) -> list[Any]:
    """`[text, left, top, width, height, start, end, confidence, doubtful]`, then the other reading if there is one."""
    xs, ys = word.quad[0::2], word.quad[1::2]
    left, top = max(min(xs), 0.0), max(min(ys), 0.0)
    sides = (left, top, min(max(xs), 1.0) - left, min(max(ys), 1.0) - top)
    other = word.raw if word.repair == BY_HAND else word.other
    said = [] if other is None else [other]
    places = [round(side, _PLACES) for side in sides]
    return [word.text, *places, word.start, word.end, round(word.confidence), int(_is_doubtful(word)), *said]
