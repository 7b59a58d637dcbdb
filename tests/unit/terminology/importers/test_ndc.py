"""The drug directory loads whole with its packages, or not at all."""

import zipfile
from datetime import date
from pathlib import Path

import pytest

from fhir_profiles.errors import FhirError
from fhir_profiles.systems import NDC
from terminology import open_terminology
from terminology.build import install
from terminology.importers import Given
from terminology.importers.ndc import PACKAGE, PRODUCT, read
from terminology.operations import Library, answer_call

LIQUID = (
    "9002-1433_aa", "9002-1433", "HUMAN PRESCRIPTION DRUG", "Bogvax", "Forte", "marsh extract", "INJECTION, SOLUTION",
    "INTRAMUSCULAR; INTRAVENOUS", "20200301", "20271231", "NDA", "NDA999999", "Bog Works", "MARSH A; MARSH B", "5; 10",
    "mg/mL; ug/mL", "Bog Agent [EPC],Acids, Boggy [CS]", "CII", "N", "20271231",
)  # fmt: skip
TABLET = (
    "90242-040_bb", "90242-040", "HUMAN OTC DRUG", "Fen’s", "", "Fen’s", "TABLET", "ORAL", "20210101", "", "OTC", "",
    "Fen Works", "", "", "", "", "", "N", "",
)  # fmt: skip
NAMELESS = (*TABLET[:5], "", *TABLET[6:])
BOX = ("9002-1433_aa", "9002-1433", "9002-1433-80", '1 VIAL in 1 BOX "A"', "20200301", "", "N", "N")
BOTTLE = ("90242-040_bb", "90242-040", "90242-040-62", "60 TABLET in 1 BOTTLE", "20210101", "20220101", "N", "Y")


def archive(tmp_path: Path, products=(LIQUID, TABLET), packages=(BOX, BOTTLE), name="ndctext_20260105.zip") -> Path:
    """A zip with the official files; a row given as text is written as it is."""
    path = tmp_path / name
    with zipfile.ZipFile(path, "w") as packed:
        for file, head, rows in (("product.txt", PRODUCT, products), ("package.txt", PACKAGE, packages)):
            lines = (row if isinstance(row, str) else "\t".join(row) for row in (head, *rows))
            packed.writestr(file, "".join(f"{line}\r\n" for line in lines).encode("cp1252"))
    return path


def changed(row: tuple[str, ...], head: tuple[str, ...], column: str, value: str) -> tuple[str, ...]:
    """A row with another value."""
    return tuple(value if name == column else old for name, old in zip(head, row, strict=True))


def load(data: Path, given: Given) -> list[Path | None]:
    """Install the edition."""
    return [install(data, f"{s.name}@{s.version}", [s]) for s in read(given)]


def test_products_and_packages_are_kept(tmp_path: Path) -> None:
    """Packages lie below their product and know their eleven digits and their days."""
    load(tmp_path, Given((archive(tmp_path),)))
    terminology = open_terminology(tmp_path)
    liquid = terminology.lookup(NDC, "9002-1433")
    assert liquid.display == "Bogvax Forte (marsh extract) 5 mg/mL; 10 ug/mL injection, solution"
    assert liquid.properties["route"] == ["INTRAMUSCULAR", "INTRAVENOUS"]
    assert liquid.properties["pharmacologic-class"] == ["Bog Agent [EPC]", "Acids, Boggy [CS]"]
    assert liquid.properties["dea-schedule"] == "CII" and liquid.start == date(2020, 3, 1)
    assert terminology.lookup(NDC, "90242-040").display == "Fen’s tablet"
    bottle = terminology.lookup(NDC, "90242-040-62")
    assert bottle.parent == "90242-040" and bottle.properties["ndc11"] == "90242004062"
    assert bottle.end == date(2022, 1, 1) and bottle.properties["sample"] is True
    assert terminology.edition(NDC).version == "20260105"


def test_a_folder_loads_once(tmp_path: Path) -> None:
    """A folder reads as the archive does, and loading it again changes nothing."""
    folder = tmp_path / "ndctext_20260105"
    with zipfile.ZipFile(archive(tmp_path)) as packed:
        packed.extractall(folder)
    assert all(load(tmp_path, Given((folder,))))
    assert load(tmp_path, Given((folder,))) == [None]
    with pytest.raises(FhirError, match="--version YYYYMMDD"):
        read(Given((folder / "product.txt", folder / "package.txt")))
    assert load(tmp_path, Given((folder / "product.txt", folder / "package.txt"), "20260201"))


