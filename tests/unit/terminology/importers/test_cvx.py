"""Vaccine codes load whole with groups, brands and makers, or not at all."""

import zipfile
from pathlib import Path

import pytest

from fhir_profiles.errors import FhirError
from fhir_profiles.systems import CVX, MVX
from terminology import open_terminology
from terminology.build import install
from terminology.importers import Given
from terminology.importers.cvx import read
from terminology.operations import Library, answer_call

VACCINES = (
    "901       |Marsh fever|marsh fever vaccine, live|Two doses.|Active|False|2024/06/02",
    "902       |Marsh fever, old|marsh fever vaccine, whole cell||Inactive|False|2010/05/28",
    "903       |Marsh serum|marsh fever immune serum||Active|True|2012/01/01",
)
GROUPS = ("Marsh fever|901       |Active|MARSH|901", "Marsh fever, old|902|Inactive|MARSH|901")
BRANDS = ("MARSHVAX|Marsh fever|901|Bog Works|BOG|Active|Active|2024/06/02|",)
MAKERS = ("BOG|Bog Works|merged|Active|2019/01/01", "OLD|Old Works||Inactive|2011/01/01")
FILES = {"cvx.txt": VACCINES, "VG.txt": GROUPS, "TRADENAME.txt": BRANDS, "mvx.txt": MAKERS}


def folder(tmp_path: Path, **changed: tuple[str, ...]) -> Path:
    """A folder with the official files."""
    made = tmp_path / "given"
    made.mkdir(exist_ok=True)
    for name, lines in {**FILES, **{f"{k}.txt": v for k, v in changed.items()}}.items():
        (made / name).write_text("".join(f"{line}\r\n" for line in lines), "utf-8")
    return made


def load(data: Path, given: Given) -> list[Path | None]:
    """Install everything in what is given."""
    return [install(data, f"{s.name}@{s.version}", [s]) for s in read(given)]


def test_a_folder_gives_vaccines_and_makers(tmp_path: Path) -> None:
    """Groups, brands, notes, statuses and makers are kept."""
    load(tmp_path, Given((folder(tmp_path),)))
    terminology = open_terminology(tmp_path)
    old = terminology.lookup(CVX, "902")
    assert not old.active and old.version == "20240602"
    assert terminology.lookup(CVX, "903").properties["non-vaccine"] is True
    assert terminology.lookup(CVX, "901").properties["vaccine-group"] == ["MARSH"]
    assert "MARSHVAX" in {n.text for n in terminology.names(CVX, "901")}
    assert terminology.notes(CVX, "901") == [("note", "Two doses.")]
    assert terminology.lookup(MVX, "BOG").display == "Bog Works" and not terminology.lookup(MVX, "OLD").active


def test_a_zip_loads_once(tmp_path: Path) -> None:
    """An archive reads as the folder does, and loading it again changes nothing."""
    archive = tmp_path / "cvx.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for name, lines in FILES.items():
            packed.writestr(f"codes/{name}", "\n".join(lines))
    assert all(load(tmp_path, Given((archive,))))
    assert load(tmp_path, Given((archive,))) == [None, None]


def test_two_editions_stand_side_by_side(tmp_path: Path) -> None:
    """Each answers for its version."""
    load(tmp_path, Given((folder(tmp_path),)))
    load(tmp_path, Given((folder(tmp_path, cvx=(*VACCINES[:2], VACCINES[2].replace("2012", "2025"))),)))
    terminology = open_terminology(tmp_path)
    assert [e.version for e in terminology.editions(CVX)] == ["20240602", "20250101"]
    assert terminology.lookup(CVX, "903", "20240602").properties["updated"] == "2012-01-01"
    assert terminology.lookup(CVX, "903", "20250101").properties["updated"] == "2025-01-01"


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"cvx": ("901|short|full||Active|False",)}, "cvx.txt, line 1, column 24: 7 fields"),
        ({"cvx": (*VACCINES, "90X|a|b||Active|False|2024/01/01")}, "line 4, column 1"),
        ({"cvx": (VACCINES[0], VACCINES[0])}, "line 2, column 1: the code stands twice"),
        ({"cvx": (VACCINES[0].replace("Active", "Alive"), *VACCINES[1:])}, "line 1, column 61: one of"),
        ({"cvx": (VACCINES[0].replace("False", "No"), *VACCINES[1:])}, "line 1, column 68: True"),
        ({"cvx": (VACCINES[0].replace("06/02", "13/02"), *VACCINES[1:])}, "line 1, column 74: a day written"),
        ({"cvx": ("901||full||Active|False|2024/01/01",)}, "line 1, column 5: a name"),
        ({"cvx": ()}, "cvx.txt, line 1, column 1: the file has no codes"),
        ({"VG": ("x|999|Active|MARSH|901",)}, "VG.txt, line 1, column 3: the code is none"),
        ({"VG": ("x|901|Active|MARSH|999",)}, "VG.txt, line 1, column 20"),
        ({"TRADENAME": ("MARSHVAX|x|901|Bog Works|BOG|Active",)}, "TRADENAME.txt, line 1, column"),
        ({"mvx": ("bog|Bog Works||Active|2019/01/01",)}, "mvx.txt, line 1, column 1"),
    ],
)
def test_damage_is_refused_by_line_and_column(tmp_path: Path, changed: dict[str, tuple[str, ...]], says: str) -> None:
    """Nothing of damaged files is loaded, and the message says where they are damaged."""
    with pytest.raises(FhirError, match=says):
        load(tmp_path, Given((folder(tmp_path, **changed),)))
    assert not list(tmp_path.glob("terminology/*"))


def test_operations_answer_for_it(tmp_path: Path) -> None:
    """A vaccine that is given no longer is valid for what was given, and said to be inactive."""
    load(tmp_path, Given((folder(tmp_path),)))
    asked = {
        "resourceType": "Parameters",
        "parameter": [{"name": "url", "valueUri": CVX}, {"name": "code", "valueCode": "902"}],
    }
    answer = answer_call("CodeSystem/$validate-code", asked, Library(open_terminology(tmp_path)))
    told = {p["name"]: next(v for k, v in p.items() if k != "name") for p in answer["parameter"]}
    assert told["result"] is True and told["inactive"] is True and told["display"] == "Marsh fever, old"
