"""HCPCS: the alpha-numeric file as text, CSV and workbook, with invented codes and descriptions."""

import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from xml.sax.saxutils import escape

import pytest

from fhir_profiles.errors import FhirError
from fhir_profiles.systems import HCPCS
from terminology import Terminology, open_terminology
from terminology.importers import Given, importer_of
from terminology.importers.hcpcs import read
from terminology.importers.hcpcs_fields import LAYOUT
from terminology.importers.load import load
from terminology.operations import Library, answer_call

NOTICE = ("THE FOLLOWING NOTICE IS INVENTED", "", "IT RUNS OVER SEVERAL LINES")


def line(code: str, sequence: int, kind: str, text: str, **fields: str) -> str:
    """One record of 320 columns."""
    cells = [" "] * 320
    values = {"HCPC": code.rjust(5), "SEQNUM": f"{sequence:05}", "RECID": kind, "LONG_DESCRIPTION": text, **fields}
    for name, value in values.items():
        first, last = LAYOUT[name]
        assert len(value) <= last - first + 1, name
        cells[first - 1 : first - 1 + len(value)] = value
    return "".join(cells)


DETAIL = {"ADD_DT": "20200101", "ACT_EFF_DT": "20250401", "ACTION_CD": "N"}
LINES = (
    line("Q1001", 100, "3", "Widget for the left ear, with", SHORT_DESCRIPTION="Widget, left", COV="C", BETOS="D1F",
         TOS1="9", TOS2="P", PRICE1="46", PRICE2="00", MULT_PI="A", ANEST_BU="003", **DETAIL),
    line("Q1001", 200, "4", "two caf\xe9 spoons and a"),
    line("Q1001", 300, "4", "bell"),
    line("Q1002", 100, "3", "Widget that has ended", SHORT_DESCRIPTION="Widget, old", XREF1="Q1001", COV="M",
         TERM_DT="20251231", **DETAIL),
    line("Q1003", 100, "3", "Widget that ends soon", TERM_DT="20260228", **DETAIL),
    line("D0999", 100, "3", "Tooth of a dragon", **DETAIL),
    line("99999", 100, "3", "Something of level one", **DETAIL),
    line("ZA", 100, "7", "Modifier that says it was", SHORT_DESCRIPTION="Made up", **DETAIL),
    line("ZA", 200, "8", "made up"),
)  # fmt: skip


def text_file(folder: Path, lines: tuple[str, ...] = LINES, name: str = "HCPC2026_JAN_ANWEB_01122026.txt") -> Path:
    """A file of the official layout, its notice included."""
    path = folder / name
    path.write_bytes("".join(f"{one}\r\n" for one in (*NOTICE, *lines)).encode("latin-1"))
    return path


HEADER = ("HCPC", "SEQNUM", "RECID", "LONG DESCRIPTION", "SHORT DESCRIPTION", "PRICE1", "PRICE2", "MULT_PI", "XREF1",
          "COV", "BETOS", "TOS1", "TOS2", "ANEST_BU", "ADD DT", "ACT EFF DT", "TERM DT", "ACTION CD")  # fmt: skip


def cells(one: str) -> list[str]:
    """The same record as the workbook has it: digits are numbers there."""
    found = []
    for name in HEADER:
        first, last = LAYOUT[name.replace(" ", "_")]
        value = one[first - 1 : last].strip()
        found.append(str(int(value)) if value.isdigit() and name not in ("HCPC", "SEQNUM") else value)
    return found


def csv_file(folder: Path) -> Path:
    """The CSV twin: the notice, a header, the rows."""
    path = folder / "HCPC2026_JAN_ANWEB.csv"
    rows = [[*NOTICE, *[""] * 15], HEADER, *(cells(one) for one in LINES)]
    path.write_bytes("".join(",".join(f'"{c}"' if "," in c else c for c in r) + "\r\n" for r in rows).encode("cp1252"))
    return path


