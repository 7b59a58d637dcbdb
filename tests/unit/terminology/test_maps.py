"""Maps are files of their own; parts that belong together are one meaning."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from fhir_profiles.systems import ICD10CM, SNOMED
from terminology import Terminology
from terminology.maps import MOST, Meaning, install_map, open_maps
from terminology.operations import Library, answer_call
from terminology.source import MapRow, MapSource


def source(*rows: MapRow, version: str = "1", fingerprint: str = "a") -> MapSource:
    """A map of these rows between invented codes."""
    return MapSource(
        name="marsh",
        url="https://example.org/marsh",
        version=version,
        title="Marsh",
        source=SNOMED,
        target=ICD10CM,
        origin="test",
        licence="none",
        fingerprint=fingerprint,
        rows=lambda: iter(rows),
    )


def rule(target: str | None, group: int, priority: int, rule: str = "TRUE", advice: str = "") -> MapRow:
    """A row of an extended map."""
    rules = {"group": group, "priority": priority, "rule": rule, "advice": advice}
    return MapRow("1", target, "equivalent" if target else "unmatched", rules)


def test_groups_are_taken_together_and_rules_are_told(tmp_path: Path) -> None:
    """One target of each group, alternatives in the order of their priority, each with its condition."""
    install_map(tmp_path, source(
        rule("B00", 2, 1), rule("A01", 1, 2, "OTHERWISE TRUE"), rule("A00", 1, 1, "IFA 2", "IF WET CHOOSE A00"),
    ))  # fmt: skip
    (loaded,) = open_maps(tmp_path).between(SNOMED, ICD10CM)
    assert loaded.targets("1") == [
        Meaning("A00", "equivalent", ("B00",), ("A00: IF WET CHOOSE A00",)),
        Meaning("A01", "equivalent", ("B00",), ("A01: OTHERWISE TRUE",)),
    ]
    assert loaded.sources("B00") == [Meaning("1", "equivalent")]
    asked = [{"name": "system", "valueUri": SNOMED}, {"name": "code", "valueCode": "1"}]
    told = answer_call("ConceptMap/$translate", {"resourceType": "Parameters", "parameter": asked},
                       Library(Terminology((), tmp_path)))  # fmt: skip
    assert "depends: A00: IF WET CHOOSE A00; A01: OTHERWISE TRUE" in str(told["parameter"][1])


def test_a_map_may_say_that_there_is_no_target(tmp_path: Path) -> None:
    """Also for one group of several."""
    install_map(tmp_path, source(rule(None, 1, 1), rule("B00", 2, 1), MapRow("2", None, "unmatched")))
    (loaded,) = open_maps(tmp_path).files
    assert loaded.targets("1") == [Meaning("B00", "equivalent")]
    assert loaded.targets("2") == [Meaning(None, "unmatched")]
    assert loaded.targets("3") == []


def test_combinations_are_bounded(tmp_path: Path) -> None:
    """A map that would make a million combinations gives the first thousand at once."""
    rows = (MapRow("1", f"T{choice}.{n}", "wider", {"scenario": 1, "choice": choice}) for choice in (1, 2, 3)
            for n in range(100))  # fmt: skip
    install_map(tmp_path, source(*rows))
    assert len(open_maps(tmp_path).files[0].targets("1")) == MOST


def test_a_version_may_be_a_uri_and_loads_once(tmp_path: Path) -> None:
    """The file is named by the end of the version; the same content is not written again, other content is."""
    version = f"{SNOMED}/900000000000207008/version/20260101"
    row = MapRow("1", "A00", "equivalent")
    assert install_map(tmp_path, source(row, version=version)).name == "marsh@20260101.sqlite"
    assert install_map(tmp_path, source(row, version=version)) is None
    assert install_map(tmp_path, source(row, version=version, fingerprint="b")) is not None


def test_a_map_that_fails_leaves_nothing(tmp_path: Path) -> None:
    """An error while rows are read keeps what was there before, and no part of the new map."""

    def broken() -> Iterator[MapRow]:
        yield MapRow("1", "A00", "equivalent")
        raise ValueError

    whole = source(MapRow("1", "A09", "equivalent"))
    install_map(tmp_path, whole)
    with pytest.raises(ValueError):
        install_map(tmp_path, dataclasses.replace(whole, fingerprint="c", rows=broken))
    assert [m.target for m in open_maps(tmp_path).files[0].targets("1")] == ["A09"]
    assert [p.name for p in (tmp_path / "terminology" / "maps").iterdir()] == ["marsh@1.sqlite"]
    (tmp_path / "terminology" / "maps" / "bad.sqlite").write_bytes(b"no database")
    assert len(open_maps(tmp_path).files) == 1
