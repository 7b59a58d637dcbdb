"""Find the concepts that a person means: by code, by whole name, by words in any order, the last of them unfinished."""

from __future__ import annotations

import json
import re
import sqlite3
import weakref
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import reduce
from itertools import combinations, islice

from terminology.model import Concept
from terminology.search import bits
from terminology.search.index import Index, Sets, both
from terminology.search.intervals import Intervals
from terminology.search.layout import Kind
from terminology.search.order import Why, best_name, reordered
from terminology.search.query import Levels, Query, Slot, levels, read
from terminology.store.file import EditionFile

POOL = 60
"""Of the concepts that a text of several words finds, those that are compared name by name."""

MOST_CODES_FIRST = 2_000
"""Codes that begin with a code, in the order of the book, before what else is found."""

MOST_RANKINGS = 32
_CODE = re.compile(r"[A-Za-z]{0,2}\d[0-9A-Za-z]*(?:[.-][0-9A-Za-z]+)*[.-]?|[A-Za-z]\d[A-Za-z0-9](?:\.[A-Za-z0-9]+)?")
_RANGE = re.compile(r"([A-Za-z]\d\w(?:\.\w+)?)\s*(?:-|–|to|\.\.)\s*([A-Za-z]\d\w(?:\.\w+)?)")
Test = Callable[[str], object]


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


def search(
    file: EditionFile,
    text: str,
    *,
    count: int = 20,
    offset: int = 0,
    billable: bool = False,
    active: bool = False,
    within: Intervals | None = None,
    test: Test | None = None,
    partial: bool = True,
) -> Found:
    """The concepts that `text` finds, best first.

    `billable` and `active` keep those that may be billed or are in use, `within` those whose id lies in one of the
    intervals, `test` those whose code passes. Words that nobody has are corrected; where nothing has all the words,
    a `partial` search leaves out some.
    """
    searcher = _searcher(file)
    ranking = searcher.ranking(text, billable, active, within, test, partial)
    ranks = list(ranking.page(offset, count))
    concepts = file.by_ids([searcher.index.order[rank] for rank in ranks])
    names = searcher.names(ranks)
    accepted = ranking.query.accepted
    hits = []
    for rank, concept in zip(ranks, concepts, strict=True):
        why = ranking.whys.get(rank)
        name, how = best_name(concept.display, names.get(rank, ()), accepted)
        hits.append(Hit(concept, concept.display if why is Why.CODE else name, why or how))
    return Found(tuple(hits), ranking.total, ranking.query.corrected, ranking.left_out)


@dataclass
class _Ranking:
    """All that a text finds, in order: `first` one by one, then the sets of `tiers` one after the other."""

    query: Query
    size: int
    first: list[int]
    tiers: list[int]
    total: int
    whys: dict[int, Why]
    left_out: tuple[str, ...]

    def page(self, offset: int, count: int) -> Iterator[int]:
        return islice(self._from(offset), count)

    def _from(self, offset: int) -> Iterator[int]:
        yield from self.first[offset:]
        skip = max(0, offset - len(self.first))
        for tier in self.tiers:
            held = tier.bit_count()
            if skip >= held:
                skip -= held
                continue
            yield from bits.ranks(tier, self.size, skip)
            skip = 0


