"""Write the tables of the search once all concepts of an edition are in its file."""

from __future__ import annotations

import json
import sqlite3
from array import array
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby, islice
from operator import itemgetter
from typing import TypeAlias

from fhir_profiles.systems import ICD10CM
from terminology.search import bits
from terminology.search.layout import RANK_BITS, TABLES, UNRANKED, Kind, letters
from terminology.search.leaves import Place, default_leaves
from terminology.search.names import own_names
from terminology.search.rank import EXTERNAL, cost, use
from terminology.search.variants import variants
from terminology.search.words import bag, joined, telling, words

LONG_NAME = 8
"""Telling words up to which a name other than the title is kept whole; longer ones are found by their words."""

LONG_TITLE = 16
"""Words up to which the shorter ways of saying a title are looked for."""

HEAVY = 3_000
"""Places where words of one beginning occur, from which on the beginning has sets of its own."""

_TITLE_KINDS = frozenset(("inclusion", "index"))
_SKIPPED_FIRST = frozenset(("unspecified", "other", "the"))
Sets = tuple[int, int, int, int]
Lists: TypeAlias = "defaultdict[str, array[int]]"


def write_words(db: sqlite3.Connection) -> None:
    """Make and fill the tables from `concept`, `name` and `note`; about 60 µs a name."""
    for statement in TABLES.split(";"):  # a script would end the transaction of the writer
        db.execute(statement)
    row = db.execute("SELECT value FROM manifest WHERE key = 'system'").fetchone()
    system = str(json.loads(row[0])) if row else ""
    ours: defaultdict[str, list[str]] = defaultdict(list)
    for name, code in own_names(system):
        ours[code].append(name)
    leaves = _leaves(db) if system == ICD10CM else {}
    gathered = _Gathered()
    for concept in _concepts(db, ours):
        gathered.add(concept, leaves.get(concept.code), EXTERNAL if system == ICD10CM else 0.0)
    _Writer(db, gathered).write()


def _leaves(db: sqlite3.Connection) -> dict[str, int]:
    """Header → the id of the leaf that says no more."""
    rows = db.execute(
        "SELECT c.id, c.code, c.display, p.code, c.billable, c.properties FROM concept c "
        "LEFT JOIN concept p ON p.id = c.parent WHERE NOT c.heading ORDER BY c.id"
    ).fetchall()
    by_code = {row[1]: row[0] for row in rows}
    places = (Place(r[1], r[2], r[3], bool(r[4]), '"seventh"' in (r[5] or "")) for r in rows)
    return {header: by_code[leaf] for header, leaf in default_leaves(places).items() if leaf in by_code}


@dataclass(frozen=True, slots=True)
class _Concept:
    id: int
    code: str
    display: str
    billable: bool | None
    active: bool
    last: int
    properties: str | None
    names: list[tuple[str, str]]  # text, kind
    ours: list[str]


def _concepts(db: sqlite3.Connection, ours: dict[str, list[str]]) -> Iterator[_Concept]:
    """Those that can be found, in book order, with their names."""
    texts = db.execute(
        "SELECT concept, text, kind FROM name UNION ALL "
        "SELECT concept, text, 'inclusion' FROM note WHERE kind = 'includes' ORDER BY concept"
    )
    groups = groupby(texts, itemgetter(0))
    waiting = next(groups, None)
    rows = db.execute("SELECT id, code, display, billable, active, last, properties, heading FROM concept ORDER BY id")
    for number, code, display, billable, active, last, properties, heading in rows:
        names: list[tuple[str, str]] = []
        if waiting is not None and waiting[0] == number:
            names = [(text, kind) for _, text, kind in waiting[1]]
            waiting = next(groups, None)
        if not heading:
            may_be_billed = None if billable is None else bool(billable)
            own = ours.get(code, [])
            yield _Concept(number, code, display, may_be_billed, bool(active), last, properties, names, own)


def _lists() -> Lists:
    return defaultdict(lambda: array("I"))


