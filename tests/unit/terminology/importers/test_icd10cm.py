"""ICD-10-CM loads from the files of an official release, whole and checked, with its indexes, or not at all."""

import zipfile
from datetime import date
from importlib.util import find_spec
from pathlib import Path

import pytest

from fhir_profiles.errors import FhirError
from fhir_profiles.systems import ICD10CM
from terminology import open_terminology
from terminology.importers import Given, importer_of
from terminology.importers.icd10cm import read
from terminology.importers.load import load
from terminology.operations import Library, answer_call

TABULAR = """<?xml version="1.0" encoding="utf-8"?>
<ICD10CM.tabular>
  <version>2027</version>
  <title>TABULAR LIST</title>
  <chapter>
    <name>1</name>
    <desc>Fevers of the marsh (A00-A09)</desc>
    <includes><note>fevers caught near water</note></includes>
    <section id="A00-A09">
      <desc>Marsh fevers (A00-A09)</desc>
      <diag>
        <name>A00</name>
        <desc>Marsh fever</desc>
        <inclusionTerm><note>Bog fever</note></inclusionTerm>
        <excludes1><note>dry fever (A01)</note></excludes1>
        <diag>
          <name>A00.0</name>
          <desc>Marsh fever, acute</desc>
        </diag>
        <diag>
          <name>A00.9</name>
          <desc>Marsh fever, unspecified</desc>
        </diag>
      </diag>
      <diag>
        <name>A01</name>
        <desc>Fall into a marsh</desc>
        <sevenChrNote><note>The 7th character is to be added</note></sevenChrNote>
        <sevenChrDef>
          <extension char="A">initial encounter</extension>
          <extension char="S">sequela</extension>
        </sevenChrDef>
      </diag>
    </section>
  </chapter>
</ICD10CM.tabular>
"""
ORDER = (
    "00001 A00     0 Marsh fever                                                  Marsh fever",
    "00002 A000    1 Marsh fever, acute                                           Marsh fever, acute",
    "00003 A009    1 Marsh fever, unsp                                            Marsh fever, unspecified",
    "00004 A01     0 Fall into a marsh                                            Fall into a marsh",
    "00005 A01XXXA 1 Fall into a marsh, init                                      Fall into a marsh, initial encounter",
    "00006 A01XXXS 1 Fall into a marsh, sequela                                   Fall into a marsh, sequela",
)
INDEX = """<?xml version="1.0" encoding="utf-8"?>
<ICD10CM.index>
  <version>2027</version>
  <letter><title>F</title>
    <mainTerm><title>Fever, fevers<nemod>(malignant) (of the bog)</nemod></title><code>A00.9</code>
      <term level="1"><title>marsh</title><code>A00.-</code>
        <term level="2"><title>with</title>
          <term level="3"><title>sudden onset</title><code>A00.0</code></term>
        </term>
      </term>
      <term level="1"><title>bog</title><see>Fever, marsh</see></term>
    </mainTerm>
    <mainTerm><title>Shivers</title><seeAlso>Fever, marsh, with sudden onset</seeAlso></mainTerm>
    <mainTerm><title>Sunken</title><see>condition</see></mainTerm>
  </letter>
</ICD10CM.index>
"""
DRUG = """<?xml version="1.0" encoding="utf-8"?>
<ICD10CM.index>
  <version>2027</version>
  <indexHeading>
    <head col="1">Substance</head>
    <head col="2">Poisoning Accidental (unintentional)</head>
    <head col="3">Adverse effect</head>
  </indexHeading>
  <letter><title>B</title>
    <mainTerm><title>Bogbane<nemod>(dried)</nemod></title><cell col="2">A01.-</cell><cell col="3">-</cell></mainTerm>
  </letter>
</ICD10CM.index>
"""
FILES = {
    "icd10cm_tabular_2027.xml": TABULAR,
    "icd10cm_order_2027.txt": "".join(f"{line}\r\n" for line in ORDER),
    "icd10cm_index_2027.xml": INDEX,
    "icd10cm_drug_2027.xml": DRUG,
    "icd10cm_order_addenda_2027.txt": "Add: 00001",
    "icd10cm_tabular.xsd": "<x/>",
}
IMPORTER = importer_of("icd10cm")