def workbook(folder: Path, rows: list[list[str]], name: str = "HCPC2026_JAN_ANWEB.xlsx") -> Path:
    """A workbook with one sheet; numbers stand as numbers, texts in the table of shared texts."""
    shared: list[str] = []
    body = []
    for number, row in enumerate(rows, 1):
        made = []
        for column, value in enumerate(row):
            at = f"{chr(65 + column)}{number}"
            if value.isdigit() and not value.startswith("0"):
                made.append(f'<c r="{at}"><v>{value}</v></c>')
            elif value:
                shared.append(value)
                made.append(f'<c r="{at}" t="s"><v>{len(shared) - 1}</v></c>')
        body.append(f'<row r="{number}">{"".join(made)}</row>')
    space = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    path = folder / name
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", f"<workbook {space}/>")
        texts = "".join(f"<si><t>{escape(t)}</t></si>" for t in shared)
        archive.writestr("xl/sharedStrings.xml", f"<sst {space}>{texts}</sst>")
        archive.writestr(
            "xl/worksheets/sheet1.xml", f"<worksheet {space}><sheetData>{''.join(body)}</sheetData></worksheet>"
        )
    return path


def loaded(data: Path, *paths: Path, **said: object) -> Terminology:
    """What answers after the files were loaded."""
    importer = importer_of("hcpcs")
    assert importer is not None
    load(data, importer, Given(paths, **said))
    return open_terminology(data)


def test_records_of_a_code_are_one_concept(tmp_path: Path) -> None:
    """Descriptions join over their records; what the record says becomes properties; level I and D codes stay out."""
    terminology = loaded(tmp_path, text_file(tmp_path))
    widget = terminology.lookup(HCPCS, "Q1001")
    assert widget.display == "Widget for the left ear, with two café spoons and a bell"
    assert widget.billable and widget.active
    assert widget.properties["coverage"] == "C" and widget.properties["type-of-service"] == ["9", "P"]
    assert widget.properties["pricing"] == ["46", "00"] and widget.properties["anesthesia-base-units"] == 3
    modifier = terminology.lookup(HCPCS, "ZA")
    assert modifier.display == "Modifier that says it was made up" and modifier.properties["modifier"] is True
    assert [c.code for c in terminology.concepts(HCPCS)] == ["Q1001", "Q1002", "Q1003", "ZA"]
    edition = terminology.edition(HCPCS)
    assert (edition.version, edition.start, edition.end) == ("2026-01", date(2026, 1, 1), date(2026, 3, 31))
    assert edition.content == "complete"


def test_d_codes_need_the_licence(tmp_path: Path) -> None:
    """Codes of the American Dental Association are taken over only when the licence is there."""
    terminology = loaded(tmp_path, text_file(tmp_path), options=frozenset({"accept-licence"}))
    assert terminology.lookup(HCPCS, "D0999").display == "Tooth of a dragon"
    assert terminology.lookup(HCPCS, "99999") is None


def test_text_csv_workbook_folder_and_archive_say_the_same(tmp_path: Path) -> None:
    """Whatever form the release comes in, the concepts are equal."""
    rows = [["A notice", *[""] * 17], list(HEADER), *(cells(one) for one in LINES)]
    forms = [text_file(tmp_path), csv_file(tmp_path), workbook(tmp_path, rows)]
    folder = tmp_path / "folder"
    folder.mkdir()
    text_file(folder)
    (folder / "HCPC2026_JAN_Transaction Report ANWEB.txt").write_text("what has changed")
    archive = tmp_path / "january.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.write(forms[0], f"release/{forms[0].name}")
        packed.writestr("release/HCPC2026_recordlayout.txt", "1-5 code")
    found = [list(read(Given((path,)))[0].concepts()) for path in (*forms, folder, archive)]
    assert found[0] == found[1] == found[2] == found[3] == found[4]


def test_a_code_is_valid_between_its_days(tmp_path: Path) -> None:
    """A code that ended before the date of service is refused with the day and what to use; before that it is valid."""
    terminology = loaded(tmp_path, text_file(tmp_path))
    ended = terminology.validate_code(HCPCS, "Q1002", on=date(2026, 2, 1))
    assert not ended.result and "2025-12-31" in ended.message and "Q1001" in ended.message
    assert terminology.validate_code(HCPCS, "Q1002", on=date(2025, 12, 31)).result
    assert terminology.validate_code(HCPCS, "Q1003", on=date(2026, 2, 28)).result
    assert not terminology.validate_code(HCPCS, "Q1003", on=date(2026, 3, 1)).result
    early = terminology.validate_code(HCPCS, "Q1001", on=date(2019, 12, 31))
    assert not early.result and "2020-01-01" in early.message
    assert not terminology.validate_code(HCPCS, "Q9999", on=date(2026, 2, 1)).result


