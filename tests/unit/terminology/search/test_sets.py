"""The sets and tables of the search, held against plain Python."""

import random
import sqlite3
from array import array
from contextlib import closing
from pathlib import Path

import pytest

from fhir_profiles.systems import LOINC
from terminology.search import bits
from terminology.search.find import page, search
from terminology.search.intervals import intersection, intervals_of
from terminology.search.words import joined, words
from terminology.source import Name, Source, SourceConcept
from terminology.store.file import EditionFile
from terminology.store.writer import write

Made = tuple[EditionFile, dict[str, set[str]]]
STEMS = ("fever", "cough", "kidney", "acute", "stage", "right", "pain", "joint", "post-traumatic", "x-ray", "knee")


def test_sets_are_packed_and_read_again() -> None:
    """Sparse and dense sets of any size come back as they were; ranks come in order and can be skipped."""
    chance = random.Random(1)
    for size in (1, 7, 8, 9, 1_000, 20_000):
        for share in (0, 0.001, 0.02, 0.5, 1):
            ranks = sorted(r for r in range(size) if chance.random() < share)
            found = bits.of(ranks, size)
            assert found.bit_count() == len(ranks)
            assert bits.unpack(bits.pack(found, size), size) == found
            assert bits.pack_ranks(array("I", ranks[::-1]), size) == bits.pack(found, size)
            skip = chance.randint(0, len(ranks))
            assert list(bits.ranks(found, size, skip)) == ranks[skip:]


def test_intervals_are_sets_of_numbers() -> None:
    """Made from rising numbers, and intersected."""
    chance = random.Random(2)
    for _ in range(200):
        one, other = ({n for n in range(1, 60) if chance.random() < 0.5} for _ in range(2))
        both = intersection(intervals_of(sorted(one)), intervals_of(sorted(other)))
        assert {n for first, last in both for n in range(first, last + 1)} == one & other
    assert intersection(None, ((1, 2),)) == ((1, 2),)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A file of 3,000 invented concepts, and all words of each code."""
    chance = random.Random(3)
    concepts = []
    for n in range(3_000):
        names = [
            " ".join(chance.choices(STEMS, k=chance.randint(1, 6))) + f" w{chance.randint(0, 400)}" for _ in range(3)
        ]
        concepts.append(SourceConcept(f"{n}-{n % 10}", names[0], names=(Name(names[1]), Name(names[2]))))
    source = Source(
        "made", LOINC, "1", "Made", None, None, "complete", "made", "none", "f", lambda: iter(concepts)
    )  # fmt: skip
    path: Path = tmp_path_factory.mktemp("made") / "made@1.sqlite"
    write(path, source)
    texts = {c.code: [c.display, *(n.text for n in c.names)] for c in concepts}
    return EditionFile(path), {code: {w for t in some for w in (*words(t), *joined(t))} for code, some in texts.items()}


def _plain(made: dict[str, set[str]], asked: list[str]) -> set[str]:
    """Who has all words in any of the names, the last one perhaps unfinished, looked at one by one."""
    *whole, last = asked
    return {
        code for code, have in made.items() if have.issuperset(whole) and any(word.startswith(last) for word in have)
    }


def test_every_concept_with_all_words_is_found(made: Made) -> None:
    """The words of 200 random texts, the last one cut or whole: nobody who has them is missing, the total is exact."""
    file, names = made
    chance = random.Random(4)
    for _ in range(200):
        asked = [chance.choice(["cough", "fever", "pain", "joint", f"w{chance.randint(0, 400)}"]) for _ in range(3)]
        cut = chance.random() < 0.5
        last = asked[-1][: chance.randint(1, 3)] if cut else asked[-1]
        expected = _plain(names, [*asked[:-1], last])
        found = page(file, " ".join([*asked[:-1], last]), count=5_000)
        codes = [c.code for c in found.concepts]
        assert expected <= set(codes) and found.total == len(codes) == len(set(codes))


def test_a_short_beginning_finds_all_of_it(made: Made) -> None:
    """Beginnings that have sets of their own and those that have none find whoever has such a word."""
    file, names = made
    for start in ("w", "k", "kn", "po", "pos", "post", "postt", "w3", "w39", "w399", "x"):
        expected = _plain(names, [start])
        assert expected <= {c.code for c in page(file, start, count=5_000).concepts}, start


def test_a_test_and_intervals_bound_what_is_found(made: Made) -> None:
    """`test` asks each code, `within` each number; together they are the meet of both."""
    file, _ = made
    every = {c.code for c in page(file, "pain", count=5_000).concepts}
    even = page(file, "pain", count=5_000, test=lambda code: code.endswith("2"))
    assert {c.code for c in even.concepts} == {code for code in every if code.endswith("2")}
    some = {code for code in every if (file.id_of(code) or 0) <= 500}
    assert {c.code for c in page(file, "pain", count=5_000, within=((1, 500),)).concepts} == some
    assert search(file, "pain", within=((1, 500),)).total == len(some)


def test_the_tables_are_part_of_the_file(made: Made) -> None:
    """Everything is read from the one file, which stays as it is."""
    file, _ = made
    before = file.path.stat().st_mtime_ns
    search(file, "pain")
    with closing(sqlite3.connect(file.path)) as db:
        tables = {name for (name,) in db.execute("SELECT name FROM sqlite_master")}
    assert {"search_set", "search_word", "search_name", "search_spelling", "search_order"} <= tables
    assert file.path.stat().st_mtime_ns == before
