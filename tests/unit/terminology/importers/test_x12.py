"""The code lists of X12 in their forms, with invented codes and texts."""

import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from fhir_profiles.errors import FhirError
from fhir_profiles.systems import X12_ADJUSTMENT_REASONS, X12_CLAIM_STATUS, X12_REMARKS, X12_STATUS_CATEGORIES
from terminology import Terminology, open_terminology
from terminology.importers import Given, importer_of
from terminology.importers.load import load
from terminology.importers.x12 import read
from terminology.operations import Library, answer_call

ROWS = (
    ("901", "Invented reason, with a comma & more", "Start: 01/01/1995 | Last Modified: 03/01/2026", ""),
    ("W9", "Invented reason that has ended", "Start: 02/29/2000 | Stop: 07/01/2014", "Use code 901"),
    ("A99", "Invented reason that will end", "Start: 06/02/2013 | Stop: 09/30/2026", ""),
)
PAGE = (
    "<html>\n<body><table>\n<tr><th>Code</th><th>Description</th></tr>\n"
    + "".join(
        f'<tr class="prod_set current"><td class="code">{code}</td><td class="description">{text.replace("&", "&amp;")}'
        f'<span class="dates"><br />{days}{f"<br /><i>Notes: {notes}</i>" if notes else ""}</span></td></tr>\n'
        for code, text, days, notes in ROWS
    )
    + "</table></body>\n</html>\n"
)
CSV = "Code,Description\n" + "".join(
    f'{code},"{text}\n{days}{chr(10) + "Notes: " + notes if notes else ""}"\n' for code, text, days, notes in ROWS
)


def page(folder: Path, text: str = PAGE, name: str = "claim-adjustment-reason-codes.html") -> Path:
    """A page as a browser saves it."""
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def loaded(data: Path, *paths: Path, **said: str) -> Terminology:
    """What answers after the files were loaded."""
    importer = importer_of("x12")
    assert importer is not None
    load(data, importer, Given(paths, **said))
    return open_terminology(data)


def test_codes_have_their_days_and_notes(tmp_path: Path) -> None:
    """The description ends where the days begin; an ended code names the one to use; the newest day is the version."""
    terminology = loaded(tmp_path, page(tmp_path))
    assert terminology.edition(X12_ADJUSTMENT_REASONS).version == "2026-03-01"
    found = terminology.lookup(X12_ADJUSTMENT_REASONS, "901")
    assert found.display == "Invented reason, with a comma & more" and found.start == date(1995, 1, 1)
    assert found.properties["modified"] == "2026-03-01"
    ended = terminology.validate_code("carc", "W9", on=date(2026, 4, 1))
    assert not ended.result and "2014-07-01" in ended.message and "use 901" in ended.message
    assert terminology.validate_code("carc", "W9", on=date(2010, 1, 1)).result
    assert terminology.validate_code("carc", "A99", on=date(2026, 9, 30)).result
    assert not terminology.validate_code("carc", "A99", on=date(2026, 10, 1)).result
    assert not terminology.validate_code("carc", "902").result


def test_page_csv_columns_folder_and_archive_say_the_same(tmp_path: Path) -> None:
    """Whatever form the list comes in, the concepts are equal."""
    columns = ["Code\tDescription\tStart Date\tLast Modified\tStop Date\tNotes"]
    for code, text, days, notes in ROWS:
        said = dict(part.split(": ") for part in days.split(" | "))
        columns.append(
            "\t".join((code, text, said["Start"], said.get("Last Modified", ""), said.get("Stop", ""), notes))
        )
    forms = [page(tmp_path), tmp_path / "carc.csv", tmp_path / "carc.txt"]
    forms[1].write_text(CSV, "utf-8")
    forms[2].write_text("\n".join(columns) + "\n", "utf-8")
    folder = tmp_path / "folder"
    folder.mkdir()
    page(folder)
    archive = tmp_path / "lists.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.write(forms[1], "lists/CARC.csv")
        packed.writestr("lists/readme.txt", "other")
    found = [list(read(Given((path,)))[0].concepts()) for path in (*forms, folder, archive)]
    assert found[0] == found[1] == found[2] == found[3] == found[4]


def test_the_name_of_a_file_says_which_list_it_is(tmp_path: Path) -> None:
    """Four lists become four systems; alerts among the remarks are marked."""
    made = {
        "rarc.csv": "Code,Description\nN999,Alert: invented Start: 01/01/2026\nMA99,Other Start: 01/01/2020\n",
        "claim-status-category-codes.csv": "Code,Description\nA9Z,Invented category Start: 01/01/2026\n",
        "claim-status-codes.csv": "Code,Description\n9001,Invented status Start: 01/01/2026\n",
        "carc.csv": CSV,
    }
    for name, text in made.items():
        (tmp_path / name).write_text(text, "utf-8")
    terminology = loaded(tmp_path, *(tmp_path / name for name in made))
    assert set(terminology.systems) == {
        X12_ADJUSTMENT_REASONS,
        X12_REMARKS,
        X12_STATUS_CATEGORIES,
        X12_CLAIM_STATUS,
    }
    assert terminology.lookup(X12_REMARKS, "N999").properties["alert"] is True
    assert terminology.lookup(X12_CLAIM_STATUS, "9001").display == "Invented status"


