"""Tables out of the terminology: dated by edition, made once, and silent where a system is not loaded."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from claims.sheet.values import day
from claims.tables.all import open_all
from claims.tables.table import Table
from claims.tables.terms import keep, spans, tables_of
from fhir_profiles.systems import CPT, HCPCS, ICD10CM, NUCC, X12_ADJUSTMENT_REASONS
from terminology import Terminology, open_terminology
from terminology.build import install
from terminology.model import Edition
from terminology.source import Source, SourceConcept


def source(
    name: str, system: str, version: str, concepts: list[SourceConcept], start: date | None = None,
    end: date | None = None, content: str = "complete",
) -> Source:  # fmt: skip
    """An edition with invented concepts."""
    return Source(
        name=name, system=system, version=version, title=name, start=start, end=end, content=content, origin="made",
        licence="none", fingerprint=f"{name}-{version}-{len(concepts)}", concepts=lambda: iter(concepts),
    )  # fmt: skip


def knee(side: str, code: str, **more: object) -> SourceConcept:
    """Pain of a knee."""
    return SourceConcept(code, f"Pain in {side} knee", ("M25.56",), billable=True, **more)  # type: ignore[arg-type]


CHAPTER = SourceConcept("chapter-13", "Joints", group=True)
OLD = [
    CHAPTER,
    SourceConcept("M25", "Other joints", ("chapter-13",), billable=False, notes=(("excludes1", "gout (M10.-)"),)),
    SourceConcept("M25.56", "Pain in knee", ("M25",), billable=False),
    knee("right", "M25.561"),
    knee("unspecified", "M25.569"),
    SourceConcept("S52", "Fracture", ("chapter-13",), billable=False),
    SourceConcept("S52.5", "Torus fracture", ("S52",), billable=False),
    SourceConcept("S52.5XXA", "Torus fracture, initial encounter", ("S52.5",), billable=True),
    SourceConcept(
        "M36.0", "Joints in disease elsewhere", ("M25",), billable=True,
        notes=(("code-first", "disease, such as: neoplasm (C00-C02)"),),
    ),
    SourceConcept("C01", "Neoplasm one", ("chapter-13",), billable=True),
]  # fmt: skip
NEW = [*OLD, knee("left", "M25.562")]


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Terminology]]:
    """Two editions of diagnoses, a list of HCPCS, the fee schedule's codes of CPT, reasons and taxonomy."""
    data = tmp_path_factory.mktemp("terms")
    made = [
        source("icd10cm", ICD10CM, "2025", OLD, date(2024, 10, 1), date(2025, 9, 30)),
        source("icd10cm", ICD10CM, "2026", NEW, date(2025, 10, 1), date(2026, 9, 30)),
        source(
            "hcpcs", HCPCS, "2026-01",
            [
                SourceConcept("Q1001", "Widget", active=False, start=date(2020, 1, 1), end=date(2025, 12, 31),
                              properties={"replaced_by": ["Q1002", "Q1003"]}),
                SourceConcept("XX", "A modifier"),
            ],
        ),
        source("cpt", CPT, "pprrvu-2026-01", [SourceConcept("0001X", "")], date(2026, 1, 1), content="fragment"),
        source("carc", X12_ADJUSTMENT_REASONS, "1", [SourceConcept("A1", "Made", end=date(2025, 5, 31))]),
        source(
            "nucc", NUCC, "25.1",
            [SourceConcept("207R00000X", "Made", properties={"section": "Individual"}),
             SourceConcept("282N00000X", "Made", properties={"section": "Non-Individual"})],
        ),
    ]  # fmt: skip
    for one in made:
        install(data, f"{one.name}@{one.version}", [one], None)
    yield data, open_terminology(data)


def value(table: Table, key: list[str], on: str, name: str) -> object:
    """What a table says of a key on a day; None without a row."""
    return table.value(table.find(key, day(on)), name)


def test_diagnoses_say_what_they_lack_and_leave_open(loaded: tuple[Path, Terminology]) -> None:
    """Billing, side, seventh character, and what a sibling says better."""
    table = tables_of(loaded[1])["icd10cm"]
    assert value(table, ["M25.561"], "2026-01-01", "side") == "right"
    assert value(table, ["M25.569"], "2026-01-01", "side") == "unspecified"
    assert value(table, ["M25.569"], "2026-01-01", "sided") and value(table, ["M25.569"], "2026-01-01", "unspecified")
    assert value(table, ["M25.56"], "2026-01-01", "billable") is False
    assert value(table, ["S52.5"], "2026-01-01", "seventh") is True
    assert value(table, ["S52.5XXA"], "2026-01-01", "seventh") is False


def test_each_edition_speaks_for_its_days_and_the_nearest_beyond(loaded: tuple[Path, Terminology]) -> None:
    """A code that came with an edition is unknown before it, and the last edition speaks on when it has run out."""
    table = tables_of(loaded[1])["icd10cm"]
    known = [table.find(["M25.562"], day(on)) >= 0 for on in ("2025-09-30", "2025-10-01", "2027-01-01")]
    assert known == [False, True, True]
    assert table.find(["M25.56"], day("2019-01-01")) >= 0
    assert value(table, ["M25.561"], "2025-03-01", "side") is None
    assert value(table, ["M25.561"], "2025-11-01", "side") == "right"


