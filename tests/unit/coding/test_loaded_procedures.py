"""Coding keeps its words and its units when official files of procedures are loaded beside the starter tables."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from extractors.coding import Lexicon
from extractors.coding.lexicon_build import displays
from fhir_profiles.systems import CPT, HCPCS
from terminology import Terminology, open_terminology
from terminology.build import install
from terminology.fragments import fragment_sources, starter
from terminology.source import Name, Source, SourceConcept


def official(system: str, name: str, concepts: list[SourceConcept], content: str = "complete") -> Source:
    """An edition as an importer makes it."""

    def listed() -> Iterator[SourceConcept]:
        return iter(concepts)

    return Source(
        name, system, "2026-01", name, date(2026, 1, 1), None, content, "", "", f"{name} {len(concepts)}", listed
    )


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Terminology:
    """The starter tables, a whole HCPCS, and CPT numbers without names."""
    data: Path = tmp_path_factory.mktemp("data")
    for source in fragment_sources():
        install(data, f"{source.name}@{source.version}", [source])
    named = [
        SourceConcept("J1885", "Injection, invented long description", names=(Name("inj short", "short"),)),
        SourceConcept("Q1001", "Widget of the left ear", names=(Name("Widget", "short"),)),
    ]
    install(data, "hcpcs@2026-01", [official(HCPCS, "hcpcs", named)])
    numbers = [replace(c, display="", names=()) for c in starter(CPT).values()] + [SourceConcept("0001T", "")]
    install(data, "cpt@2026-01", [official(CPT, "cpt", numbers, "fragment")])
    return open_terminology(data)


def test_displays_are_those_of_the_loaded_edition_or_our_labels(both: Terminology) -> None:
    """What the official file names is called so; a number without a name keeps our label, or is its own name."""
    hcpcs, cpt = (displays(both, system, "starter-1") for system in (HCPCS, CPT))
    assert hcpcs["J1885"] == "Injection, invented long description" and hcpcs["Q1001"] == "Widget of the left ear"
    assert cpt["99213"] == starter(CPT)["99213"].display and cpt["0001T"] == "0001T"


def test_phrases_and_units_stay_those_of_the_starter_tables(both: Terminology) -> None:
    """No word of the official file becomes a phrase; the amount of a billing unit is still known."""
    lexicon = Lexicon.open(both)
    assert lexicon.properties(HCPCS, "J1885")["per"]
    assert [e.code for e in lexicon.entries(starter(CPT)["10060"].display)] == ["10060"]
    assert not lexicon.entries("Widget of the left ear") and not lexicon.entries("inj short")
    assert lexicon.has_code(HCPCS, "Q1001") and not lexicon.everyday(HCPCS, "Q1001")
    assert lexicon.everyday(HCPCS, "J1885") and lexicon.has_code(CPT, "0001T")
