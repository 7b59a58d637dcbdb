"""ICD-10-PCS loads from the order file with the tables, whole and checked, or not at all."""

import zipfile
from datetime import date
from pathlib import Path

import pytest

from fhir_profiles.errors import FhirError
from fhir_profiles.systems import ICD10PCS
from terminology import open_terminology
from terminology.icd10.tables import ROOT, read_tables
from terminology.importers import Given, Member, importer_of
from terminology.importers.load import load
from terminology.importers.xml import parse
from terminology.operations import Library, answer_call

TABLES = """<?xml version="1.0" encoding="utf-8"?>
<ICD10PCS.tabular>
  <version>2027</version>
  <pcsTable>
    <axis pos="1" values="1">
      <title>Section</title>
      <label code="0">Bog Works</label>
    </axis>
    <axis pos="2" values="1">
      <title>Body System</title>
      <label code="Q">Lower Marsh</label>
    </axis>
    <axis pos="3" values="1">
      <title>Operation</title>
      <label code="9">Drainage</label>
      <definition>Taking out water</definition>
    </axis>
    <pcsRow codes="2">
      <axis pos="4" values="2">
        <title>Body Part</title>
        <label code="0">Ditch</label>
        <label code="1">Pond</label>
      </axis>
      <axis pos="5" values="1"><title>Approach</title><label code="3">Percutaneous</label></axis>
      <axis pos="6" values="1"><title>Device</title><label code="0">Pipe</label></axis>
      <axis pos="7" values="1"><title>Qualifier</title><label code="Z">No Qualifier</label></axis>
    </pcsRow>
    <pcsRow codes="1">
      <axis pos="4" values="1"><title>Body Part</title><label code="1">Pond</label></axis>
      <axis pos="5" values="1"><title>Approach</title><label code="X">External</label></axis>
      <axis pos="6" values="1"><title>Device</title><label code="Z">No Device</label></axis>
      <axis pos="7" values="1"><title>Qualifier</title><label code="X">Diagnostic</label></axis>
    </pcsRow>
  </pcsTable>
</ICD10PCS.tabular>
"""
ORDER = (
    "00001 0Q9     0 Lower Marsh, Drainage                                        Lower Marsh, Drainage",
    "00002 0Q9030Z 1 Drainage of Ditch w Pipe, Perc                               Drainage of Ditch with Pipe",
    "00003 0Q9130Z 1 Drainage of Pond w Pipe, Perc                                Drainage of Pond with Pipe",
    "00004 0Q91XZX 1 Drainage of Pond, Extern, Diagn                              Drainage of Pond, Diagnostic",
)
INDEX = """<?xml version="1.0" encoding="utf-8"?>
<ICD10PCS.index>
  <version>2027</version>
  <letter><title>D</title>
    <mainTerm><title>Ditch digging</title>
      <term level="1"><title>by hand</title><codes>0Q9030Z</codes></term>
      <term level="1"><title>with tools</title><see>Drainage, Lower Marsh<tab>0Q9</tab></see></term>
    </mainTerm>
    <mainTerm><title>Duck pond</title><use>Pond</use></mainTerm>
  </letter>
</ICD10PCS.index>
"""
IMPORTER = importer_of("icd10pcs")


def order(*lines: str) -> str:
    """An order file."""
    return "".join(f"{line}\r\n" for line in lines)


FILES = {
    "icd10pcs_order_2027.txt": order(*ORDER), "icd10pcs_tables_2027.xml": TABLES, "icd10pcs_index_2027.xml": INDEX,
    "icd10pcs_order_addenda_2027.txt": "Add", "icd10pcs_addenda_2027.xml": "<a/>",
}  # fmt: skip


def folder(tmp_path: Path, name: str = "given", **changed: str | None) -> Path:
    """A folder with the official files; `tables="…"` changes one, None leaves it out."""
    made = tmp_path / name
    made.mkdir(exist_ok=True)
    for file, text in FILES.items():
        text = text if "addenda" in file else changed.get(file.split("_")[1], text)
        if text is not None:
            (made / file).write_text(text, "utf-8")
    return made