@dataclass
class _Gathered:
    """Who has which word, as ids that rise; `own` and `above` hold what the list before does not."""

    begins: Lists = field(default_factory=_lists)
    title: Lists = field(default_factory=_lists)
    own: Lists = field(default_factory=_lists)
    above: Lists = field(default_factory=_lists)
    bags: array[int] = field(default_factory=lambda: array("q"))
    kinds: array[int] = field(default_factory=lambda: array("B"))
    named: array[int] = field(default_factory=lambda: array("I"))
    costs: list[tuple[float, int, int]] = field(default_factory=list)
    kept: tuple[array[int], array[int]] = field(default_factory=lambda: (array("I"), array("I")))  # billable, active
    last: int = 0
    _over: list[tuple[int, frozenset[str]]] = field(default_factory=list)  # last id below, words from there up

    def add(self, concept: _Concept, leaf: int | None, external: float) -> None:
        """Take in one concept; ancestors come before what lies below them."""
        titled = words(concept.display)
        self._cost(concept, titled, external if concept.code[0] in "VWXY" else 0.0)
        first = next((w for w in titled if w not in _SKIPPED_FIRST), None)
        if first is not None:
            self.begins[first].append(concept.id)
        title = {*titled, *joined(concept.display)}
        for word in title:
            self.title[word].append(concept.id)
        texts = [*(text for text, _ in concept.names), *concept.ours]
        own = {word for text in texts for word in (*words(text), *joined(text))}.difference(title)
        for word in own:
            self.own[word].append(concept.id)
        if concept.billable is not None:
            self._inherit(concept, own.union(title))
        self._name(concept, titled, leaf)

    def _cost(self, concept: _Concept, titled: list[str], more: float) -> None:
        found = cost(titled, billable=concept.billable, active=concept.active, ours=bool(concept.ours)) + more
        if concept.properties and ('"COMMON_TEST_RANK"' in concept.properties or '"TTY"' in concept.properties):
            found += use(json.loads(concept.properties))
        self.costs.append((found, len(concept.display), concept.id))
        self.last = concept.id
        for ids, wanted in zip(self.kept, (concept.billable, concept.active), strict=True):
            if wanted:
                ids.append(concept.id)

    def _inherit(self, concept: _Concept, have: set[str]) -> None:
        while self._over and self._over[-1][0] < concept.id:
            self._over.pop()
        above = self._over[-1][1] if self._over else _NO_WORDS
        for word in above - have:
            self.above[word].append(concept.id)
        if concept.last > concept.id:
            self._over.append((concept.last, above | have))

    def _name(self, concept: _Concept, titled: list[str], leaf: int | None) -> None:
        header = concept.billable is False
        told: dict[int, int] = {}
        told[bag(titled)] = Kind.HEADER if header else Kind.TITLE  # however long: a title finds itself
        if len(titled) <= LONG_TITLE and _LATER.isdisjoint(titled):
            for text, _ in islice(variants(concept.display, "title"), 1, None):
                _tell(told, words(text), Kind.HEADER if header else Kind.SHORTENED)
        for text in concept.ours:
            _tell(told, words(text), Kind.OURS)
        for text, kind_of_name in concept.names:
            for variant, _ in variants(text, "inclusion" if kind_of_name in _TITLE_KINDS else kind_of_name):
                _tell(told, words(variant), Kind.HEADER_NAME if header else Kind.NAME)
        for key, kind in told.items():
            self._hit(key, kind, concept.id)
            if leaf is not None and header:
                self._hit(key, kind - 1, leaf)

    def _hit(self, key: int, kind: int, concept: int) -> None:
        self.bags.append(key)
        self.kinds.append(kind)
        self.named.append(concept)


def _tell(told: dict[int, int], name: list[str], kind: int) -> None:
    found = telling(name)
    if found and len(found) <= LONG_NAME:
        told.setdefault(bag(found), kind)