def test_two_editions_stand_side_by_side(tmp_path: Path) -> None:
    """A later list answers from its day on; loading it again writes nothing."""
    loaded(tmp_path, page(tmp_path))
    more = PAGE.replace(
        "</table>", '<tr><td class="code">999</td><td class="description">New<br>Start: 07/01/2026</td></tr></table>'
    )
    path = page(tmp_path, more)
    terminology = loaded(tmp_path, path)
    assert terminology.lookup(X12_ADJUSTMENT_REASONS, "999", on=date(2026, 8, 1)).version == "2026-07-01"
    assert terminology.lookup(X12_ADJUSTMENT_REASONS, "999", on=date(2026, 4, 1)) is None
    assert not load(tmp_path, importer_of("x12"), Given((path,)))[0].written


def test_the_operations_answer_from_the_list(tmp_path: Path) -> None:
    """$lookup, $validate-code and $expand know the codes."""
    library = Library(loaded(tmp_path, page(tmp_path)))

    def ask(operation: str, *parameters: dict) -> dict:
        return answer_call(operation, {"resourceType": "Parameters", "parameter": list(parameters)}, library)

    url = {"name": "system", "valueUri": X12_ADJUSTMENT_REASONS}
    told = ask("CodeSystem/$lookup", url, {"name": "code", "valueCode": "901"})
    assert {"name": "display", "valueString": ROWS[0][1]} in told["parameter"]
    answer = ask("CodeSystem/$validate-code", {**url, "name": "url"}, {"name": "code", "valueCode": "1"})
    assert {"name": "result", "valueBoolean": False} in answer["parameter"]
    expanded = ask("ValueSet/$expand", {"name": "url", "valueUri": f"{X12_ADJUSTMENT_REASONS}?fhir_vs"})
    assert {c["code"] for c in expanded["expansion"]["contains"]} == {"901", "W9", "A99"}


def swapped(old: str, new: str) -> Callable[[], str]:
    """The page with the first place of a text changed."""
    return lambda: PAGE.replace(old, new, 1)


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (swapped(">901<", ">90l<"), "line 4, column 30: a code of the Claim Adjustment"),
        (swapped(">W9<", ">901<"), "line 5, column 30: the code 901 stands twice"),
        (swapped("Invented reason that has ended", ""), "line 5, column 54: a description is expected"),
        (swapped("02/29/2000", "02/30/2000"), "line 5, column 54: Start: a day written MM/DD/YYYY"),
        (swapped("Stop: 07/01/2014", "Stop: soon"), "line 5, column 54: Stop: a day written"),
        (swapped('<td class="code">W9</td>', "<td>W9</td>"), "line 5, column 41: the row lacks its code"),
        (
            swapped('<td class="code">W9', '<td class="code">W9</td><td class="code">W8'),
            "line 5, column 54: the row has a second",
        ),
        (lambda: PAGE[: PAGE.index("A99")], "line 6, column .*the page ends within a row"),
        (lambda: "<html><body>nothing</body></html>", "line 1, column 1: the list has no codes"),
        (swapped("has ended", "x" * 9000), "line 5, column 54: the description has more than 8000"),
        (
            lambda: PAGE.replace("Start", "Begin").replace("Last Modified", "Changed").replace("Stop", "End"),
            "give --version",
        ),
    ],
)
def test_a_damaged_page_is_refused_by_line_and_column(tmp_path: Path, made, says: str) -> None:
    """Nothing of a damaged page is loaded, and the message says where it is damaged."""
    with pytest.raises(FhirError, match=says):
        loaded(tmp_path, page(tmp_path, made()))
    assert not (tmp_path / "terminology").exists()


def test_damaged_tables_and_encodings_are_refused(tmp_path: Path) -> None:
    """The CSV form is held to its columns; bytes that are no UTF-8 are told by their place."""
    path = tmp_path / "carc.csv"
    for content, says in (
        (CSV.replace("Description", "Text", 1).encode(), "the header with the columns Code, Description"),
        (CSV.replace('W9,"', 'W9,x,"').encode(), "line 4, column 6: 2 fields are expected, this row has 3"),
        (CSV.encode().replace(b"ended", b"end\xe9d"), "line 4, column 33: this is not utf-8 text"),
        (CSV.replace(CSV[-2:], "").encode(), "the record is damaged"),
    ):
        path.write_bytes(content)
        with pytest.raises(FhirError, match=says):
            loaded(tmp_path, path)
    path = page(tmp_path)
    path.write_bytes(path.read_bytes().replace(b"ended", b"end\xe9d"))
    with pytest.raises(FhirError, match="line 5, column 106: this is not utf-8 text"):
        loaded(tmp_path, path)
    other = tmp_path / "codes.csv"
    other.write_text(CSV, "utf-8")
    with pytest.raises(FhirError, match="name the files carc, rarc"):
        loaded(tmp_path, other)
