"""Rank all that a text finds: what has it as its code or its name, then the sets of what has its words."""

from __future__ import annotations

import json
import sqlite3
import weakref
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import combinations, islice
from typing import NamedTuple

from terminology.model import Concept
from terminology.search import bits
from terminology.search.codes import Coded, read_codes
from terminology.search.index import Index, Sets, both
from terminology.search.intervals import Intervals
from terminology.search.layout import Kind
from terminology.search.names import names_of
from terminology.search.order import TIER, Why, scored
from terminology.search.query import Levels, Query, Slot, levels, read, respelled
from terminology.store.file import EditionFile

POOL = 48
"""Of the concepts that a text of several words finds, those that are compared name by name."""

LONGEST_TEXT = 400
"""Characters of a text that are read."""

MOST_CODES_FIRST = 2_000
"""Codes that begin with a code that are told in the order of the book."""

MOST_LEFT_OUT = 2
"""Words that are left out in every possible way; where it takes more, the rarest words stay."""

MOST_RANKINGS = 32
"""Texts whose rankings stay at hand, for the pages that follow the first."""

MOST_TRIED = 10
"""Parts of a text up to which every way to leave some out is tried."""

Test = Callable[[str], object]


class Wanted(NamedTuple):
    """What is searched for, and among which."""

    text: str
    billable: bool = False
    active: bool = False
    within: Intervals | None = None
    partial: bool = True


@dataclass
class Ranking:
    """All that a text finds, in order: `first` one by one, then the sets of `tiers` one after the other."""

    query: Query
    size: int
    first: list[int]
    tiers: list[int]
    total: int
    whys: dict[int, Why]
    left_out: tuple[str, ...] = ()

    def page(self, offset: int, count: int) -> Iterator[int]:
        """Some of the ranks."""
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


