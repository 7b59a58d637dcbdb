"""Procedure to procedure edits: four parts, periods, settings, releases; invented codes."""

from __future__ import annotations

import random
import zipfile
from pathlib import Path

import pytest

from fhir_profiles.errors import FhirError
from tests.support.clock import within
from tests.unit.claims.importers.official import asked, loaded, written

HEADER = (
    "An invented notice\t\t\t\t\t\t",
    "\t\t\t\t\t\t",
    "Column 1\tColumn 2\t* = in existence\tEffective\tDeletion\tModifier\tPTP Edit Rationale",
    "\t\tprior to 1996\tDate\tDate\t0=not allowed\t",
    "\t\t\t\t*=no data\t1=allowed\t",
    "\t\t\t\t\t9=not applicable\t",
)
ONE = (
    "0001X\t0002X\t\t20050101\t20101231\t0\tMade rationale",
    "0001X\t0002X\t\t20120101\t*\t1\tMade rationale",
    "0001X\t0003X\t*\t19960101\t*\t9\tMade rationale",
)
TWO = ("G0001\t0003X\t\t20260101\t*\t1\tMade rationale", "G0001\t0004X\t\t20200101\t20200101\t1\tMade rationale")


def parts(folder: Path, setting: str = "pra", version: str = "v320r0") -> list[Path]:
    """Two parts of a release."""
    return [
        written(folder, f"cci{setting}-{version}-f{n}.TXT", [*HEADER, *rows]) for n, rows in enumerate((ONE, TWO), 1)
    ]


def test_parts_are_joined_and_a_pair_has_its_periods(tmp_path: Path) -> None:
    """Both periods of one pair answer, and the gap between them does not."""
    told = loaded(tmp_path, "ptp", *parts(tmp_path))
    assert [(t.name, t.version, t.rows, t.totals) for t in told] == [
        ("ptp", "2026-01-practitioner", 5, {"0": 1, "1": 3, "9": 1})
    ]
    key = ["0001X", "0002X", "practitioner"]
    days = ("2004-12-31", "2005-01-01", "2010-12-31", "2011-06-01", "2012-01-01", "2030-01-01")
    assert [asked(tmp_path, "ptp", key, d, "indicator") for d in days] == [None, "0", "0", None, "1", "1"]
    assert asked(tmp_path, "ptp", ["G0001", "0003X", "practitioner"], "2026-01-01", "indicator") == "1"


def test_settings_and_releases_stand_beside_each_other(tmp_path: Path) -> None:
    """A newer release takes the place of that of its setting alone; loading again writes nothing."""
    loaded(tmp_path, "ptp", *parts(tmp_path))
    loaded(tmp_path, "ptp", *parts(tmp_path, "oph"))
    april = written(tmp_path / "april", "ccipra-v321r0-f1.txt", [*HEADER, ONE[2]])
    loaded(tmp_path, "ptp", april)
    assert not any(t.written for t in loaded(tmp_path, "ptp", april))
    key = ["0001X", "0002X"]
    assert asked(tmp_path, "ptp", [*key, "practitioner"], "2026-02-01", "indicator") is None
    assert asked(tmp_path, "ptp", [*key, "outpatient"], "2026-02-01", "indicator") == "1"
    assert asked(tmp_path, "ptp", ["0001X", "0003X", "practitioner"], "1999-01-01", "indicator") == "9"


def test_archives_are_read(tmp_path: Path) -> None:
    """Each part comes in a zip of its own."""
    archives = []
    for path in parts(tmp_path):
        archives.append(tmp_path / f"{path.stem}.zip")
        with zipfile.ZipFile(archives[-1], "w") as packed:
            packed.write(path, path.name)
    assert loaded(tmp_path / "data", "ptp", *archives)[0].rows == 5


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("0001X\t0003X", "0001\t0003X", "line 9, column 1: a code"),
        ("0001X\t0003X", "0001X\tX003X", "line 9, column 7: a code"),
        ("\t*\t19960101", "\tx\t19960101", "line 9, column 13: an asterisk"),
        ("19960101", "1996010", "line 9, column 15: a day"),
        ("19960101", "19961301", "line 9, column 15: a day"),
        ("20101231", "20101232", "line 7, column 23: a day"),
        ("\t*\t9", "\t*\t7", "line 9, column 26: the modifier indicator"),
        ("\t*\t9\tMade rationale", "\t*", "line 9, column 26: 6 or 7 fields"),
        ("20120101", "20101231", "line 8, column 1: the pair stands there twice"),
        ("Column 1", "First", "the header"),
        ("0001X\t0002X\t\t20050101", "001X\t0002X\t\t20050101", "line 7, column 1: a code"),
    ],
)
def test_damage_is_refused_where_it_is(old: str, new: str, place: str, tmp_path: Path) -> None:
    """Line and column are told, and nothing is written."""
    text = "\n".join([*HEADER, *ONE])
    assert old in text
    path = written(tmp_path, "ccipra-v320r0-f1.txt", text.replace(old, new, 1).split("\n"))
    with pytest.raises(FhirError, match=place):
        loaded(tmp_path / "data", "ptp", path)
    assert not (tmp_path / "data").exists()


def test_a_pair_twice_is_told_in_its_part(tmp_path: Path) -> None:
    """Also when the two rows stand in different parts."""
    first, second = parts(tmp_path)
    written(tmp_path, second.name, [*HEADER, *TWO, ONE[2]])
    with pytest.raises(FhirError, match=r"v320r0-f2\.TXT, line 9"):
        loaded(tmp_path / "data", "ptp", first, second)


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("ccipra-v320r0-f1.txt", "ccipra-v320r0-f3.txt"), "each part"),
        (("ccipra-v320r0-f1.txt", "ccipra-v321r0-f2.txt"), "several releases"),
        (("edits-v320r0-f1.txt",), "its setting"),
        (("ccipra-f1.txt",), "does not say its release"),
    ],
)
def test_files_that_do_not_belong_together_are_refused(names: tuple[str, ...], said: str, tmp_path: Path) -> None:
    """A part that is missing, two releases, no setting, no release."""
    paths = [written(tmp_path, name, [*HEADER, TWO[n]]) for n, name in enumerate(names)]
    with pytest.raises(FhirError, match=said):
        loaded(tmp_path / "data", "ptp", *paths)


def test_many_pairs_load_within_their_budget(tmp_path: Path) -> None:
    """A tenth of a million is loaded without what grows with its square."""
    draw = random.Random(7)
    codes = [f"{n:04}X" for n in range(10_000)]
    pairs = {(draw.choice(codes), draw.choice(codes)) for _ in range(100_000)}
    rows = [f"{a}\t{b}\t\t20200101\t*\t1\tMade rationale" for a, b in pairs]
    path = written(tmp_path, "ccipra-v320r0-f1.txt", [*HEADER, *rows])
    with within(30):
        assert loaded(tmp_path / "data", "ptp", path)[0].rows == len(pairs)
