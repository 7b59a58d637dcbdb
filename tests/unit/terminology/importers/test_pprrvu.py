"""The relative value file as CSV and as text, with invented codes, descriptions and values."""

import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from fhir_profiles.errors import FhirError
from fhir_profiles.systems import CPT, HCPCS
from terminology import Terminology, open_terminology
from terminology.build import install
from terminology.fragments import fragment_sources
from terminology.importers import Given, importer_of
from terminology.importers.load import load
from terminology.importers.pprrvu import read
from terminology.importers.pprrvu_rows import LAYOUT
from terminology.operations import Library, answer_call

TITLES = ("", "", "{}", "STATUS CODE", "NOT USED FOR MEDICARE PAYMENT", "WORK RVU", "NON-FAC PE RVU", "NA INDICATOR",
          "FACILITY PE RVU", "NA INDICATOR", "MP RVU", "TOTAL", "TOTAL", "PCTC IND", "GLOB DAYS", "PRE OP", "INTRA OP",
          "POST OP", "MULT PROC", "BILAT SURG", "ASST SURG", "CO- SURG", "TEAM SURG", "ENDO BASE", "CONV FACTOR",
          "PHYSICIAN SUPERVISION OF DIAGNOSTIC PROCEDURES", "CALCULATION FLAG", "DIAGNOSTIC IMAGING FAMILY INDICATOR",
          "FOR OPPS AMOUNT", "FOR OPPS AMOUNT", "FOR OPPS AMOUNT")  # fmt: skip
HEADER = (
    ",,2026 National Physician Fee Schedule Relative Value File January Release" + "," * 28,
    ",,An invented notice" + "," * 28,
    ",, " + "," * 28,
    ",".join(t.rpartition(" ")[0] for t in TITLES),
    ",".join(("HCPCS", "MOD", "DESCRIPTION", *(t.rpartition(" ")[2] for t in TITLES[3:]))),
)
ROWS = (
    ("Q1001", "", "Widget, left", "X", "9", "XXX", "9", "9", "9", "9", "9", "", "09", "99"),
    ("0001X", "", "Widget polishing, invented", "A", "1", "XXX", "0", "0", "0", "0", "0", "", "01", "88"),
    ("0001X", "26", "Widget polishing, invented", "A", "1", "XXX", "0", "0", "0", "0", "0", "", "01", "88"),
    ("0001X", "TC", "Widget polishing, invented", "A", "1", "XXX", "0", "0", "0", "0", "0", "", "01", "88"),
    ("0002F", "", "Widget, looked at", "M", "9", "XXX", "9", "9", "9", "9", "9", "", "09", "99"),
    ("0003T", "", "Widget of kind three", "C", "0", "010", "2", "1", "1", "0", "0", "0001X", "09", "99"),
    ("99213", "", "Invented text of a known number", "B", "0", "XXX", "0", "0", "0", "0", "0", "", "09", "99"),
    ("D0999", "", "Tooth of a dragon", "R", "0", "YYY", "0", "0", "0", "0", "0", "", "09", "99"),
)


def _quoted(text: str) -> str:
    return f'"{text}"' if "," in text else text


def csv_file(folder: Path, lines: tuple[str, ...] | None = None, name: str = "PPRRVU26_JAN.csv") -> Path:
    """A file of the official layout: header over several lines, 31 columns, a line of commas at the end."""
    made = [
        f"{c},{m},{_quoted(d)},{s},,0.00,0.00,,0.00,,0.00,0.00,0.00,{p},{g},0.00,0.00,0.00,{mu},{bi},{a},{co},{te},{e},"
        f"32.3465,{su},0,{f},0.00,0.00,0.00"
        for c, m, d, s, p, g, mu, bi, a, co, te, e, su, f in ROWS
    ]
    path = folder / name
    path.write_bytes("\r\n".join((*HEADER, *(lines or made), "," * 30, "")).encode("cp1252"))
    return path