def folder(tmp_path: Path, name: str = "given", **changed: str | None) -> Path:
    """A folder with the official files; `tabular="…"` changes one, None leaves it out."""
    made = tmp_path / name
    made.mkdir(exist_ok=True)
    for file, text in FILES.items():
        key = file.split("_")[1].split(".")[0]
        text = changed.get(key, text) if "addenda" not in file and not file.endswith("xsd") else text
        if text is not None:
            (made / file).write_text(text, "utf-8")
    return made


def put(data: Path, *paths: Path, **said: object) -> list[tuple[str, bool]]:
    """Load what is given; version and whether it was written."""
    return [(one.version, one.written) for one in load(data, IMPORTER, Given(paths, **said))]


def test_a_release_loads_whole(tmp_path: Path) -> None:
    """Tree, billing, notes, titles of the order file, 7th characters, names of the index."""
    assert put(tmp_path, folder(tmp_path)) == [("2027", True)]
    terminology = open_terminology(tmp_path)
    (edition,) = terminology.editions(ICD10CM)
    assert (edition.start, edition.end) == (date(2026, 10, 1), date(2027, 9, 30))
    codes = {c.code: c.billable for c in terminology.concepts(ICD10CM) if not c.group}
    assert codes == {"A00": False, "A00.0": True, "A00.9": True, "A01": False, "A01.XXXA": True, "A01.XXXS": True}
    assert [c.code for c in terminology.ancestors(ICD10CM, "A01.XXXA")] == ["A01", "A00-A09", "chapter-1"]
    assert terminology.lookup(ICD10CM, "A01.XXXA").properties["seventh"] == "initial encounter"
    assert ("excludes1", "dry fever (A01)") in terminology.notes(ICD10CM, "A00")


def test_entries_of_the_index_are_names(tmp_path: Path) -> None:
    """With and without modifiers, with codes that end in a dash, by `see` and `see also`; what leads nowhere is not."""
    put(tmp_path, folder(tmp_path))
    terminology = open_terminology(tmp_path)
    named = {c: [n.text for n in terminology.names(ICD10CM, c) if n.kind == "index"] for c in ("A00", "A00.0", "A00.9")}
    assert named["A00.9"] == ["Fever, fevers", "Fever, fevers (malignant) (of the bog)"]
    assert "Fever, fevers, marsh" in named["A00"] and "Fever, fevers, bog" in named["A00"]
    assert "Fever, fevers, marsh, with, sudden onset" in named["A00.0"] and "Shivers" in named["A00.0"]
    drugs = [n.text for n in terminology.names(ICD10CM, "A01")]
    assert "Bogbane, poisoning accidental (unintentional)" in drugs
    assert "Sunken" not in str([n for c in terminology.concepts(ICD10CM) for n in terminology.names(ICD10CM, c.code)])
    assert terminology.search(ICD10CM, "shivers").concepts[0].code == "A00.0"


def test_an_archive_loads_once_and_again_when_it_changes(tmp_path: Path) -> None:
    """A zip reads as the folder does; the second load is a no-op."""
    archive = tmp_path / "2027.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for name, text in FILES.items():
            packed.writestr(f"Code Tables and Index/{name}", text)
    assert put(tmp_path, archive) == [("2027", True)]
    assert put(tmp_path, archive) == [("2027", False)]
    assert put(tmp_path, folder(tmp_path, index=None)) == [("2027", True)]


