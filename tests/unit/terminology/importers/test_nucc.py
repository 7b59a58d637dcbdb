"""The provider taxonomy loads whole with its hierarchy, or not at all."""

import zipfile
from datetime import date
from pathlib import Path

import pytest

from fhir_profiles.errors import FhirError
from fhir_profiles.systems import NUCC
from terminology import open_terminology
from terminology.build import install
from terminology.importers import Given
from terminology.importers.nucc import read
from terminology.operations import Library, answer_call

HEADER = "Code,Grouping,Classification,Specialization,Definition,Notes,Display Name,Section"
ROWS = (
    '901B00000X,Bog Care,Bog Doctor,,"Treats bogs, and ""fens""",,Bog Doctor,Individual',
    "901BF0001X,Bog Care,Bog Doctor,Fens,Treats fens,,Fen Doctor,Individual",
    '901BM0002X,Bog Care,Bog Doctor,Moors,,"[1/1/2020: marked inactive, use value 901BF0001X]",Moor Doctor,Individual',
    "902C00000X,Water Care,Lake Nurse,Lakes,,,Lake Nurse,Individual",
)


def table(
    tmp_path: Path, rows: tuple[str, ...] = ROWS, name: str = "nucc_taxonomy_251.csv", head: str = HEADER
) -> Path:
    """A small file of the official layout."""
    path = tmp_path / name
    path.write_bytes("".join(f"{line}\r\n" for line in (head, *rows)).encode("cp1252"))
    return path


def load(data: Path, given: Given) -> list[Path | None]:
    """Install the edition."""
    return [install(data, f"{s.name}@{s.version}", [s]) for s in read(given)]


def test_codes_stand_in_their_hierarchy(tmp_path: Path) -> None:
    """A specialisation lies below the code of its classification, else below the grouping, which is no code."""
    load(tmp_path, Given((table(tmp_path),)))
    terminology = open_terminology(tmp_path)
    assert terminology.lookup(NUCC, "901BF0001X").parent == "901B00000X"
    assert terminology.lookup(NUCC, "902C00000X").parent == "Water Care"
    assert terminology.lookup(NUCC, "Water Care").group
    moor = terminology.lookup(NUCC, "901BM0002X")
    assert not moor.active and moor.properties["replaced_by"] == "901BF0001X"
    assert terminology.edition(NUCC).start == date(2025, 10, 1)


def test_a_zip_loads_once(tmp_path: Path) -> None:
    """An archive reads as the file does, and loading it again changes nothing."""
    archive = tmp_path / "taxonomy.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.write(table(tmp_path), "nucc_taxonomy_251.csv")
    assert all(load(tmp_path, Given((archive,))))
    assert load(tmp_path, Given((archive,))) == [None]


def test_two_editions_answer_for_their_dates(tmp_path: Path) -> None:
    """The January publication is in force from April, that of July from October."""
    load(tmp_path, Given((table(tmp_path),)))
    load(tmp_path, Given((table(tmp_path, ROWS[:1], "nucc_taxonomy_260.csv"),)))
    terminology = open_terminology(tmp_path)
    assert terminology.lookup(NUCC, "902C00000X", "25.1") and not terminology.lookup(NUCC, "902C00000X", "26.0")
    assert terminology.edition(NUCC, date(2026, 3, 1)).version == "25.1"
    assert terminology.edition(NUCC, date(2026, 5, 1)).version == "26.0"


@pytest.mark.parametrize(
    ("rows", "head", "says"),
    [
        (ROWS, HEADER.replace("Grouping", "Group"), "line 1: the column Grouping is missing"),
        (ROWS, HEADER + ",Code", "line 1, column 83: the column Code stands twice"),
        ((*ROWS[:1], "901BF0001X,Bog Care"), HEADER, "line 3, column 12: 8 fields are expected"),
        ((*ROWS[:1], ROWS[1].replace("0001X", "0001Y")), HEADER, "line 3, column 1: ten letters"),
        ((ROWS[1], ROWS[1]), HEADER, "line 3, column 1: the code stands twice"),
        ((ROWS[1].replace("Bog Care", ""),), HEADER, "line 2, column 12: a grouping"),
        ((ROWS[1].replace("Bog Doctor", ""),), HEADER, "line 2, column 21: a classification"),
        ((), HEADER, "line 2, column 1: the file has no codes"),
        ((ROWS[0].replace('""fens""', '"fens"x'),), HEADER, "line 2, column 1: the record is damaged"),
        ((ROWS[0].replace(",,Bog Doctor,I", ",Bog\0,x,I"),), HEADER, "line 2, column 64: the line holds a zero byte"),
        ((f"{ROWS[1]},13/41/2020",), HEADER + ",Effective Date", "line 2, column 72: a day written MM/DD/YYYY"),
    ],
)
def test_damage_is_refused_by_line_and_column(tmp_path: Path, rows: tuple[str, ...], head: str, says: str) -> None:
    """Nothing of a damaged file is loaded, and the message says where it is damaged."""
    with pytest.raises(FhirError, match=says):
        load(tmp_path, Given((table(tmp_path, rows, head=head),)))
    assert not list(tmp_path.glob("terminology/*"))


def test_a_file_without_a_version_names_the_option(tmp_path: Path) -> None:
    """The refusal says what to give."""
    with pytest.raises(FhirError, match=r"--version 25\.1"):
        load(tmp_path, Given((table(tmp_path, name="nucc_taxonomy.csv"),)))


def test_operations_answer_for_it(tmp_path: Path) -> None:
    """A value set of a code and what lies below it lists both."""
    load(tmp_path, Given((table(tmp_path),)))
    asked = {
        "resourceType": "Parameters",
        "parameter": [{"name": "url", "valueUri": f"{NUCC}?fhir_vs=isa/901B00000X"}],
    }
    answer = answer_call("ValueSet/$expand", asked, Library(open_terminology(tmp_path)))
    assert answer["expansion"]["total"] == 3
