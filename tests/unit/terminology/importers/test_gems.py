"""Equivalence mappings load whole and checked, or not at all, and $translate answers by them."""

import zipfile
from pathlib import Path
from typing import Any

import pytest

from fhir_profiles.errors import FhirError
from fhir_profiles.systems import ICD9CM, ICD10CM, ICD10PCS
from terminology import Terminology
from terminology.importers import Given, importer_of
from terminology.importers.load import load
from terminology.maps import open_maps
from terminology.operations import Library, answer_call

FORWARD = (
    "0010  A000    00000",
    "0730  A70     10111",
    "0730  J17     10112",
    "0730  J189    10112",
    "25000 E119    10000",
    "25000 E139    10000",
    "E8580 NoDx    11000",
)
PROCEDURES = ("0001 6A750Z4 10000", "0002 NoPCS   11000")
IMPORTER = importer_of("gems")


def folder(tmp_path: Path, forward: tuple[str, ...] = FORWARD) -> Path:
    """A folder with two of the official files."""
    made = tmp_path / "given"
    made.mkdir(exist_ok=True)
    (made / "2018_I9gem.txt").write_text("".join(f"{line}\r\n" for line in forward), "utf-8")
    (made / "gem_i9pcs.txt").write_text("".join(f"{line}\r\n" for line in PROCEDURES), "utf-8")
    return made


def put(data: Path, path: Path, version: str | None = "2018") -> list[tuple[str, str, bool]]:
    """Load what is given."""
    return [(one.name, one.version, one.written) for one in load(data, IMPORTER, Given((path,), version))]


class Maps(Terminology):
    """The maps of a data directory without code systems."""

    def __init__(self, data: Path) -> None:
        super().__init__((), data)


def ask(terminology: Terminology, **said: Any) -> dict[str, Any]:
    """What $translate answers: result, message, and (equivalence, code, codes of the product) of each match."""
    parameters = [{"name": k, "valueBoolean" if v is True else "valueString": v} for k, v in said.items()]
    told = answer_call("ConceptMap/$translate", {"resourceType": "Parameters", "parameter": parameters},
                       Library(terminology))["parameter"]  # fmt: skip
    matches = []
    for match in (p["part"] for p in told if p["name"] == "match"):
        concept = next((p["valueCoding"]["code"] for p in match if p["name"] == "concept"), None)
        product = [p["part"][0]["valueCoding"]["code"] for p in match if p["name"] == "product"]
        matches.append((match[0]["valueCode"], concept, product))
    plain = {p["name"]: p.get("valueBoolean", p.get("valueString")) for p in told if p["name"] != "match"}
    return {**plain, "matches": matches}


def test_maps_load_once(tmp_path: Path) -> None:
    """A folder gives a map for each file; a zip of the same is a no-op."""
    expected = [("icd9cm-icd10cm", "2018", True), ("icd9pcs-icd10pcs", "2018", True)]
    assert put(tmp_path, folder(tmp_path)) == expected
    archive = tmp_path / "2018.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for file in folder(tmp_path).iterdir():
            packed.write(file, file.name)
    assert put(tmp_path, archive) == [(*one[:2], False) for one in expected]
    assert [m.name for m in open_maps(tmp_path).between(ICD9CM, ICD10PCS)] == ["icd9pcs-icd10pcs"]


def test_two_editions_stand_side_by_side(tmp_path: Path) -> None:
    """Each is asked by its canonical URL and version."""
    put(tmp_path, folder(tmp_path))
    put(tmp_path, folder(tmp_path, ("0010  A009    10000",)), "2017")
    older, newer = open_maps(tmp_path).between(ICD9CM, ICD10CM)
    assert (older.version, newer.version) == ("2017", "2018") and older.url == newer.url
    terminology = Maps(tmp_path)
    for version, code in (("2017", "A00.9"), ("2018", "A00.0")):
        answer = ask(terminology, url=older.url, conceptMapVersion=version, system=ICD9CM, code="001.0")
        assert [m[1] for m in answer["matches"]] == [code]