def text_file(folder: Path, name: str = "PPRRVU26_JAN.txt") -> Path:
    """The same rows in fixed columns."""
    lines = ["HDR AN INVENTED NOTICE", "HDR"]
    names = ("HCPCS", "MOD", "DESCRIPTION", "STATUS", "PCTC", "GLOB", "MULT", "BILAT", "ASST", "CO", "TEAM", "ENDO",
             "SUPERVISION", "FAMILY")  # fmt: skip
    for row in ROWS:
        cells = [" "] * 171
        for column, value in zip(names, row, strict=True):
            first, last = LAYOUT[column]
            cells[first - 1 : last] = value.ljust(last - first + 1)
        lines.append("".join(cells))
    path = folder / name
    path.write_bytes("\r\n".join((*lines, "")).encode("cp1252"))
    return path


def loaded(data: Path, *paths: Path, options: frozenset[str] = frozenset(), **said: str) -> Terminology:
    """What answers after the files were loaded."""
    importer = importer_of("pprrvu")
    assert importer is not None
    load(data, importer, Given(paths, options=options, **said))
    return open_terminology(data)


def test_one_file_gives_a_fragment_of_each_system(tmp_path: Path) -> None:
    """Numbers, status and indicators are there; rows with a modifier are told at their code."""
    terminology = loaded(tmp_path, csv_file(tmp_path))
    cpt, hcpcs = terminology.edition(CPT), terminology.edition(HCPCS)
    assert (cpt.version, cpt.content, cpt.start) == ("pprrvu-2026-01", "fragment", date(2026, 1, 1))
    assert (hcpcs.version, hcpcs.content, hcpcs.end) == ("pprrvu-2026-01", "fragment", date(2026, 3, 31))
    polish = terminology.lookup(CPT, "0001X")
    assert polish.properties["component"] == ["26", "TC"] and polish.properties["imaging-family"] == "88"
    surgery = terminology.lookup(CPT, "0003T").properties
    assert (surgery["status"], surgery["global-days"], surgery["endoscopic-base"]) == ("C", "010", "0001X")
    assert terminology.lookup(HCPCS, "Q1001").display == "Widget, left"
    assert terminology.lookup(HCPCS, "D0999") is None


def test_descriptors_of_cpt_are_kept_only_with_the_licence(tmp_path: Path) -> None:
    """Without it a code has our own label or no display, and no text of the file is stored."""
    terminology = loaded(tmp_path, csv_file(tmp_path))
    assert terminology.lookup(CPT, "0001X").display == ""
    own = terminology.lookup(CPT, "99213").display
    assert own and "nvented" not in own
    stored = b"".join(p.read_bytes() for p in (tmp_path / "terminology").glob("cpt@*"))
    assert b"polishing" not in stored and b"Invented text" not in stored
    terminology = loaded(tmp_path, csv_file(tmp_path), options=frozenset({"accept-licence"}))
    assert terminology.lookup(CPT, "0001X").display == "Widget polishing, invented"
    assert terminology.lookup(CPT, "99213").display == "Invented text of a known number"
    assert own in terminology.terms_of(CPT, "99213")
    assert terminology.lookup(HCPCS, "D0999").display == "Tooth of a dragon"


def test_csv_text_folder_and_archive_say_the_same(tmp_path: Path) -> None:
    """Both forms give equal concepts; where both lie together the CSV is read."""
    forms = [csv_file(tmp_path), text_file(tmp_path)]
    folder = tmp_path / "folder"
    folder.mkdir()
    csv_file(folder, name="PPRRVU2026_Jan_nonQPP.csv")
    csv_file(folder, name="PPRRVU2026_Jan_QPP.csv")
    archive = tmp_path / "rvu26a.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for form in forms:
            packed.write(form, form.name)
        packed.writestr("GPCI2026.csv", "other")
    found = [[list(s.concepts()) for s in read(Given((path,)))] for path in (*forms, folder, archive)]
    assert found[0] == found[1] == found[2] == found[3]