class Searcher:
    """The index of one file, and the rankings of which pages are being read."""

    def __init__(self, file: EditionFile) -> None:
        self._file = weakref.ref(file)
        self._system = file.edition.system
        self.index = Index(weakref.proxy(file))
        self._rankings: OrderedDict[Wanted, Ranking] = OrderedDict()

    def ranking(self, wanted: Wanted, test: Test | None = None) -> Ranking:
        """All that is found; of those the ones whose code passes the test."""
        wanted = wanted._replace(text=wanted.text[:LONGEST_TEXT])
        found = self._rankings.get(wanted) if test is None else None
        if found is None:
            found = self._ranking(wanted, test)
            if test is None:
                self._rankings[wanted] = found
                while len(self._rankings) > MOST_RANKINGS:
                    self._rankings.popitem(last=False)
        return found

    def concepts(self, ranks: Sequence[int]) -> list[Concept]:
        """The concepts of ranks."""
        return self._open.by_ids([self.index.order[rank] for rank in ranks])

    def names(self, concepts: Sequence[tuple[int, str]]) -> dict[int, list[str]]:
        """The names of concepts, given as (rank, code), other than their displays: the file's and our own."""
        order = self.index.order
        rows = self._db.execute(_NAMES, (json.dumps([order[rank] for rank, _ in concepts]),))
        by_id: dict[int, list[str]] = {}
        for number, text in rows:
            by_id.setdefault(number, []).append(text)
        return {rank: [*by_id.get(order[rank], ()), *names_of(self._system, code)] for rank, code in concepts}

    def _ranking(self, wanted: Wanted, test: Test | None) -> Ranking:
        index = self.index
        kept = self._kept(wanted)
        coded = read_codes(index, wanted.text)
        if coded is not None and coded.rest is None:
            return self._made(self._by_code(coded, partial=wanted.partial), kept, test)
        if coded is not None:
            kept &= self._all(coded)
        query = read(index, wanted.text if coded is None else coded.rest or "")
        tiers = _tiers(self._levels(query.slots))
        left_out: tuple[str, ...] = ()
        if query.slots and not _union(tiers) & kept:
            other = self._other_spelling(query, kept)
            if other is not None:
                query, tiers = other
            elif wanted.partial:
                query, left_out, tiers = self._without(query, kept)
        named = self._named(query)
        pool = self._pool(query, tiers, kept) if query.wordy else []
        first = list(dict.fromkeys((*named, *pool)))
        whys = dict.fromkeys(named, Why.NAME)
        return self._made(Ranking(query, index.size, first, tiers, 0, whys, left_out), kept, test)

    def _by_code(self, coded: Coded, *, partial: bool) -> Ranking:
        if coded.unknown and not partial:
            return Ranking(Query([]), self.index.size, [], [], 0, {})
        first = coded.ranks[:MOST_CODES_FIRST]
        left_out = (coded.unknown,) if coded.unknown else ()
        return Ranking(
            Query([]), self.index.size, first, [self._all(coded)], 0, dict.fromkeys(first, Why.CODE), left_out
        )

    def _kept(self, wanted: Wanted) -> int:
        kept = -1 if wanted.within is None else self.index.between(wanted.within)
        if wanted.billable:
            kept &= self.index.billable
        return kept & self.index.active if wanted.active else kept

    def _all(self, coded: Coded) -> int:
        return bits.of(coded.ranks, self.index.size)

    def _made(self, ranking: Ranking, kept: int, test: Test | None) -> Ranking:
        """The ranking of those that are kept and pass the test, each once, with their number."""
        if test is not None:
            found = _union(ranking.tiers) | bits.of(ranking.first, ranking.size)
            kept &= self._passing(found & kept, test)
        if kept != -1:
            ranking.first = [rank for rank in ranking.first if kept >> rank & 1]
        taken = bits.of(ranking.first, ranking.size)
        ranking.tiers = [t for t in _disjoint([tier & ~taken for tier in ranking.tiers], kept) if t]
        ranking.total = len(ranking.first) + sum(tier.bit_count() for tier in ranking.tiers)
        return ranking

    def _passing(self, found: int, test: Test) -> int:
        order, size = self.index.order, self.index.size
        ranks = list(bits.ranks(found, size))
        codes = dict(self._db.execute(_CODES, (json.dumps([order[rank] for rank in ranks]),)))
        return bits.of((rank for rank in ranks if test(codes[order[rank]])), size)

    def _levels(self, slots: Sequence[Slot]) -> list[Levels]:
        return [levels(self.index, slot) for slot in slots]

    def _other_spelling(self, query: Query, kept: int) -> tuple[Query, list[int]] | None:
        """The text with one word that somebody has taken for a misspelled one, where that finds something."""
        held = self._levels(query.slots)
        ways: list[tuple[int, int, Query, list[int]]] = []
        for place, other in respelled(self.index, query):
            tiers = _tiers([*held[:place], levels(self.index, other.slots[place]), *held[place + 1 :]])
            if total := (_union(tiers) & kept).bit_count():
                ways.append((total, len(ways), other, tiers))
        return max(ways, key=lambda way: (way[0], -way[1]))[2:] if ways else None

    def _without(self, query: Query, kept: int) -> tuple[Query, tuple[str, ...], list[int]]:
        """As few words left out as it takes to find something; of several ways the one that finds the fewest."""
        slots, held = query.slots, self._levels(query.slots)
        every = range(len(slots))
        stays = next((best for n in range(1, MOST_LEFT_OUT + 1) if (best := _fewest(held, n, kept))), None)
        if stays is None:  # the rarest first, as long as they meet
            stays = []
            for place in sorted(every, key=lambda i: (held[i].begun.above & kept).bit_count()):
                if _union(_tiers([held[i] for i in (*stays, place)])) & kept:
                    stays.append(place)
        stays.sort()
        some = Query([slots[i] for i in stays])
        said = {word for slot in some.slots for word in slot.said}
        some.corrected = {wrong: right for wrong, right in query.corrected.items() if right in said}
        written = {right: wrong for wrong, right in query.corrected.items()}
        out = (written.get(word, word) for i in every if i not in stays for word in slots[i].said)
        return some, tuple(out) if stays else (), _tiers([held[i] for i in stays])

    def _named(self, query: Query) -> list[int]:
        """Those of whom the text is a whole name, the likelier reading and the surer kind first."""
        found: dict[int, tuple[bool, int, int]] = {}
        for reading, key in enumerate(query.readings()):
            for kind, rank in self.index.named(key):
                found.setdefault(rank, (reading > 0 and kind > Kind.HEADER, reading, kind))
        return [rank for rank, _ in sorted(found.items(), key=lambda item: (item[1], item[0]))]

    def _pool(self, query: Query, tiers: list[int], kept: int) -> list[int]:
        """The likeliest of the first tiers, the best names first."""
        size = self.index.size
        ranks = ((n, rank) for n, tier in enumerate(_disjoint(tiers, kept)) for rank in bits.ranks(tier, size))
        tier_of = {rank: n for n, rank in islice(ranks, POOL)}
        pool = list(tier_of)
        concepts = self.concepts(pool)
        names = self.names([(r, c.code) for r, c in zip(pool, concepts, strict=True)])
        scores = scored(pool, concepts, names, query.parts, size)
        return sorted(pool, key=lambda rank: TIER * tier_of[rank] - scores[rank])

    @property
    def _open(self) -> EditionFile:
        """The file, which lives as long as somebody asks it."""
        found = self._file()
        if found is None:
            raise ReferenceError("the file is no longer open")
        return found

    @property
    def _db(self) -> sqlite3.Connection:
        return self._open.db


_NAMES = """WITH asked AS MATERIALIZED (SELECT value AS id FROM json_each(?))
  SELECT concept, text FROM asked CROSS JOIN name ON concept = id
  UNION ALL SELECT concept, text FROM asked CROSS JOIN note ON concept = id WHERE kind = 'includes'"""
_CODES = "SELECT id, code FROM concept WHERE id IN (SELECT value FROM json_each(?))"


def _union(tiers: Sequence[int]) -> int:
    return reduce(int.__or__, tiers, 0)


def _tiers(held: Sequence[Levels]) -> list[int]:
    """Who has all slots: as they were said, as they are meant, begun; in the display, in a name, or by a header."""
    if not held:
        return []
    plain = reduce(both, [level.plain for level in held])
    meant = reduce(both, [level.meant for level in held])
    begun = reduce(both, [level.begun for level in held])
    return [*_fields(plain), *_fields(meant), meant.above, *_fields(begun), begun.above]


def _fewest(held: Sequence[Levels], left_out: int, kept: int) -> list[int] | None:
    """The places that stay when so many are left out, something is found, and as little as possible."""
    found = []
    for out in combinations(range(len(held)), left_out) if left_out < len(held) <= MOST_TRIED else ():
        stays = [i for i in range(len(held)) if i not in out]
        if total := (_union(_tiers([held[i] for i in stays])) & kept).bit_count():
            found.append((total, stays))
    return min(found)[1] if found else None


def _fields(sets: Sets) -> tuple[int, int, int]:
    return sets.begins, sets.title, sets.own


def _disjoint(tiers: Sequence[int], kept: int) -> Iterator[int]:
    """Each tier without those before it, which may leave nobody."""
    for tier in tiers:
        new = tier & kept
        kept &= ~new
        yield new