class _Searcher:
    """The index of one file and the rankings that pages are being read of."""

    def __init__(self, file: EditionFile) -> None:
        self._file = weakref.ref(file)
        self.index = Index(weakref.proxy(file))
        self._rankings: OrderedDict[object, _Ranking] = OrderedDict()

    def ranking(
        self,
        text: str,
        billable: bool,
        active: bool,
        within: Intervals | None,
        test: Test | None,
        partial: bool,
    ) -> _Ranking:
        key = text, billable, active, within, partial
        found = self._rankings.get(key) if test is None else None
        if found is None:
            found = self._rank(text, self._kept(billable, active, within), test, partial)
            if test is None:
                self._rankings[key] = found
            while len(self._rankings) > MOST_RANKINGS:
                self._rankings.popitem(last=False)
        return found

    def _kept(self, billable: bool, active: bool, within: Intervals | None) -> int:
        kept = -1 if within is None else self.index.between(within)
        if billable:
            kept &= self.index.billable
        return kept & self.index.active if active else kept

    def _rank(self, text: str, kept: int, test: Test | None, partial: bool) -> _Ranking:
        index = self.index
        exact, rest = self._codes(text)
        if rest is None:  # a code alone
            only = exact[:MOST_CODES_FIRST]
            whys = dict.fromkeys(only, Why.CODE)
            return self._made(Query([]), only, [bits.of(exact, index.size)], kept, test, whys, ())
        if exact:
            kept &= bits.of(exact, index.size)
        query = read(
            index,
            rest,
        )
        tiers = self._tiers(query.slots)
        left_out: tuple[str, ...] = ()
        if partial and query.slots and not any(t & kept for t in tiers):
            query, left_out, tiers = self._without(query, kept)
        named = self._named(query)
        pool = list(islice((rank for tier in _disjoint(tiers, kept) for rank in bits.ranks(tier, index.size)), POOL))
        pool = self._reordered(pool, query) if len(query.slots) > 1 else []
        first = list(dict.fromkeys((*named, *pool)))
        return self._made(query, first, tiers, kept, test, dict.fromkeys(named, Why.NAME), left_out)

    def _made(
        self,
        query: Query,
        first: Sequence[int],
        tiers: list[int],
        kept: int,
        test: Test | None,
        whys: dict[int, Why],
        left_out: tuple[str, ...],
    ) -> _Ranking:
        size = self.index.size
        if kept != -1:
            first = [rank for rank in first if kept >> rank & 1]
        if test is not None:
            kept &= self._passing(reduce(int.__or__, tiers, bits.of(first, size)) & kept, test)
            first = [rank for rank in first if kept >> rank & 1]
        taken = bits.of(first, size)
        rest = list(_disjoint([t & ~taken for t in tiers], kept))
        return _Ranking(query, size, list(first), rest, len(first) + sum(t.bit_count() for t in rest), whys, left_out)

    def _passing(self, found: int, test: Test) -> int:
        ranks = list(bits.ranks(found, self.index.size))
        codes = self._code_of(ranks)
        return bits.of((rank for rank in ranks if test(codes[rank])), self.index.size)

    def _code_of(self, ranks: list[int]) -> dict[int, str]:
        order = self.index.order
        sql = "SELECT id, code FROM concept WHERE id IN (SELECT value FROM json_each(?))"
        codes = dict(self._db.execute(sql, (json.dumps([order[rank] for rank in ranks]),)))
        return {rank: codes[order[rank]] for rank in ranks}

    @property
    def _db(self) -> sqlite3.Connection:
        return self.file.db

    @property
    def file(self) -> EditionFile:
        """The file, which lives as long as somebody asks it."""
        found = self._file()
        if found is None:
            raise ReferenceError("the file is no longer open")
        return found

    def _codes(self, text: str) -> tuple[list[int], str | None]:
        """The concepts whose codes the text begins with or spans, and the words beside the code; None for no words."""
        plain = text.strip()
        span = _RANGE.fullmatch(plain)
        if span:
            found = self.index.codes(span[1].upper(), span[2].upper())
            if found:
                return found, None
        pieces = plain.split()
        for i, piece in enumerate(pieces):
            if not _CODE.fullmatch(piece):
                continue
            if (found := self._coded(piece)) and (len(pieces) == 1 or len(piece) >= 3):
                rest = " ".join(pieces[:i] + pieces[i + 1 :])
                return found, (rest + text[len(text.rstrip()) :]) if rest else None
        return [], text

    def _coded(self, piece: str) -> list[int]:
        bare = piece.rstrip(".-")
        for code in dict.fromkeys((bare, bare.upper(), _dotted(bare.upper()))):
            if found := self.index.codes(code, code):
                return found
        return []

    def _tiers(self, slots: list[Slot]) -> list[int]:
        """Who has all slots: as they were said, as they are meant, begun; in the display, in a name, or by a header."""
        if not slots:
            return []
        found: list[Levels] = [levels(self.index, slot) for slot in slots]
        plain, meant, begun = (
            reduce(both, sets)
            for sets in ([f.plain for f in found], [f.meant for f in found], [f.begun for f in found])
        )
        return [*_fields(plain), *_fields(meant), meant.above, *_fields(begun), begun.above]

    def _without(self, query: Query, kept: int) -> tuple[Query, tuple[str, ...], list[int]]:
        """The fewest words left out so that something is found; of several ways the one that finds the fewest."""
        slots = query.slots
        for left in range(1, min(len(slots), 4)):
            ways = []
            for out in combinations(range(len(slots)), left):
                some = [slot for i, slot in enumerate(slots) if i not in out]
                tiers = self._tiers(some)
                total = (reduce(int.__or__, tiers) & kept).bit_count()
                if total:
                    ways.append((total, out, some, tiers))
            if ways:
                _, out, some, tiers = min(ways)[:4]
                return Query(some, query.corrected), tuple(" ".join(slots[i].said) for i in out), tiers
        return query, (), self._tiers(slots)

    def _named(self, query: Query) -> list[int]:
        """Those of whom the text is a whole name, the likelier reading and the surer kind first."""
        found: dict[int, tuple[int, int, int]] = {}
        for reading, key in enumerate(query.readings()):
            for kind, rank in self.index.named(key):
                found.setdefault(rank, (reading > 0 and kind > Kind.HEADER, reading, kind))
        return [rank for rank, _ in sorted(found.items(), key=lambda item: (item[1], item[0]))]

    def _reordered(self, pool: list[int], query: Query) -> list[int]:
        concepts = self.file.by_ids([self.index.order[rank] for rank in pool])
        return reordered(pool, concepts, self.names(pool), query.accepted, self.index.size)

    def names(self, ranks: Sequence[int]) -> dict[int, list[str]]:
        """The names of concepts other than their displays, with what their headers include."""
        found: dict[int, list[str]] = {}
        for rank in ranks:
            rows = self._db.execute(_NAMES, (self.index.order[rank],)).fetchall()
            if rows:
                found[rank] = [text for (text,) in rows]
        return found


_NAMES = """SELECT text FROM name WHERE concept = ?1
  UNION ALL SELECT text FROM note WHERE concept = ?1 AND kind = 'includes'"""


def _fields(sets: Sets) -> tuple[int, int, int]:
    return sets.begins, sets.title, sets.own


def _disjoint(tiers: list[int], kept: int) -> Iterator[int]:
    """Each tier without those before it."""
    for tier in tiers:
        new = tier & kept
        if new:
            yield new
            kept &= ~new


def _dotted(code: str) -> str:
    return f"{code[:3]}.{code[3:]}" if len(code) > 3 and "." not in code else code


def _searcher(file: EditionFile) -> _Searcher:
    found = _searchers.get(file)
    if found is None:
        found = _searchers[file] = _Searcher(file)
    return found


_searchers: weakref.WeakKeyDictionary[EditionFile, _Searcher] = weakref.WeakKeyDictionary()