@pytest.mark.parametrize("name", ["icd10cm_tabular_2027.xml", "icd10cm_order_2027.txt", "renamed-2027.txt"])
def test_the_tabular_list_and_the_order_file_also_load_alone(tmp_path: Path, name: str) -> None:
    """Each has all codes with their billing; under any name that tells the year."""
    path = tmp_path / name
    path.write_text(FILES.get(name, FILES["icd10cm_order_2027.txt"]), "utf-8")
    assert put(tmp_path, path) == [("2027", True)]
    terminology = open_terminology(tmp_path)
    assert sum(bool(c.billable) for c in terminology.concepts(ICD10CM)) == 4


def test_the_official_tabular_list_alone_has_exactly_the_official_codes() -> None:
    """Without a code list too: 74,719 billable codes, no later encounter of the dead."""
    (path,) = (Path(find_spec("simple_icd_10_cm").submodule_search_locations[0]) / "data").glob("*tabular-April*.xml")
    (source,) = read(Given((path,)))
    codes = {c.code: c.billable for c in source.concepts() if not c.group}
    assert (source.version, len(codes), sum(codes.values())) == ("2026-04", 98_186, 74_719)
    assert "S06.1X7A" in codes and "S06.1X7D" not in codes


def test_an_index_alone_joins_the_edition_of_its_year(tmp_path: Path) -> None:
    """The edition that comes with the installation is written again with the names; another year is refused."""
    index = tmp_path / "icd10cm_index_2026.xml"
    text = INDEX.replace("2027", "2026").replace("A00.9", "E11.9").replace("A00.-", "E11.-").replace("A00.0", "E11.65")
    index.write_text(text, "utf-8")
    assert put(tmp_path, index) == [("2026-04", True)]
    terminology = open_terminology(tmp_path)
    assert terminology.terms_of(ICD10CM, "E11.65")[-1] == "Shivers"
    assert sum(bool(c.billable) for c in terminology.concepts(ICD10CM)) == 74_719
    with pytest.raises(FhirError, match="No tabular list of fiscal year 2027"):
        put(tmp_path, folder(tmp_path, tabular=None, order=None))


def test_two_editions_answer_for_their_dates(tmp_path: Path) -> None:
    """The April update takes over on the first of April, and a code that went is told."""
    put(tmp_path, folder(tmp_path))
    april = folder(tmp_path, "April", order=None, index=None, drug=None,
                   tabular=TABULAR.replace("A00.9", "A00.8").replace("unspecified", "other"))  # fmt: skip
    assert put(tmp_path, april, version="2027-04") == [("2027-04", True)]
    terminology = open_terminology(tmp_path)
    assert terminology.validate_code(ICD10CM, "A00.9", on=date(2027, 3, 31)).result
    answer = terminology.validate_code(ICD10CM, "A00.9", on=date(2027, 4, 1))
    assert not answer.result and "retired after edition 2027 " in answer.message


def test_operations_answer_from_what_was_loaded(tmp_path: Path) -> None:
    """$lookup, $validate-code and $expand know the loaded codes."""
    put(tmp_path, folder(tmp_path))
    library = Library(open_terminology(tmp_path))

    def ask(operation: str, **said: str) -> dict:
        parameters = [{"name": k, "valueString": v} for k, v in said.items()]
        return answer_call(operation, {"resourceType": "Parameters", "parameter": parameters}, library)

    shown = {p["name"]: p for p in ask("CodeSystem/$lookup", system=ICD10CM, code="A00.0")["parameter"]}
    assert shown["display"]["valueString"] == "Marsh fever, acute"
    valid = ask("CodeSystem/$validate-code", url=ICD10CM, code="A01.XXXA")["parameter"]
    assert {"name": "result", "valueBoolean": True} in valid
    found = ask("ValueSet/$expand", url=f"{ICD10CM}?fhir_vs", filter="acute")["expansion"]["contains"]
    assert [c["code"] for c in found] == ["A00.0"]