def test_translation_by_r4_and_r5_names(tmp_path: Path) -> None:
    """Equivalences, combinations with their product, no counterpart, no mapping, and the way back."""
    put(tmp_path, folder(tmp_path))
    maps = Maps(tmp_path)
    assert ask(maps, system=ICD9CM, code="001.0")["matches"] == [("equivalent", "A00.0", [])]
    assert ask(maps, sourceSystem=ICD9CM, sourceCode="250.00", targetSystem=ICD10CM)["matches"] == [
        ("inexact", "E11.9", []), ("inexact", "E13.9", []),
    ]  # fmt: skip
    assert ask(maps, system=ICD9CM, code="073.0", targetsystem=ICD10CM)["matches"] == [
        ("inexact", "A70", ["J17"]), ("inexact", "A70", ["J18.9"]),
    ]  # fmt: skip
    none = ask(maps, system=ICD9CM, code="E858.0")
    assert none["result"] is False and "no counterpart" in none["message"]
    assert none["matches"] == [("unmatched", None, [])]
    unknown = ask(maps, system=ICD9CM, code="999.9")
    assert unknown["result"] is False and unknown["message"] == "No mapping of the code was found"
    assert ask(maps, system=ICD10CM, code="J17", reverse=True)["matches"] == [("narrower", "073.0", [])]
    assert ask(maps, targetSystem=ICD10CM, targetCode="E11.9")["matches"] == [("inexact", "250.00", [])]
    assert ask(maps, system=ICD9CM, code="00.01", target=f"{ICD10PCS}?fhir_vs")["matches"] == [
        ("inexact", "6A750Z4", [])
    ]  # fmt: skip
    assert ask(maps, system=ICD9CM, code="001.0", target=ICD10PCS)["result"] is False
    assert "No concept map is known" in ask(Maps(tmp_path / "none"), system=ICD9CM, code="001.0")["message"]


def test_the_maps_that_ship_answer_with_displays(terminology: Terminology) -> None:
    """Both directions come with the installation; displays are those of the loaded code system."""
    told = answer_call(
        "ConceptMap/$translate",
        {"resourceType": "Parameters", "parameter": [
            {"name": "system", "valueUri": ICD9CM}, {"name": "code", "valueCode": "250.00"}]},
        Library(terminology),
    )  # fmt: skip
    concept = told["parameter"][1]["part"][1]["valueCoding"]
    assert concept["display"] == "Type 2 diabetes mellitus without complications"
    poisoned = ask(terminology, system=ICD10CM, code="T36.0X1A", targetsystem=ICD9CM)
    assert poisoned["matches"] == [("inexact", "960.0", ["E856"])]
    rows = {m.name: m.db.execute("SELECT count(*) FROM pair").fetchone()[0] for m in terminology.maps()}
    assert rows == {"icd9cm-icd10cm": 23_912, "icd10cm-icd9cm": 78_838}


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("0010  A000", "line 2, column 1: a source code, a target"),
        ("A0010 A000    00000", "line 2, column 1: a code of icd9cm"),
        ("0010  0000    00000", "line 2, column 7: a code of icd10cm"),
        ("0010  A000    0000", "line 2, column 15: five digits"),
        ("0010  A000    2000A", "line 2, column 15: five digits"),
        ("0010  NoDx    00000", "line 2, column 16: the flag `no map`"),
        ("0010  A000    01000", "line 2, column 16: the flag `no map`"),
        ("0010  A000    10110", "line 2, column 17: a combination"),
        ("0010  A000    10011", "line 2, column 17: a combination"),
        (FORWARD[0], "line 2, column 1: the line stands twice"),
        ("0010  A000    00000 and more", "line 2, column 1: a source code"),
        ("0010\u00a0 A000    00000", "line 2, column 5: this is not ascii text"),
    ],
)
def test_damaged_files_are_refused_whole(tmp_path: Path, line: str, says: str) -> None:
    """The refusal names file, line and column, and nothing is on disk."""
    with pytest.raises(FhirError, match=f"2018_I9gem.txt, {says}"):
        put(tmp_path / "data", folder(tmp_path, (FORWARD[0], line)))
    assert not list((tmp_path / "data").rglob("*.*"))


def test_a_file_without_a_year_or_a_mapping_is_refused(tmp_path: Path) -> None:
    """The refusal says what to give."""
    path = tmp_path / "gem_i9pcs.txt"
    path.write_text(PROCEDURES[0], "ascii")
    with pytest.raises(FhirError, match="give --version"):
        put(tmp_path / "data", path, None)
    path.rename(path := tmp_path / "other.txt")
    with pytest.raises(FhirError, match="No mapping is among the files"):
        put(tmp_path / "data", path)