def put(data: Path, *paths: Path, **said: object) -> list[tuple[str, bool]]:
    """Load what is given; version and whether it was written."""
    return [(one.version, one.written) for one in load(data, IMPORTER, Given(paths, **said))]


def test_codes_load_with_their_axes(tmp_path: Path) -> None:
    """Titles of the order file, tree of the tables, axes as properties that can be asked for."""
    assert put(tmp_path, folder(tmp_path)) == [("2027", True)]
    terminology = open_terminology(tmp_path)
    codes = [c.code for c in terminology.concepts(ICD10PCS) if not c.group]
    assert codes == ["0Q9030Z", "0Q9130Z", "0Q91XZX"]
    concept = terminology.lookup(ICD10PCS, "0Q9030Z")
    assert concept.billable and concept.display == "Drainage of Ditch with Pipe"
    assert concept.properties == {
        "section": "Bog Works", "body-system": "Lower Marsh", "operation": "Drainage", "body-part": "Ditch",
        "approach": "Percutaneous", "device": "Pipe", "qualifier": "No Qualifier",
    }  # fmt: skip
    assert terminology.having(ICD10PCS, "body-part", "Pond") == ["0Q9130Z", "0Q91XZX"]
    above = [c.display for c in terminology.ancestors(ICD10PCS, "0Q9030Z")]
    assert above == ["Lower Marsh, Drainage", "Lower Marsh", "Bog Works"]


def test_the_index_names_codes_and_tables(tmp_path: Path) -> None:
    """Codes, tables and what `see` leads to; a hint to use another term gives nothing."""
    put(tmp_path, folder(tmp_path))
    terminology = open_terminology(tmp_path)
    named = {c.code: [n.text for n in terminology.names(ICD10PCS, c.code) if n.kind == "index"]
             for c in terminology.concepts(ICD10PCS)}  # fmt: skip
    assert {c: n for c, n in named.items() if n} == {
        "0Q9": ["Ditch digging, with tools"], "0Q9030Z": ["Ditch digging, by hand"],
    }  # fmt: skip


def test_a_code_is_valid_when_a_row_holds_it(tmp_path: Path) -> None:
    """The codes that the tables build are those of the order file; values of two rows do not mix."""
    path = folder(tmp_path) / "icd10pcs_tables_2027.xml"
    member = Member(path.name, path, path.stat().st_size)
    tables = read_tables(member, parse(member, ROOT))
    assert set(tables.codes()) == {line[6:13] for line in ORDER if line[14] == "1"}
    assert tables.holds("0Q91XZX") and not tables.holds("0Q90XZX") and not tables.holds("0Q913ZX")
    assert not tables.holds("0Q9") and not tables.holds("ZZZZZZZ")


def test_an_archive_loads_once(tmp_path: Path) -> None:
    """A zip reads as the folder does; the second load is a no-op; the order file loads alone too."""
    archive = tmp_path / "pcs.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for name, text in FILES.items():
            packed.writestr(name, text)
    assert put(tmp_path, archive) == [("2027", True)]
    assert put(tmp_path, archive) == [("2027", False)]
    assert put(tmp_path, folder(tmp_path, tables=None, index=None)) == [("2027", True)]


def test_two_editions_answer_for_their_dates(tmp_path: Path) -> None:
    """An April update stands beside the October edition."""
    put(tmp_path, folder(tmp_path))
    april = folder(tmp_path, "april", order=order(*ORDER[:3]), tables=None, index=None)
    assert put(tmp_path, april, version="2027-04") == [("2027-04", True)]
    terminology = open_terminology(tmp_path)
    assert terminology.validate_code(ICD10PCS, "0Q91XZX", on=date(2026, 12, 1)).result
    answer = terminology.validate_code(ICD10PCS, "0Q91XZX", on=date(2027, 5, 1))
    assert not answer.result and "retired after edition 2027 " in answer.message