def test_two_editions_answer_for_their_dates(tmp_path: Path) -> None:
    """Each directory speaks from its day on."""
    load(tmp_path, Given((archive(tmp_path),)))
    load(tmp_path, Given((archive(tmp_path, (LIQUID,), (BOX,), "ndctext_20260601.zip"),)))
    terminology = open_terminology(tmp_path)
    assert terminology.lookup(NDC, "90242-040", "20260105") and not terminology.lookup(NDC, "90242-040", "20260601")
    assert terminology.edition(NDC, date(2026, 3, 1)).version == "20260105"


@pytest.mark.parametrize(
    ("products", "packages", "says"),
    [
        ((LIQUID[:19],), (BOX,), "product.txt, line 2, column 238: 20 fields are expected, this row has 19"),
        ((changed(LIQUID, PRODUCT, "PRODUCTNDC", "9002-14"),), (BOX,), "product.txt, line 2, column 14: a product"),
        ((changed(LIQUID, PRODUCT, "PRODUCTID", "9002-1434_aa"),), (BOX,), "product.txt, line 2, column 1: the prod"),
        ((LIQUID, LIQUID), (BOX,), "product.txt, line 3, column 1: the listing stands twice"),
        ((changed(LIQUID, PRODUCT, "STARTMARKETINGDATE", "20201301"),), (BOX,), "line 2, column 122: a day written"),
        ((("9002-1_a", "9002-1433", "DRUG"),), (BOX,), "product.txt, line 2, column 20: 20 fields"),
        ((changed(NAMELESS, PRODUCT, "PROPRIETARYNAME", ""),), (BOTTLE,), "product.txt, line 2, column 39: a name"),
        ((), (), "product.txt, line 2, column 1: the file has no products"),
        ((LIQUID,), (changed(BOX, PACKAGE, "NDCPACKAGECODE", "9002-1433"),), "package.txt, line 2, column 24: a pack"),
        ((LIQUID,), (BOX, BOTTLE), "package.txt, line 3, column 14: the product is none"),
        ((LIQUID,), (changed(BOX, PACKAGE, "NDCPACKAGECODE", "9002-1434-80"),), "line 2, column 24: the package code"),
        ((LIQUID,), (changed(BOX, PACKAGE, "SAMPLE_PACKAGE", "X"),), "package.txt, line 2, column 69: Y or N"),
        ((LIQUID,), (changed(BOX, PACKAGE, "PACKAGEDESCRIPTION", ""),), "package.txt, line 2, column 37: a descr"),
    ],
)  # fmt: skip
def test_damage_is_refused_by_line_and_column(tmp_path: Path, products, packages, says: str) -> None:
    """Nothing of damaged files is loaded, and the message says where they are damaged."""
    with pytest.raises(FhirError, match=says):
        load(tmp_path, Given((archive(tmp_path, products, packages),)))
    assert not list(tmp_path.glob("terminology/*"))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """Products without packages are no directory."""
    alone = tmp_path / "product.txt"
    alone.write_text("\t".join(PRODUCT), "cp1252")
    with pytest.raises(FhirError, match=r"package\.txt is missing"):
        read(Given((alone,), "20260105"))


def _validate(terminology, code: str) -> dict:
    asked = {
        "resourceType": "Parameters",
        "parameter": [{"name": "url", "valueUri": NDC}, {"name": "code", "valueCode": code}],
    }
    answer = answer_call("CodeSystem/$validate-code", asked, Library(terminology))
    return {p["name"]: next(v for k, v in p.items() if k != "name") for p in answer["parameter"]}


@pytest.mark.parametrize("code", ["9002-1433-80", "09002143380", "09002-1433-80"])
def test_every_spelling_of_a_package_is_valid(tmp_path: Path, code: str) -> None:
    """The answer names the code as the directory writes it, and says so where it was written otherwise."""
    load(tmp_path, Given((archive(tmp_path),)))
    told = _validate(open_terminology(tmp_path), code)
    assert told["result"] is True and told["display"].startswith("Bogvax Forte")
    assert ("normalized-code" in told) is (code != "9002-1433-80")


def test_a_package_that_is_none_is_invalid(tmp_path: Path) -> None:
    """A code of the right shape that is no package of the directory is refused."""
    load(tmp_path, Given((archive(tmp_path),)))
    assert _validate(open_terminology(tmp_path), "09002143381")["result"] is False


def test_ten_digits_without_hyphens_name_what_may_be_meant(tmp_path: Path) -> None:
    """They can mean three packages: those that exist are offered, none is taken."""
    load(tmp_path, Given((archive(tmp_path),)))
    found = open_terminology(tmp_path).validate_code(NDC, "9002143380")
    assert not found.result and found.message.endswith("did you mean 9002-1433-80?")


def test_another_spelling_is_told(tmp_path: Path) -> None:
    """The message names the code as it is printed."""
    load(tmp_path, Given((archive(tmp_path),)))
    found = open_terminology(tmp_path).validate_code(NDC, "09002143380")
    assert found.result and found.message == "09002143380 is another spelling of 9002-1433-80"