def test_notices_may_stand_in_any_of_the_first_columns(tmp_path: Path) -> None:
    """A header whose headings stand in one line below notices of the first column is read too."""
    path = csv_file(tmp_path)
    lines = path.read_text("cp1252").split("\r\n")
    moved = [line.lstrip(",") + "," * (len(line) - len(line.lstrip(","))) for line in lines[:3]]
    path.write_text("\r\n".join((*moved, *lines[3:])), "cp1252", newline="")
    assert loaded(tmp_path / "data", path).lookup(HCPCS, "Q1001")


def test_two_releases_stand_side_by_side(tmp_path: Path) -> None:
    """Each quarter answers for its version and dates; loading again writes nothing."""
    loaded(tmp_path, csv_file(tmp_path))
    later = csv_file(tmp_path, name="PPRRVU26_APR.csv")
    terminology = loaded(tmp_path, later)
    assert terminology.lookup(CPT, "0001X", on=date(2026, 5, 1)).version == "pprrvu-2026-04"
    assert terminology.lookup(CPT, "0001X", on=date(2026, 2, 1)).version == "pprrvu-2026-01"
    assert not any(one.written for one in load(tmp_path, importer_of("pprrvu"), Given((later,))))


def test_the_status_is_told_as_a_remark(tmp_path: Path) -> None:
    """A code that Medicare does not pay separately is valid, and the message says so, with the release."""
    terminology = loaded(tmp_path, csv_file(tmp_path))
    for code, word in (("99213", "bundled"), ("0002F", "measure")):
        answer = terminology.validate_code(CPT, code, on=date(2026, 2, 1))
        assert answer.result and word in answer.message and "2026-01" in answer.message
    assert terminology.validate_code(CPT, "0003T", on=date(2026, 2, 1)).message is None
    asked = [{"name": "url", "valueUri": CPT}, {"name": "code", "valueCode": "0002F"}]
    answer = answer_call(
        "CodeSystem/$validate-code", {"resourceType": "Parameters", "parameter": asked}, Library(terminology)
    )
    told = {p["name"]: p for p in answer["parameter"]}
    assert told["result"]["valueBoolean"] is True
    (issue,) = told["issues"]["resource"]["issue"]
    assert issue["severity"] == "information" and "measure for reporting" in issue["details"]["text"]


def test_a_display_is_not_held_against_our_label(tmp_path: Path) -> None:
    """What the publisher calls a code is not known here: another display than ours, or than none, is no error."""
    terminology = loaded(tmp_path, csv_file(tmp_path))
    library = Library(terminology)
    for code, severities in (("99213", {"warning", "information"}), ("0001X", set())):
        assert terminology.validate_code(CPT, code, "Some official words").result
        asked = [
            {"name": "url", "valueUri": CPT},
            {"name": "code", "valueCode": code},
            {"name": "display", "valueString": "Some official words"},
        ]
        answer = answer_call("CodeSystem/$validate-code", {"resourceType": "Parameters", "parameter": asked}, library)
        told = {p["name"]: p for p in answer["parameter"]}
        assert told["result"]["valueBoolean"] is True
        issues = told["issues"]["resource"]["issue"] if "issues" in told else []
        assert {i["severity"] for i in issues} == severities


def test_the_starter_tables_step_back(tmp_path: Path) -> None:
    """With the fee schedule loaded the starter of the same system answers only when it is asked for."""
    for source in fragment_sources():
        install(tmp_path, f"{source.name}@{source.version}", [source])
    terminology = loaded(tmp_path, csv_file(tmp_path))
    for on in (None, date(2020, 1, 1), date(2026, 2, 1)):
        assert terminology.edition(CPT, on).version == "pprrvu-2026-01"
    assert terminology.lookup(CPT, "99213", "starter-1") is not None