def test_operations_answer_from_what_was_loaded(tmp_path: Path) -> None:
    """$lookup tells the axes; $validate-code knows the code."""
    put(tmp_path, folder(tmp_path))
    library = Library(open_terminology(tmp_path))
    asked = {"resourceType": "Parameters", "parameter": [
        {"name": "system", "valueUri": ICD10PCS}, {"name": "code", "valueCode": "0Q9130Z"}]}  # fmt: skip
    told = str(answer_call("CodeSystem/$lookup", asked, library))
    assert "Drainage of Pond with Pipe" in told and "Percutaneous" in told
    asked["parameter"][0]["name"] = "url"
    assert {"name": "result", "valueBoolean": True} in answer_call("CodeSystem/$validate-code", asked, library)[
        "parameter"
    ]


def test_tables_alone_need_the_codes_of_their_edition(tmp_path: Path) -> None:
    """Without the order file the tables are joined to an edition of the installation, and must be of that edition."""
    with pytest.raises(FhirError, match="No list of the codes of 2027"):
        put(tmp_path / "data", folder(tmp_path, order=None))
    with pytest.raises(FhirError, match="stands in no table: the tables are of another edition"):
        (tables := tmp_path / "icd10pcs_tables_2024.xml").write_text(TABLES.replace("2027", "2024"), "utf-8")
        put(tmp_path / "data", tables)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"tables": TABLES[:1000]}, "tables_2027.xml, line 2[0-9], column"),
        ({"tables": TABLES.replace('pos="5"', 'pos="6"', 1)}, "line 24, column 7: the axis of character 5"),
        ({"tables": TABLES.replace('label code="3"', 'label code="O"')}, "line 24, column 55: a label has a character"),
        ({"tables": TABLES.replace('code="1">Pond', 'code="0">Pond', 1)}, "line 22, column 9: the character"),
        ({"tables": TABLES.replace('<pcsRow codes="2">', '<pcsRow codes="3">')}, "line 18, column 5: the row says"),
        ({"tables": TABLES.replace('pos="4" values="2"', 'pos="4" values="5"')}, "line 19, column 7: the axis has not"),
        ({"tables": TABLES.replace("ICD10PCS.tabular", "ICD10PCS.index")}, "the root element ICD10PCS.tabular"),
        ({"tables": TABLES.replace(' <axis pos="3"', ' <axes pos="3"').replace("</definition>\n    </axis>",
          "</definition>\n    </axes>")}, "line 4, column 3: a table has three axes"),
        ({"tables": TABLES.replace("2027", "twenty")}, "no fiscal year"),
        ({"tables": TABLES.replace("<version>2027", "<version>2026")}, "several fiscal years: 2026, 2027"),
        ({"index": INDEX.replace("<codes>0Q9030Z", "<codes>OQ9030Z")}, "index_2027.xml, line 6, column 45: three to"),
        ({"index": INDEX.replace("<title>Duck pond</title>", "")}, "line 9, column 5: mainTerm has no title"),
        ({"index": INDEX.replace("0Q9", "0Q8")}, "2 of 2 codes of the index are not in this edition"),
        ({"order": order(*ORDER, "00005 0Q9133Z 1 Drainage                                                     x")},
         "order_2027.txt, line 5, column 7: 0Q9133Z stands in no table"),
        ({"order": order(ORDER[0], ORDER[1].replace("0Q9030Z", "OQ9030Z"))}, "order_2027.txt, line 2, column 7"),
        ({"order": order(ORDER[0], ORDER[1].replace(" 1 ", " 7 "))}, "order_2027.txt, line 2, column 15"),
        ({"order": order(ORDER[1], ORDER[0])}, "line 2, column 1: order numbers must rise"),
        ({"order": order(ORDER[1], ORDER[1].replace("00002", "00003"))}, "line 2, column 7: the code stands twice"),
    ],
)  # fmt: skip
def test_damaged_files_are_refused_whole(tmp_path: Path, changed: dict[str, str], says: str) -> None:
    """The refusal names file, line and reason, and nothing is on disk."""
    with pytest.raises(FhirError, match=says):
        put(tmp_path / "data", folder(tmp_path, **changed), version=None)
    assert not list((tmp_path / "data").rglob("*.*"))
