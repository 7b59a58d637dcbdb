"""What a source states is what its file answers."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import pytest

from fhir_profiles.errors import FhirError
from terminology import Terminology, open_terminology
from terminology.build import install
from terminology.source import Name, PropertyDef, Relation, SourceConcept, Subset
from tests.unit.terminology.store.invented import SYSTEM, many, plants


@pytest.fixture
def loaded(tmp_path: Path) -> Terminology:
    """The plants, loaded."""
    install(tmp_path, "plants@1", [plants()])
    return open_terminology(tmp_path)


def codes(concepts) -> list[str]:
    return [concept.code for concept in concepts]


def test_a_concept_keeps_all_that_its_source_says(loaded: Terminology) -> None:
    """Flags, dates, headings, properties with their types."""
    apple = loaded.lookup(SYSTEM, "A")
    assert (apple.display, apple.billable, apple.active, apple.parent) == ("Apple", True, False, "F")
    assert (apple.start, apple.end, apple.group) == (date(2020, 1, 1), date(2024, 12, 31), False)
    assert loaded.lookup(SYSTEM, "book-1").group and loaded.lookup(SYSTEM, "book-1").billable is None
    tree = loaded.lookup(SYSTEM, "T1")
    assert tree.properties["height"] == 4 and tree.properties["edible"] is True
    assert tree.properties["colour"] == ["green", "red"] and tree.properties["family"]["code"] == "ros"
    assert loaded.lookup(SYSTEM, "x") is None and loaded.lookup("http://example.org/x", "T1") is None


def test_several_parents_count_everywhere(loaded: Terminology) -> None:
    """Parents, children, ancestors, descendants and subsumption follow every parent."""
    assert codes(loaded.parents(SYSTEM, "T1")) == ["T", "F"] and loaded.parents(SYSTEM, "book-1") == []
    assert codes(loaded.children(SYSTEM, "F")) == ["T1", "A"] and codes(loaded.children(SYSTEM, "T")) == ["T1", "T2"]
    assert codes(loaded.ancestors(SYSTEM, "T1")) == ["T", "F", "P", "book-1"]
    assert codes(loaded.descendants(SYSTEM, "F")) == ["T1", "A"]
    assert codes(loaded.descendants(SYSTEM, "P")) == ["T", "T1", "T2", "F", "A"]
    assert (
        loaded.subsumes(SYSTEM, "F", "T1") and loaded.subsumes(SYSTEM, "T", "T1") and loaded.subsumes(SYSTEM, "A", "A")
    )
    assert not loaded.subsumes(SYSTEM, "F", "T2") and not loaded.subsumes(SYSTEM, "T1", "F")
    assert not loaded.subsumes(SYSTEM, "F", "x") and not loaded.subsumes(SYSTEM, "x", "x")
    assert codes(loaded.file(SYSTEM).line("T1")) == ["T", "P", "book-1"]


def test_names_notes_and_relations_keep_their_order(loaded: Terminology) -> None:
    """Kind, language and dialects of names, kinds of notes, groups of relations."""
    assert loaded.names(SYSTEM, "T1")[1] == Name("Apfelbaum", "synonym", "de", ("x", "y"))
    assert [name.kind for name in loaded.names(SYSTEM, "T1")] == ["synonym", "synonym", "fsn"]
    assert loaded.terms_of(SYSTEM, "T2") == []
    assert loaded.notes(SYSTEM, "P") == [("includes", "algae"), ("excludes1", "fungi")]
    assert list(loaded.notes_of_kind(SYSTEM, "excludes1")) == [("P", "fungi")]
    assert loaded.relations(SYSTEM, "T1") == [Relation("bears", "A"), Relation("near", "F", 1)]


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("height", "30", ["T2"]), ("height", "5", []), ("edible", "true", ["T1"]), ("edible", "false", ["T2"]),
        ("colour", "red", ["T1"]), ("family", "ros", ["T1"]), ("unknown", "x", []),
    ],
)  # fmt: skip
def test_concepts_are_found_by_their_properties(loaded: Terminology, name: str, value: str, found: list[str]) -> None:
    """Numbers, booleans, lists and Codings are looked up as text."""
    assert loaded.having(SYSTEM, name, value) == found


def test_properties_are_declared_and_what_is_not_gets_a_type(loaded: Terminology) -> None:
    """The declaration of the source comes first; others are typed by their values."""
    declared = loaded.file(SYSTEM).declared
    assert declared["height"] == PropertyDef("height", "integer", "http://example.org/height", "In metres")
    assert {name: d.type for name, d in declared.items()} == {
        "height": "integer", "edible": "boolean", "colour": "string", "family": "Coding",
    }  # fmt: skip


def test_subsets_keep_their_order(loaded: Terminology) -> None:
    """A named list is what the source lists."""
    assert loaded.subset(SYSTEM, "eaten") == Subset("eaten", "What is eaten", ("A", "T1"))
    assert loaded.subsets(SYSTEM) == [("eaten", "What is eaten", 2)] and loaded.subset(SYSTEM, "x") is None


def test_the_manifest_tells_where_everything_came_from(loaded: Terminology, tmp_path: Path) -> None:
    """Source, licence, dates, files with hashes, counts, and a hash of the content that two machines can compare."""
    manifest = loaded.manifest(SYSTEM)
    assert manifest["source"] == "invented" and manifest["licence"] == "none" and manifest["start"] == "2024-01-01"
    assert manifest["files"] == [["plants.txt", "ab" * 32]]
    assert manifest["concepts"] == 7 and manifest["billable"] == 3 and manifest["layout"] and manifest["builder"]
    install(tmp_path, "plants@2", [plants(version="2", fingerprint="f2")])
    install(tmp_path, "plants@3", [plants(plants_of(display="Ash"), version="3", fingerprint="f3")])
    again = open_terminology(tmp_path)
    assert again.manifest(SYSTEM, "2")["sha256"] == manifest["sha256"] != again.manifest(SYSTEM, "3")["sha256"]


def plants_of(display: str) -> tuple[SourceConcept, ...]:
    return (SourceConcept("A", display), SourceConcept("T1", "Apple tree"))


def test_editions_answer_for_their_version_and_their_days(tmp_path: Path) -> None:
    """By version, by day of service, by short name; the newest without either."""
    day = date(2024, 5, 1)
    old = plants(plants_of("Old"), end=date(2024, 12, 31))
    new = plants(plants_of("New"), version="2", start=date(2025, 1, 1), fingerprint="f2")
    for source in (new, old):
        install(tmp_path, f"plants@{source.version}", [source])
    terminology = open_terminology(tmp_path)
    assert terminology.lookup("plants", "A").display == "New" == terminology.lookup("PLANTS", "A", version="2").display
    assert terminology.lookup("plants", "A", on=day).display == "Old" == terminology.lookup(SYSTEM, "A", "1").display
    assert terminology.lookup("plants", "A", version="9") is None
    assert terminology.validate("plants", "A", "2024-05-01").version == "1"


def test_case_counts_where_the_source_says_so(tmp_path: Path) -> None:
    """An insensitive edition finds a code in any case and gives it as it is written."""
    install(tmp_path, "plants@1", [plants(sensitive=False)])
    terminology = open_terminology(tmp_path)
    assert terminology.lookup(SYSTEM, "t1").code == "T1" and terminology.subsumes(SYSTEM, "f", "t1")


@pytest.mark.parametrize(
    ("extra", "says"),
    [
        ((SourceConcept("Z", "z", ("nowhere",)),), "1 parents are no codes of the edition: nowhere"),
        ((SourceConcept("Y", "y", ("Z",)), SourceConcept("Z", "z", ("Y",))), "2 codes lie below themselves: Y, Z"),
        ((SourceConcept("T", "again"),), "1 codes stand twice: T"),
        ((SourceConcept("", "nothing"),), "a concept has no code"),
        ((SourceConcept("Z", "z", relations=(Relation("bears", "nowhere"),)),), "nowhere, named in Z, is no code"),
    ],
)
def test_damage_is_refused_and_nothing_is_written(tmp_path: Path, extra: tuple[SourceConcept, ...], says: str) -> None:
    """The error names the edition and the codes; the folder stays empty."""
    with pytest.raises(FhirError, match=f"Plants 1: .*{says}.*nothing was loaded"):
        install(tmp_path, "plants@1", [plants((*plants_of("A"), SourceConcept("T", "Tree"), *extra), subsets=tuple)])
    assert list((tmp_path / "terminology").iterdir()) == []


def test_a_subset_of_unknown_codes_is_refused(tmp_path: Path) -> None:
    """A list that names what the edition has not is damage."""
    with pytest.raises(FhirError, match="nowhere, named in subset s, is no code"):
        install(tmp_path, "plants@1", [plants(subsets=lambda: [Subset("s", "S", ("nowhere",))])])


def test_an_equal_source_is_not_written_again(tmp_path: Path) -> None:
    """The fingerprint decides."""
    assert install(tmp_path, "plants@1", [plants()]) is not None
    assert install(tmp_path, "plants@1", [plants()]) is None
    assert install(tmp_path, "plants@1", [plants(fingerprint="f2")]) is not None


def test_threads_ask_at_once(tmp_path: Path) -> None:
    """Each thread has a connection of its own and gets right answers while others ask."""
    install(tmp_path, "many@1", [many(2_000, 0)])
    terminology = open_terminology(tmp_path)
    start = threading.Barrier(8)

    def ask(thread: int) -> bool:
        start.wait()
        wanted = range(thread, 2_000, 8)
        return all(terminology.lookup("many", f"m{i}").display == f"Concept number {i} of the list" for i in wanted)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(ask, range(8)))


def test_a_large_edition_in_no_order_is_exact(tmp_path: Path) -> None:
    """What lies below a concept is what walking up from every concept says."""
    install(tmp_path, "many@1", [many(3_000, 1)])
    terminology = open_terminology(tmp_path)
    parents = {c.code: codes(terminology.parents("many", c.code)) for c in terminology.concepts("many")}

    def above(code: str) -> set[str]:
        return {code}.union(*(above(parent) for parent in parents[code]))

    over = {code: above(code) for code in parents}
    for ancestor in ("m0", "m1", "m5", "m37", "m400", "m2999"):
        below = {code for code, found in over.items() if ancestor in found}
        assert {ancestor, *codes(terminology.descendants("many", ancestor))} == below
        assert {code for code in parents if terminology.subsumes("many", ancestor, code)} == below