class _Writer:
    def __init__(self, db: sqlite3.Connection, gathered: _Gathered) -> None:
        self._db = db
        self._of = gathered
        self._parts = gathered.begins, gathered.title, gathered.own, gathered.above
        self._size = len(gathered.costs)
        self._sets: dict[bytes, int] = {}
        self._nobody = self._keep(bits.pack(0, self._size))

    def write(self) -> None:
        self._order()
        vocabulary = sorted({*self._of.title, *self._of.own, *self._of.above})
        self._db.executemany("INSERT INTO search_word VALUES (?,?,?,?,?)", self._words(vocabulary))
        counts = array("Q", [0])
        for word in vocabulary:
            counts.append(counts[-1] + sum(len(part.get(word, ())) for part in self._parts[1:]))
        self._beginning(vocabulary, counts, 0, len(vocabulary), 0)
        self._names()
        self._spelling(vocabulary)

    def _order(self) -> None:
        """Settle who comes before whom; from here on the lists hold ranks."""
        self._of.costs.sort()
        order = array("I", map(itemgetter(2), self._of.costs))
        ranks = array("I", [UNRANKED]) * self._of.last
        for rank, number in enumerate(order):
            ranks[number - 1] = rank
        kinds = (bits.pack_ranks([ranks[n - 1] for n in ids], self._size) for ids in self._of.kept)
        self._db.execute("INSERT INTO search_order VALUES (?,?,?,?)", (order.tobytes(), ranks.tobytes(), *kinds))
        for part in self._parts:
            for word, ids in part.items():
                part[word] = array("I", [ranks[number - 1] for number in ids])
        self._of.named = array("I", [ranks[number - 1] for number in self._of.named])

    def _words(self, vocabulary: list[str]) -> Iterator[tuple[str | int, ...]]:
        for word in vocabulary:
            yield word, *(self._set(part.get(word, _NOBODY)) for part in self._parts)

    def _set(self, ranks: array[int]) -> int:
        return self._keep(bits.pack_ranks(ranks, self._size)) if ranks else self._nobody

    def _keep(self, packed: bytes) -> int:
        number = self._sets.get(packed)
        if number is None:
            number = self._sets[packed] = len(self._sets) + 1
            self._db.execute("INSERT INTO search_set VALUES (?,?)", (number, packed))
        return number

    def _beginning(self, vocabulary: list[str], counts: array[int], low: int, high: int, depth: int) -> Sets | None:
        """Write the sets of a beginning of `depth` letters; None when they are too few to be kept."""
        if high - low < 2 or counts[high] - counts[low] < HEAVY:
            return None
        flags = [bytearray(bits.width(self._size)) for _ in self._parts]
        found = [0, 0, 0, 0]
        at = low
        while at < high:
            letter = vocabulary[at][depth : depth + 1]
            end = at + 1
            while end < high and vocabulary[end][depth : depth + 1] == letter:
                end += 1
            inner = self._beginning(vocabulary, counts, at, end, depth + 1) if letter else None
            if inner is None:
                for word in vocabulary[at:end]:
                    self._mark(flags, word)
            else:
                found = [a | b for a, b in zip(found, inner, strict=True)]
            at = end
        begins, title, own, above = (a | int.from_bytes(b, "little") for a, b in zip(found, flags, strict=True))
        sets = begins, title, own & ~title, above & ~own & ~title
        if depth:
            ids = [self._keep(bits.pack(one, self._size)) for one in sets]
            self._db.execute("INSERT INTO search_word VALUES (?,?,?,?,?)", (vocabulary[low][:depth] + "*", *ids))
        return sets

    def _mark(self, flags: list[bytearray], word: str) -> None:
        for into, part in zip(flags, self._parts, strict=True):
            for rank in part.get(word, ()):
                into[rank >> 3] |= 1 << (rank & 7)

    def _names(self) -> None:
        of = self._of
        triples = sorted(zip(of.bags, of.kinds, of.named, strict=True))
        rows = (
            (key, array("I", [kind << RANK_BITS | rank for _, kind, rank in group]).tobytes())
            for key, group in groupby(triples, itemgetter(0))
        )
        self._db.executemany("INSERT INTO search_name VALUES (?,?)", rows)

    def _spelling(self, vocabulary: list[str]) -> None:
        by_length: defaultdict[int, list[str]] = defaultdict(list)
        for word in vocabulary:
            if word.isalpha() and word.isascii():
                by_length[len(word)].append(word)
        self._db.executemany(
            "INSERT INTO search_spelling VALUES (?,?,?)",
            ((n, " ".join(some), array("I", map(letters, some)).tobytes()) for n, some in by_length.items()),
        )


_LATER = frozenset(("subsequent", "sequela"))  # such a title is not what a shorter way of saying it means
_NOBODY: array[int] = array("I")
_NO_WORDS: frozenset[str] = frozenset()
