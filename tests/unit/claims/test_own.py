"""The tables that ship are read from tab-separated files, and a file that is not one is refused by its line."""

from importlib.resources import files

import pytest

from claims.tables.own import own_tables, read_table
from fhir_profiles.errors import FhirError


def test_every_file_that_ships_is_a_table() -> None:
    """Each file in the folder is read, and its rows are in its table."""
    for file in (files("claims.tables") / "data").iterdir():
        if file.name.endswith(".tsv"):
            lines = file.read_text("utf-8").splitlines()
            table = own_tables()[file.name.removesuffix(".tsv")]
            assert len(table.key(next(iter(table.definition.keys)))) == len(lines) - 1


def test_values_are_of_their_kinds() -> None:
    """Texts, numbers, flags, days and what is not known."""
    table = read_table("visit", "code\tfamily\tlevel\tnew\tstart\nS1\toffice\t3\tyes\t2026-01-02\nS2\t\t\tno\t\n")
    assert table.find(["S1"], 20_454) == -1
    found = table.find(["S1"], 20_455)
    assert [table.value(found, name) for name in ("family", "level", "new")] == ["office", 3, True]
    found = table.find(["S2"], 0)
    assert [table.value(found, name) for name in ("family", "level", "new")] == [None, None, False]


@pytest.mark.parametrize(
    ("text", "line"),
    [("code\tcolour\nS1\tred\n", 1), ("family\noffice\n", 1), ("code\tlevel\nS1\n", 2), ("code\tlevel\nS1\tx\n", 2),
     ("code\tnew\nS1\ttrue\n", 2), ("code\tstart\nS1\t2026-02-30\n", 2)],
)  # fmt: skip
def test_a_bad_file_is_refused(text: str, line: int) -> None:
    """The error says which line."""
    with pytest.raises(FhirError, match=f"line {line}"):
        read_table("visit", text)
