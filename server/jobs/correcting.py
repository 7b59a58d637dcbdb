"""What a person says stands at spans of the text, as corrections of whole words of a line, joined with earlier ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from extractors.model import Document, Page, Word
from extractors.pages.corrected import BY_HAND, Correction
from fhir_profiles.errors import Category, FhirError

Standing = tuple[Correction, str]
"""A correction, and what was read in its place."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a person says stands on a page at a span of the document's text as it is now."""

    page: int
    offset: int
    length: int
    text: str


@dataclass(slots=True)
class _Run:
    """Words `first` to `last` of a page that are corrected together."""

    first: int
    last: int


def joined(document: Document, said: Sequence[Said], standing: Sequence[Standing]) -> list[Standing]:
    """The corrections that stand after what was said now; FhirError for a span that is not whole words of a line."""
    by_page: dict[int, list[tuple[_Run, Said]]] = {}
    for number, one in enumerate(said):
        page = _page(document, one, number)
        by_page.setdefault(page.number, []).append((_words(page, one, number), one))
    kept = [one for one in standing if one[0].page not in by_page]
    for page in document.pages:
        if page.number in by_page:
            kept += _on(page, by_page[page.number], [one for one in standing if one[0].page == page.number])
    return kept


def _page(document: Document, one: Said, number: int) -> Page:
    if not 1 <= one.page <= len(document.pages):
        raise _wrong("The document has no such page.", number)
    return document.pages[one.page - 1]


def _words(page: Page, one: Said, number: int) -> _Run:
    """The words that a span names, by their place on the page."""
    end = one.offset + one.length
    places = [place for place, word in enumerate(page.words) if word.start < end and word.end > one.offset]
    if not places:
        raise _wrong("There are no words at this offset of the page.", number)
    first, last = page.words[places[0]], page.words[places[-1]]
    if (first.start, last.end) != (one.offset, end) or first.line != last.line:
        raise _wrong("Name whole words of one line, by the offsets that $page-words tells.", number)
    return _Run(places[0], places[-1])


def _on(page: Page, said: Sequence[tuple[_Run, Said]], standing: Sequence[Standing]) -> list[Standing]:
    """The corrections of a page: those that are said, with what they touch, and those that nobody touched."""
    earlier = [(run, one) for one in standing if (run := _place(page, one[0])) is not None]
    texts = {run.first: (run.last, one.text) for run, one in said}
    touched: set[int] = set()
    made: list[Standing] = []
    for run in _merged([run for run, _ in said], [run for run, _ in earlier]):
        within = {old.first: (old.last, one) for old, one in earlier if run.first <= old.first <= run.last}
        touched |= {id(one) for _, one in within.values()}
        text = _walk(page.words, run, texts)
        read = _walk(page.words, run, {first: (last, one[1]) for first, (last, one) in within.items()})
        made.append((_around(page, run, text), read))
    return [one for one in standing if id(one) not in touched] + made


def _place(page: Page, correction: Correction) -> _Run | None:
    """The words of the page that a standing correction put there."""
    places = [n for n, word in enumerate(page.words) if word.repair == BY_HAND and correction.holds(word)]
    return _Run(places[0], places[-1]) if places else None


def _merged(said: Sequence[_Run], earlier: Sequence[_Run]) -> list[_Run]:
    """The runs that are said, each widened by the earlier ones that it touches."""
    said = sorted(said, key=lambda run: run.first)
    for one, other in pairwise(said):
        if other.first <= one.last:
            raise FhirError.of(Category.INCORRECT, "business-rule", "Two corrections name the same word.")
    merged: list[_Run] = []
    for run in said:
        wide = _Run(run.first, run.last)
        for old in earlier:
            if old.first <= run.last and old.last >= run.first:
                wide = _Run(min(wide.first, old.first), max(wide.last, old.last))
        if merged and wide.first <= merged[-1].last:
            merged[-1].last = max(merged[-1].last, wide.last)
        else:
            merged.append(wide)
    return merged


def _walk(words: Sequence[Word], run: _Run, instead: dict[int, tuple[int, str]]) -> str:
    """The words of a run, with other texts for some spans of it."""
    texts, at = [], run.first
    while at <= run.last:
        last, text = instead.get(at, (at, words[at].text))
        texts.append(text)
        at = last + 1
    return " ".join(texts)


def _around(page: Page, run: _Run, text: str) -> Correction:
    quads = [word.quad for word in page.words[run.first : run.last + 1]]
    left, top = min(x for quad in quads for x in quad[0::2]), min(y for quad in quads for y in quad[1::2])
    right, bottom = max(x for quad in quads for x in quad[0::2]), max(y for quad in quads for y in quad[1::2])
    return Correction(page.number, left, top, right - left, bottom - top, text)


def _wrong(text: str, number: int) -> FhirError:
    return FhirError.of(Category.INCORRECT, "business-rule", text, f"Parameters.parameter[{number}]")
