"""Find the concepts that a person means: by code, by whole name, by words in any order, the last of them unfinished."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from dataclasses import dataclass, field

from terminology.model import Concept
from terminology.search.intervals import Intervals
from terminology.search.order import Why, best_name
from terminology.search.searcher import Searcher, Test, Wanted
from terminology.store.file import EditionFile


@dataclass(frozen=True, slots=True)
class Hit:
    """A concept that a text found, by which of its names, and how that name answers the text."""

    concept: Concept
    name: str
    why: Why


@dataclass(frozen=True, slots=True)
class Found:
    """One page of what a text found; `total` counts all of it.

    `corrected` says what was searched for instead of which word, `left_out` which words nothing was found with.
    """

    hits: tuple[Hit, ...] = ()
    total: int = 0
    corrected: dict[str, str] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()

    @property
    def concepts(self) -> list[Concept]:
        """The concepts of the hits."""
        return [hit.concept for hit in self.hits]

    def __iter__(self) -> Iterator[Hit]:
        """The hits of the page."""
        return iter(self.hits)

    def __len__(self) -> int:
        """How many hits the page has."""
        return len(self.hits)


@dataclass(frozen=True, slots=True)
class Page:
    """One page of what a text found without saying why; otherwise as `Found`."""

    concepts: list[Concept]
    total: int
    corrected: dict[str, str]


def search(
    file: EditionFile,
    text: str,
    *,
    count: int = 20,
    offset: int = 0,
    billable: bool = False,
    active: bool = False,
    within: Intervals | None = None,
    partial: bool = True,
) -> Found:
    """The concepts that `text` finds, best first.

    `billable` and `active` keep those that may be billed or are in use, `within` those whose id lies in one of the
    intervals. Words that nobody has are corrected; where nothing has all the words, a `partial` search leaves out some.
    """
    searcher = _searcher(file)
    ranking = searcher.ranking(Wanted(text, billable, active, within, partial))
    ranks = list(ranking.page(offset, count))
    concepts = searcher.concepts(ranks)
    names = searcher.names([(r, c.code) for r, c in zip(ranks, concepts, strict=True)])
    parts = ranking.query.parts
    hits = []
    for rank, concept in zip(ranks, concepts, strict=True):
        why = ranking.whys.get(rank)
        if why is Why.CODE:
            hits.append(Hit(concept, concept.display, why))
            continue
        name, how = best_name(concept.display, names[rank], parts)
        hits.append(Hit(concept, name, why or how))
    return Found(tuple(hits), ranking.total, ranking.query.corrected, ranking.left_out)


def page(
    file: EditionFile,
    text: str,
    *,
    count: int,
    offset: int = 0,
    active: bool = False,
    within: Intervals | None = None,
    test: Test | None = None,
) -> Page:
    """What `search` finds with all its words, without looking at the names; `test` keeps the codes that pass it."""
    searcher = _searcher(file)
    ranking = searcher.ranking(Wanted(text, False, active, within, False), test)
    return Page(searcher.concepts(list(ranking.page(offset, count))), ranking.total, ranking.query.corrected)


def _searcher(file: EditionFile) -> Searcher:
    found = _searchers.get(file)
    if found is None:
        found = _searchers[file] = Searcher(file)
    return found


_searchers: weakref.WeakKeyDictionary[EditionFile, Searcher] = weakref.WeakKeyDictionary()