def test_the_operations_answer_from_the_file(tmp_path: Path) -> None:
    """$lookup tells the status; what a fragment lacks is not known, which is no error; $expand finds by status."""
    library = Library(loaded(tmp_path, csv_file(tmp_path)))

    def ask(operation: str, *parameters: dict) -> dict:
        return answer_call(operation, {"resourceType": "Parameters", "parameter": list(parameters)}, library)

    told = ask("CodeSystem/$lookup", {"name": "system", "valueUri": CPT}, {"name": "code", "valueCode": "0003T"})
    properties = {p["part"][0]["valueCode"]: p["part"][1] for p in told["parameter"] if p["name"] == "property"}
    assert properties["status"] == {"name": "value", "valueCode": "C"}
    answer = ask("CodeSystem/$validate-code", {"name": "url", "valueUri": CPT}, {"name": "code", "valueCode": "0009T"})
    assert {"name": "result", "valueBoolean": True} in answer["parameter"]
    rule = {"system": CPT, "filter": [{"property": "status", "op": "=", "value": "C"}]}
    value_set = {"resourceType": "ValueSet", "status": "active", "compose": {"include": [rule]}}
    expanded = ask("ValueSet/$expand", {"name": "valueSet", "resource": value_set})
    assert [c["code"] for c in expanded["expansion"]["contains"]] == ["0003T"]


def replaced(old: str, new: str) -> Callable[[bytes], bytes]:
    """A change of the first place where a text stands."""
    return lambda content: content.replace(old.encode(), new.encode("latin-1"), 1)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (replaced("HCPCS,MOD", "CODE,MOD"), "line 1, column 1: the header, whose last line begins with HCPCS"),
        (replaced("BILAT", "BOTH"), "line 5: one column BILAT is expected, there are 0"),
        (replaced("MULT,BILAT", "BILAT,BILAT"), "line 5: one column"),
        (replaced("Q1001,", "Q101,"), "line 6, column 1: a code of five characters"),
        (replaced("0001X,26", "0001X,2"), "line 8, column 7: a modifier or nothing"),
        (replaced("0001X,TC", "0001X,26"), "line 9, column 1: the code 0001X stands twice"),
        (replaced("1,1,0,0,0001X", "1,1,0,0,1"), "line 11, column 95: a code or nothing"),
        (replaced('at",M', 'at",?'), "line 10, column 28: a status letter"),
        (replaced("0,010,", "0,10,"), "line 11, column 66: a global period"),
        (replaced('"Widget, looked at"', '"Widget, looked at'), "line 10, column 1: the record is damaged"),
        (replaced("Tooth of a dragon", "\x81"), "line 13, column 8: this is not cp1252"),
        (replaced("Tooth of a dragon", "\0"), "line 13, column 8: the line holds a zero byte"),
        (replaced("Tooth of a dragon", ""), "line 13, column 8: a description is expected"),
        (lambda c: c[: c.index(b"Q1001")], "line 1, column 1: the file has no codes"),
        (lambda c: c[: c.index(b",R,,0")], "line 13, column 8: 31 fields are expected, this row has 3"),
    ],
)
def test_a_damaged_file_is_refused_by_line_and_column(tmp_path: Path, change, says: str) -> None:
    """Nothing of a damaged file is loaded, and the message says where it is damaged."""
    path = csv_file(tmp_path)
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(FhirError, match=says):
        loaded(tmp_path, path)
    assert not (tmp_path / "terminology").exists()


def test_a_damaged_text_is_refused_by_line_and_column(tmp_path: Path) -> None:
    """The text twin is held to its columns."""
    path = text_file(tmp_path)
    whole = path.read_bytes()
    for change, says in (
        (
            whole.replace(b"polishing, invented".ljust(43) + b"A", b"polishing, invented".ljust(43) + b"1", 1),
            "line 4, column 58",
        ),
        (whole[:-30], "line 10, column 142|line 10, column 14"),
        (whole.replace(b"Widget, left", b"Widget, left" + b" " * 60, 1), "line 3, column"),
    ):
        path.write_bytes(change)
        with pytest.raises(FhirError, match=says):
            loaded(tmp_path, path)