def order(*lines: str) -> str:
    """An order file."""
    return "".join(f"{line}\n" for line in lines)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"tabular": TABULAR[:900]}, "tabular_2027.xml, line 2[0-9], column"),
        ({"tabular": TABULAR.replace("<name>A00.9", "<name>A0.99")}, "line 20, column 9: a code such as"),
        ({"tabular": TABULAR.replace("<name>A00.9", "<name>A00.0")}, "line 20, column 9: A00.0 stands twice"),
        ({"tabular": TABULAR.replace("<name>A00.9", "<name>A05.9")}, "A05.9 does not belong below A00"),
        ({"tabular": TABULAR.replace("<desc>Marsh fever, acute</desc>", "")}, "line 16, column 9: diag has no desc"),
        ({"tabular": TABULAR.replace('char="A"', 'char=""')}, "line 30, column 11: a 7th character"),
        ({"tabular": TABULAR.replace("ICD10CM.tabular", "ICD10PCS.tabular")}, "the root element ICD10CM.tabular"),
        ({"tabular": TABULAR.replace('id="A00-A09"', "")}, "line 9, column 5: section has no id"),
        (
            {"tabular": TABULAR.replace("<ICD10CM", '<!DOCTYPE a [<!ENTITY b "cc">]><ICD10CM', 1)},
            "line 2, column 1: official files declare no document type",
        ),
        ({"order": order(*ORDER[:2], *ORDER[3:])}, "A00.9 is billable here and not in icd10cm_order_2027.txt"),
        ({"order": order(*ORDER, ORDER[5].replace("00006 A01XXXS", "00007 A01XXXD"))}, "2027.txt, line 7, column 7"),
        ({"order": order(ORDER[0], ORDER[1].replace("A000 ", "a000 "))}, "order_2027.txt, line 2, column 7"),
        ({"order": order(ORDER[0].replace("0 Marsh", "2 Marsh"))}, "line 1, column 15"),
        ({"order": order(*ORDER[:2], ORDER[1])}, "line 3, column 1: order numbers must rise"),
        ({"order": order(ORDER[0].replace("Marsh", "Märsh"))}, "line 1, column 18: this is not ascii"),
        ({"index": INDEX.replace("<code>A00.0<", "<code>see above<")}, "line 8, column 54: a code such as"),
        ({"index": INDEX.replace("<title>Shivers</title>", "")}, "line 13, column 5: mainTerm has no title"),
        ({"index": INDEX.replace("2027", "2025")}, "several fiscal years: 2025, 2027"),
        ({"index": INDEX.replace("A00", "Q55")}, "of the index are not in this edition"),
        ({"drug": DRUG.replace('<cell col="2">', '<cell col="9">')}, "drug_2027.xml, line 10, column 59: the column"),
        ({"index": INDEX.replace("<see>condition", "<see>condition" + ", a" * 500)}, "line 14, column 5: a title"),
        ({"index": INDEX[:400]}, "index_2027.xml, line 9"),
    ],
)  # fmt: skip
def test_damaged_files_are_refused_whole(tmp_path: Path, changed: dict[str, str], says: str) -> None:
    """The refusal names file, line and reason, and nothing of the edition is on disk."""
    with pytest.raises(FhirError, match=says):
        put(tmp_path / "data", folder(tmp_path, **changed))
    assert not list((tmp_path / "data").rglob("*.*"))


@pytest.mark.parametrize(
    ("name", "text", "said", "says"),
    [
        ("order.txt", order(*ORDER), {}, "give --version"),
        ("icd10cm_order_2027.txt", order(*ORDER), {"version": "2026"}, "not that of the files"),
        ("icd10cm_order_2027.txt", order(*ORDER), {"version": "next"}, "not that of the files"),
        ("icd10cm_codes_2027.txt", "A000    Marsh fever", {}, "has no headers"),
        ("icd10cm_order_2027.txt", "", {}, "line 1, column 1: the file has no codes"),
    ],
)
def test_what_the_files_do_not_tell_is_asked_for(
    tmp_path: Path, name: str, text: str, said: dict[str, str], says: str
) -> None:
    """The refusal says which option or which other file to give."""
    path = tmp_path / name
    path.write_text(text, "utf-8")
    with pytest.raises(FhirError, match=says):
        put(tmp_path / "data", path, **said)
