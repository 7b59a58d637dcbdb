"""Editions of an invented code system, to write and to ask."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

from terminology.source import Name, PropertyDef, Relation, Source, SourceConcept, Subset

SYSTEM = "http://example.org/plants"

CONCEPTS = (
    SourceConcept("book-1", "Plants", group=True),
    SourceConcept("P", "Plant", ("book-1",), billable=False, notes=(("includes", "algae"), ("excludes1", "fungi"))),
    SourceConcept("T", "Tree", ("P",), billable=False),
    SourceConcept(
        "T1",
        "Apple tree",
        ("T", "F"),
        billable=True,
        names=(
            Name("Malus"),
            Name("Apfelbaum", language="de", dialects=("x", "y")),
            Name("Apple tree (plant)", "fsn"),
        ),
        properties={"height": 4, "edible": True, "colour": ["green", "red"], "family": {"code": "ros", "display": "R"}},
        relations=(Relation("bears", "A"), Relation("near", "F", 1)),
    ),
    SourceConcept("T2", "Oak", ("T",), True, properties={"height": 30, "edible": False}),
    SourceConcept("F", "Food plant", ("P",), False),
    SourceConcept("A", "Apple", ("F",), True, active=False, start=date(2020, 1, 1), end=date(2024, 12, 31)),
)


def plants(concepts: tuple[SourceConcept, ...] = CONCEPTS, **changed: Any) -> Source:
    """An edition of seven plants, one of which has two parents."""
    given: dict[str, Any] = {
        "name": "plants",
        "system": SYSTEM,
        "version": "1",
        "title": "Plants",
        "start": date(2024, 1, 1),
        "end": None,
        "content": "complete",
        "origin": "invented",
        "licence": "none",
        "fingerprint": "f1",
        "concepts": lambda: iter(concepts),
        "properties": (PropertyDef("height", "integer", "http://example.org/height", "In metres"),),
        "subsets": lambda: [Subset("eaten", "What is eaten", ("A", "T1"))],
        "files": (("plants.txt", "ab" * 32),),
    }
    return Source(**{**given, **changed})


def many(count: int, names: int) -> Source:
    """A large edition in no order: a tree with a second parent for every third concept."""

    def concepts() -> Iterator[SourceConcept]:
        for i in range(count - 1, -1, -1):
            parents = () if not i else (f"m{i // 7}", *((f"m{i // 11}",) if i % 3 == 0 and i // 11 != i // 7 else ()))
            texts = tuple(Name(f"name {n} of concept number {i} in the list") for n in range(names))
            yield SourceConcept(f"m{i}", f"Concept number {i} of the list", parents, names=texts)

    system = "http://example.org/many"
    return replace(plants(), concepts=concepts, name="many", system=system, fingerprint="m", subsets=tuple, total=count)
