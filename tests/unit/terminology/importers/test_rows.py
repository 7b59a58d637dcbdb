"""Rows know where their fields stand, and damaged records are refused there."""

from pathlib import Path

import pytest

from fhir_profiles.errors import FhirError
from terminology.importers.given import Given, Member
from terminology.importers.rows import fixed, records, table


def member(folder: Path, text: str, encoding: str = "utf-8") -> Member:
    """One file of this text."""
    path = folder / "table.txt"
    path.write_bytes(text.encode(encoding))
    return Given((path,)).members[0]


def test_a_table_is_read_by_the_names_of_its_columns(tmp_path: Path) -> None:
    """Order and case of columns do not matter; quotes, commas and line ends inside a field are part of it."""
    text = 'notice of\nthe publisher\nname,CODE,more\n"a, ""b""\nc", X1 ,\n\n"d",X2,z\n'
    rows = list(table(member(tmp_path, text), ("Code", "Name"), is_header=lambda f: "CODE" in f))
    assert [(r.number, r["Code"], r["Name"], r.get("more"), r.get("none")) for r in rows] == [
        (4, "X1", 'a, "b"\nc', "", ""),
        (7, "X2", "d", "z", ""),
    ]
    assert rows[1].column_of("Code") == 5
    with pytest.raises(FhirError, match=r"table.txt, line 5, column 4: no; nothing was loaded"):
        rows[0].refuse("Code", "no")


def test_marks_of_an_unquoted_table_are_characters(tmp_path: Path) -> None:
    """A tab-separated file may hold quotation marks anywhere."""
    (row,) = table(member(tmp_path, 'A\tB\n"x\ty"\n'), ("A", "B"), delimiter="\t", quoted=False)
    assert (row["A"], row["B"], row.column_of("B")) == ('"x', 'y"', 4)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("A\n1\n", "line 1: the column B is missing"),
        ("A,B,b\n1,2,3\n", "line 1, column 5: the column B stands twice"),
        ("A,B\n1\n", "line 2, column 1: 2 fields are expected, this row has 1"),
        ("A,B\n1,2,3\n", "line 2, column 5: 2 fields are expected, this row has 3"),
        ('A,B\n1,"2"3\n', "line 2, column 1: the record is damaged"),
        ('A,B\n1,"2\n', "line 2, column 1: the record is damaged"),
        ('A,B\n1,"2\n' + "x\n" * 300, "line 2, column 1: a quotation mark opens a field that 200 lines"),
        ("A,B\n" + "1," * 2000 + "\n", "line 2, column 1: the record has more than 1000 fields"),
        ("", "line 1, column 1: the header with the columns A, B is missing"),
    ],
)
def test_a_damaged_table_is_refused_where_it_is_damaged(tmp_path: Path, text: str, says: str) -> None:
    """Line, column and reason are told."""
    with pytest.raises(FhirError, match=says):
        list(table(member(tmp_path, text), ("A", "B")))


def test_fixed_columns_are_cut_and_checked(tmp_path: Path) -> None:
    """Fields come by their columns; lines too short and too long are refused at the column."""
    layout = {"code": (1, 5), "text": (7, 12)}
    file = member(tmp_path, "A0001 caf\xe9\n\nA0002 second\n", "latin-1")
    rows = list(fixed(file, layout, encoding="latin-1", shortest=6, longest=12))
    assert [(r.number, r["code"], r["text"]) for r in rows] == [(1, "A0001", "café"), (3, "A0002", "second")]
    assert rows[0].column_of("text") == 7
    with pytest.raises(FhirError, match="line 1, column 6: the line ends here; at least 6 columns"):
        list(fixed(member(tmp_path, "A0001\n"), layout, shortest=6))
    with pytest.raises(FhirError, match="line 1, column 13: the line has more than 12 columns"):
        list(fixed(member(tmp_path, "A0001 0123456\n"), layout, longest=12))


def test_a_record_that_is_empty_is_left_out(tmp_path: Path) -> None:
    """Rows of separators only, as spreadsheets write them, are no records."""
    assert [r.fields for r in records(member(tmp_path, "a,b\n,,\n\nc,d\n"))] == [["a", "b"], ["c", "d"]]