def test_every_door_says_the_same_of_a_code_that_ended(tmp_path: Path) -> None:
    """Without a date of service a code must not have ended when its edition began; a later end is told."""
    terminology = loaded(tmp_path, text_file(tmp_path))
    library = Library(terminology)
    for day in (None, date(2025, 12, 31), date(2026, 1, 1), date(2026, 2, 28), date(2026, 3, 1)):
        codes = ["Q1001", "Q1002", "Q1003"]
        many = terminology.validate_many(HCPCS, codes, day)
        for code, valid in zip(codes, many["valid"], strict=True):
            asked = [{"name": "url", "valueUri": HCPCS}, {"name": "code", "valueCode": code}]
            asked += [{"name": "date", "valueDateTime": f"{day}"}] if day else []
            told = answer_call("CodeSystem/$validate-code", {"resourceType": "Parameters", "parameter": asked}, library)
            answer = terminology.validate_code(HCPCS, code, on=day)
            assert answer.result == valid == told["parameter"][0]["valueBoolean"], (code, day)
            assert ("until 2026-02-28" in str(told)) == ("until 2026-02-28" in str(answer.message))
    assert "until 2026-02-28" in terminology.validate_code(HCPCS, "Q1003").message


def test_two_editions_stand_side_by_side(tmp_path: Path) -> None:
    """Each quarter answers for its version and its dates; loading one again writes nothing."""
    loaded(tmp_path, text_file(tmp_path))
    april = (line("Q2001", 100, "3", "Widget of April", **DETAIL), *LINES)
    path = text_file(tmp_path, april, "HCPC2026_APR_ANWEB.txt")
    terminology = loaded(tmp_path, path)
    assert terminology.lookup(HCPCS, "Q2001", on=date(2026, 5, 1)).version == "2026-04"
    assert terminology.lookup(HCPCS, "Q2001", on=date(2026, 2, 1)) is None
    assert terminology.lookup(HCPCS, "Q2001", "2026-01") is None
    importer = importer_of("hcpcs")
    assert not load(tmp_path, importer, Given((path,)))[0].written


def test_the_operations_answer_from_the_file(tmp_path: Path) -> None:
    """$lookup tells properties, $validate-code the truth, $expand finds by a property."""
    library = Library(loaded(tmp_path, text_file(tmp_path)))

    def ask(operation: str, **values: str) -> dict:
        kinds = {"code": "valueCode", "date": "valueDateTime"}
        parameters = [{"name": n, kinds.get(n, "valueUri"): v} for n, v in values.items()]
        return answer_call(operation, {"resourceType": "Parameters", "parameter": parameters}, library)

    told = ask("CodeSystem/$lookup", system=HCPCS, code="Q1001")
    properties = {p["part"][0]["valueCode"]: p["part"][1] for p in told["parameter"] if p["name"] == "property"}
    assert properties["coverage"]["valueCode"] == "C" and properties["anesthesia-base-units"]["valueInteger"] == 3
    answer = ask("CodeSystem/$validate-code", url=HCPCS, code="Q1009")
    assert {p["name"]: p for p in answer["parameter"]}["result"]["valueBoolean"] is False
    ended = ask("CodeSystem/$validate-code", url=HCPCS, code="Q1002", date="2026-02-01")
    told = {p["name"]: p for p in ended["parameter"]}
    assert told["result"]["valueBoolean"] is False and "2025-12-31: use Q1001" in told["message"]["valueString"]
    before = ask("CodeSystem/$validate-code", url=HCPCS, code="Q1002", date="2025-11-01")
    assert {"name": "result", "valueBoolean": True} in before["parameter"]
    value_set = {
        "resourceType": "ValueSet",
        "status": "active",
        "compose": {
            "include": [{"system": HCPCS, "filter": [{"property": "modifier", "op": "=", "value": "true"}]}],
        },
    }
    asked = {"resourceType": "Parameters", "parameter": [{"name": "valueSet", "resource": value_set}]}
    expanded = answer_call("ValueSet/$expand", asked, library)["expansion"]["contains"]
    assert [c["code"] for c in expanded] == ["ZA"]