def test_rows_that_stay_equal_are_one(loaded: tuple[Path, Terminology]) -> None:
    """Editions that say the same of a code make one row of it."""
    assert pl.Series(tables_of(loaded[1])["excludes1"].key("code")).is_unique().all()


def test_notes_count_for_every_code_below_them(loaded: tuple[Path, Terminology]) -> None:
    """What a note names is asked by the beginning of codes, ranges by their categories."""
    made = tables_of(loaded[1])
    assert value(made["excludes1"], ["M25.561", "M10"], "2026-01-01", "chapter") == "13"
    assert made["excludes1"].find(["M25.56", "M10"], day("2026-01-01")) < 0
    first = made["code_first"]
    assert all(first.find(["M36.0", other], day("2026-01-01")) >= 0 for other in ("", "C01"))
    assert first.find(["M36.0", "C02"], day("2026-01-01")) < 0


def test_procedures_need_both_of_their_lists(loaded: tuple[Path, Terminology], tmp_path: Path) -> None:
    """HCPCS and CPT are one table with the days of each code; with one of them alone it is not there."""
    table = tables_of(loaded[1])["hcpcs"]
    assert value(table, ["Q1001"], "2026-01-01", "active") is False
    assert value(table, ["Q1001"], "2026-01-01", "replacement") == "Q1002"
    assert value(table, ["Q1001"], "2026-01-01", "ended") == day("2025-12-31")
    assert table.find(["0001X"], day("2026-01-01")) >= 0 and table.find(["XX"], day("2026-01-01")) < 0
    alone = source("hcpcs", HCPCS, "2026-01", [SourceConcept("Q1001", "Widget")])
    install(tmp_path, "hcpcs@2026-01", [alone], None)
    assert "hcpcs" not in tables_of(open_terminology(tmp_path))


def test_a_reason_ends_on_its_last_day(loaded: tuple[Path, Terminology]) -> None:
    """A code that its list ended is not there afterwards."""
    table = tables_of(loaded[1])["carc"]
    assert [table.find(["A1"], day(on)) >= 0 for on in ("2025-05-31", "2025-06-01")] == [True, False]


def test_a_taxonomy_tells_persons(loaded: tuple[Path, Terminology]) -> None:
    """Individual or not."""
    table = tables_of(loaded[1])["taxonomy"]
    found = [value(table, [c], "2026-01-01", "individual") for c in ("207R00000X", "282N00000X")]
    assert found == [True, False]


def test_what_was_made_is_kept_until_an_edition_changes(loaded: tuple[Path, Terminology]) -> None:
    """The second opening reads the same rows; another edition makes them anew, and the old ones go."""
    data, terminology = loaded
    first = tables_of(terminology, data)
    kept = sorted((data / "claims" / "terms").iterdir())
    again = tables_of(terminology, data)
    assert {n: t.values.equals(again[n].values) for n, t in first.items()} == dict.fromkeys(first, True)
    assert sorted((data / "claims" / "terms").iterdir()) == kept
    install(data, "carc@2", [source("carc", X12_ADJUSTMENT_REASONS, "2", [SourceConcept("A2", "Made")])], None)
    changed = open_all(data, open_terminology(data))
    assert changed["carc"].find(["A2"], day("2026-01-01")) >= 0
    names = {p.name.rpartition("-")[0] for p in (data / "claims" / "terms").iterdir()}
    assert len(list((data / "claims" / "terms").iterdir())) == len(names)


def test_all_tables_are_ours_the_terminology_s_and_the_loaded(loaded: tuple[Path, Terminology]) -> None:
    """States come with the installation."""
    found = open_all(*loaded)
    assert {"state", "ein_prefix", "modifier", "icd10cm"} <= set(found)
    assert found["state"].find(["PR"], day("2026-01-01")) >= 0


def test_spans_are_those_that_the_terminology_asks() -> None:
    """Without an edition of autumn the update of April speaks for its whole fiscal year."""

    def edition(version: str, start: date, end: date) -> Edition:
        return Edition("s", version, start, end, "complete", "", "")

    listed = [
        edition("2025", date(2024, 10, 1), date(2025, 9, 30)),
        edition("2026-04", date(2026, 4, 1), date(2026, 9, 30)),
    ]
    found = [(e.version, first, last) for e, first, last in spans(listed)]
    assert found == [("2025", None, day("2025-09-30")), ("2026-04", day("2025-10-01"), None)]


def test_tables_are_made_before_they_are_asked(loaded: tuple[Path, Terminology], tmp_path: Path) -> None:
    """All that the loaded systems give, once; what is kept is what would be made; progress is told."""
    _, terminology = loaded
    told: list[tuple[str, int, int]] = []
    made = keep(terminology, tmp_path, lambda *said: told.append(said))
    assert set(made) == set(tables_of(terminology)) == {path.stem[:-17] for path in tmp_path.rglob("*.arrow")}
    assert told == [("tables of claims", number, len(made)) for number in range(len(made))]
    assert keep(terminology, tmp_path) == []
    stamps = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.arrow")}
    tables_of(terminology, tmp_path)
    assert stamps == {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.arrow")}


def test_what_may_only_be_read_is_left_alone(loaded: tuple[Path, Terminology], tmp_path: Path) -> None:
    """Nothing is made that could not be kept."""
    _, terminology = loaded
    assert keep(terminology, tmp_path / "nowhere") == []
    assert list(tmp_path.iterdir()) == []
