"""Files are made whole or not at all, and only once."""

import multiprocessing
import os
import shutil
from pathlib import Path

import pytest

from fhir_profiles.errors import FhirError
from fhir_profiles.systems import ICD10CM
from terminology import Terminology, build, open_terminology
from terminology.build import install
from terminology.importers import Given
from terminology.importers.icd10cm import read

TITLES = (
    ("A00", 0, "Cholera"),
    ("A000", 1, "Cholera due to Vibrio cholerae 01, biovar cholerae"),
    ("A01", 0, "Typhoid and paratyphoid fevers"),
    ("A0100", 1, "Typhoid fever, unspecified"),
)
LINES = tuple(f"{n:05} {code:7} {flag} {title:60} {title}" for n, (code, flag, title) in enumerate(TITLES, 1))


def order_file(folder: Path, lines: tuple[str, ...] = LINES, name: str = "icd10cm_order_2027.txt") -> Path:
    """A small file of the official layout."""
    path = folder / name
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def _copied(built: Path, folder: Path) -> None:
    """The files of another folder, shared with it: they may be removed here, but not written into."""
    shutil.copytree(built / "terminology", folder, copy_function=os.symlink)


def test_building_again_writes_what_is_missing(built: Path, tmp_path: Path) -> None:
    """Nothing where everything is there; what was removed or damaged, and nothing else, where it is not."""
    folder = tmp_path / "terminology"
    _copied(built, folder)
    assert {"icd10cm@2026-04.sqlite", "icd10pcs@2024.sqlite", "cpt@starter-1.sqlite"} <= {
        p.name for p in folder.iterdir()
    }
    assert build(tmp_path) == []
    (folder / "icd10pcs@2024.sqlite").unlink()
    (folder / "cpt@starter-1.sqlite").unlink()  # shared with others: not written into
    (folder / "cpt@starter-1.sqlite").write_bytes(b"damaged")
    assert {p.name for p in build(tmp_path)} == {"icd10pcs@2024.sqlite", "cpt@starter-1.sqlite"}
    assert not [p for p in folder.rglob("*") if p.is_file() and p.suffix not in (".sqlite", ".bin")]


def test_two_processes_share_the_work(built: Path, tmp_path: Path) -> None:
    """Of several editions that are missing another process writes some, and each is whole."""
    _copied(built, tmp_path / "terminology")
    for path in (tmp_path / "terminology").glob("icd10pcs*"):
        path.unlink()
    written = {p.name for p in build(tmp_path)}
    assert written == {"icd10pcs@2024.sqlite", "icd10pcs@2024-04.sqlite"}
    assert open_terminology(tmp_path).lookup("icd10pcs", "0016070").billable


def test_an_order_file_stands_beside_the_package(tmp_path: Path) -> None:
    """A loaded edition answers for its own dates, and loading it again is a no-op."""
    (source,) = read(Given((order_file(tmp_path),)))
    assert install(tmp_path, "icd10cm@2027", [source]) is not None
    assert install(tmp_path, "icd10cm@2027", read(Given((order_file(tmp_path),)))) is None
    terminology = open_terminology(tmp_path)
    concept = terminology.lookup(ICD10CM, "A01.00")
    assert concept.billable and concept.parent == "A01" and concept.version == "2027"
    assert terminology.edition(ICD10CM).start.isoformat() == "2026-10-01"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda ls: ("x" + ls[0][1:], *ls[1:]), "line 1, column 1"),
        (lambda ls: (ls[0], ls[1][:14] + "7" + ls[1][15:], *ls[2:]), "line 2, column 15"),
        (lambda ls: (*ls[:2], ls[2][:6] + "1B" + ls[2][8:], ls[3]), "line 3, column 7"),
        (lambda ls: (*ls[:3], ls[3][:16]), "line 4, column 17"),
        (lambda ls: (ls[0], ls[0].replace("00001", "00002"), *ls[2:]), "line 2, column 7"),
        (lambda ls: (ls[1], ls[0]), "line 2, column 1"),
        (lambda ls: (ls[0], ls[1].replace("due", "dué"), *ls[2:]), "line 2, column"),
        (lambda ls: (), "no codes"),
        (lambda ls: (ls[0] + "x" * 600,), "line 1, column"),
        (lambda ls: (ls[0][:5] + "-" + ls[0][6:],), "line 1, column 1"),
    ],
)
def test_a_damaged_order_file_is_refused_by_line_and_column(tmp_path: Path, change, says: str) -> None:
    """Nothing of a damaged file is loaded, and the message says where it is damaged."""
    with pytest.raises(FhirError, match=says):
        read(Given((order_file(tmp_path, change(LINES)),)))
    assert not (tmp_path / "terminology").exists()


def test_a_directory_without_files_names_the_command(tmp_path: Path) -> None:
    """The error says what to run."""
    with pytest.raises(FhirError, match="fhirwright load icd10cm"):
        open_terminology(tmp_path)


def _ask(terminology: Terminology, answers) -> None:
    answers.put(terminology.validate_code(ICD10CM, "E11.9").display)


def test_a_forked_child_opens_its_own_connection(terminology: Terminology) -> None:
    """Parent and child both get answers from one Terminology."""
    terminology.lookup(ICD10CM, "I10")
    context = multiprocessing.get_context("fork")
    answers = context.Queue()
    child = context.Process(target=_ask, args=(terminology, answers))
    child.start()
    assert answers.get(timeout=120) == "Type 2 diabetes mellitus without complications"
    child.join(120)