def at(number: int, column: int, new: str) -> Callable[[tuple[str, ...]], tuple[str, ...]]:
    """A change of one line (from 1, the notice not counted) at a column."""

    def change(lines: tuple[str, ...]) -> tuple[str, ...]:
        old = lines[number - 1]
        return (*lines[: number - 1], old[: column - 1] + new + old[column - 1 + len(new) :], *lines[number:])

    return change


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (at(1, 1, "q"), "line 4, column 1: a letter and four digits"),
        (at(1, 6, "x"), "line 4, column 6: a sequence number"),
        (at(1, 11, "5"), "line 4, column 11: 3 or 4"),
        (at(1, 12, " " * 80), "line 4, column 12: a description"),
        (at(2, 1, "Q7777"), "line 5, column 1: a further line must follow"),
        (at(1, 6, "0001\xb2"), "line 4, column 6: a sequence number"),
        (at(1, 266, "0\xb2 "), "line 4, column 266: a whole number of units"),
        (at(3, 6, "00150"), "line 6, column 6: the sequence numbers of a code must rise"),
        (at(4, 1, "Q1001"), "line 7, column 1: the code Q1001 stands twice"),
        (at(1, 269, "20201301"), "line 4, column 269: a day written YYYYMMDD"),
        (at(4, 285, "tomorrow"), "line 7, column 285: a day written YYYYMMDD"),
        (at(1, 293, "X"), "line 4, column 293: one of A, B"),
        (at(1, 230, "Z"), "line 4, column 230: one of C, D"),
        (at(1, 266, "ab1"), "line 4, column 266: a whole number of units"),
        (lambda ls: (ls[0][:280], *ls[1:]), "line 4, column 293: the line ends before column 293"),
        (lambda ls: (*ls, ls[0] + "x"), "line 13, column 321: the line has more than 320"),
        (at(2, 20, "\x81"), "line 5, column 20: this is not cp1252 text"),
        (at(2, 20, "\0"), "line 5, column 20: the line holds a zero byte"),
        (lambda ls: ls[1:], "line 4, column 1: a further line must follow"),
        (lambda ls: (), "line 1, column 1: the file has no codes"),
    ],
)
def test_a_damaged_file_is_refused_by_line_and_column(tmp_path: Path, change, says: str) -> None:
    """Nothing of a damaged file is loaded, and the message says where it is damaged."""
    with pytest.raises(FhirError, match=says):
        loaded(tmp_path, text_file(tmp_path, change(LINES)))
    assert not list(tmp_path.glob("terminology/*hcpcs*"))


def test_a_file_that_does_not_say_its_release_is_refused(tmp_path: Path) -> None:
    """The message names the option; with it the file loads."""
    path = text_file(tmp_path, name="codes.txt")
    with pytest.raises(FhirError, match="--version"):
        loaded(tmp_path, path)
    assert loaded(tmp_path, path, version="2025-10").edition(HCPCS).start == date(2025, 10, 1)


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([["nothing"]], "the header with the columns HCPC"),
        ([[h for h in HEADER if h != "COV"]], "line 1: the column COV is missing"),
        ([list(HEADER), [*cells(LINES[0])[:14], "never", *cells(LINES[0])[15:]]], "line 2, column 15: a day written"),
    ],
)
def test_a_damaged_workbook_is_refused_by_row_and_column(tmp_path: Path, rows: list[list[str]], says: str) -> None:
    """Line and column of a workbook are those of its sheet."""
    with pytest.raises(FhirError, match=says):
        loaded(tmp_path, workbook(tmp_path, rows))


def test_what_is_no_workbook_is_refused(tmp_path: Path) -> None:
    """An old workbook, a broken archive and a document type are refused with the reason."""
    path = tmp_path / "HCPC2020_ANWEB.xls"
    path.write_bytes(b"\xd0\xcf\x11\xe0 old")
    with pytest.raises(FhirError, match="no workbook of the kind"):
        loaded(tmp_path, path)
    path = workbook(tmp_path, [list(HEADER), cells(LINES[0])])
    path.write_bytes(path.read_bytes()[:400])
    with pytest.raises(FhirError, match="the workbook is damaged"):
        loaded(tmp_path, path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("xl/worksheets/sheet1.xml", "<!DOCTYPE x [<!ENTITY a 'b'>]><worksheet>&a;</worksheet>")
    with pytest.raises(FhirError, match="declares a document type"):
        loaded(tmp_path, path)
