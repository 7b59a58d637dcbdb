"""Read the Health Care Provider Taxonomy of the NUCC (https://nucc.org/index.php/code-sets-mainmenu-41).

`nucc_taxonomy_VVV.csv`: Code, Grouping, Classification, Specialization, Definition, Notes, Display Name, Section; older
files have the days of effect and of deactivation too. The code of a classification lies above those of its
specialisations.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from functools import partial

from fhir_profiles.systems import NUCC
from terminology.importers.days import day_of
from terminology.importers.given import Given, Member, refusal, refuse
from terminology.importers.rows import Row, table
from terminology.importers.stamp import stamp
from terminology.source import Name, PropertyDef, Source, SourceConcept

READER = "nucc 1"
REQUIRED = ("Code", "Grouping", "Classification", "Specialization", "Definition")
PROPERTIES = (
    PropertyDef("grouping", "string"),
    PropertyDef("classification", "string"),
    PropertyDef("specialization", "string"),
    PropertyDef("section", "string", None, "Individual, or Non-Individual"),
    PropertyDef("replaced_by", "code", None, "The code to use instead of one that was made inactive"),
)
_FILE = re.compile(r"nucc_taxonomy_(\d\d)(\d)", re.IGNORECASE)
_CODE = re.compile(r"[0-9A-Z]{9}X")
_INACTIVE = re.compile(r"marked inactive(?:[^\]]{0,20}use (?:value )?([0-9A-Z]{9}X))?", re.IGNORECASE)
_FORMS = ("%m/%d/%Y", "%Y%m%d")


def read(given: Given) -> list[Source]:
    """The edition in a file; its version is in the file name (251 is 25.1, in force from 1 October 2025)."""
    member = given.need(r"nucc_taxonomy.*\.csv", "The file nucc_taxonomy_VVV.csv")
    named = _FILE.search(member.short)
    version = given.version or (f"{named[1]}.{named[2]}" if named else None)
    if version is None:
        raise refusal("The file name carries no version, as nucc_taxonomy_251.csv does: say --version 25.1")
    concepts = list(_concepts(member))
    made = stamp(READER, (member,), version, given.start, given.end)
    return [
        Source(
            name="nucc",
            system=NUCC,
            version=version,
            title="Health Care Provider Taxonomy",
            start=given.start or _start(version),
            end=given.end,
            content="complete",
            origin=f"NUCC file {member.short}",
            licence="American Medical Association for the National Uniform Claim Committee; free for use in claims",
            fingerprint=made.fingerprint,
            concepts=partial(iter, concepts),
            properties=PROPERTIES,
            files=made.files,
            total=len(concepts),
        )
    ]


def _start(version: str) -> date | None:
    """The January publication (.0) takes effect on 1 April, that of July (.1) on 1 October."""
    found = re.fullmatch(r"(\d\d)\.([01])", version)
    return date(2000 + int(found[1]), 10 if found[2] == "1" else 4, 1) if found else None


def _concepts(member: Member) -> Iterator[SourceConcept]:
    rows = list(_rows(member))
    heads = {(row["Grouping"], row["Classification"]): row["Code"] for row in rows if not row["Specialization"]}
    for grouping in dict.fromkeys(row["Grouping"] for row in rows):
        yield SourceConcept(grouping, grouping, group=True)
    for row in sorted(rows, key=lambda r: bool(r["Specialization"])):
        yield _concept(row, heads)


def _rows(member: Member) -> Iterator[Row]:
    seen: set[str] = set()
    for row in table(member, REQUIRED, encoding=_encoding(member)):
        code = row["Code"]
        if not _CODE.fullmatch(code):
            row.refuse("Code", "ten letters and digits that end in X are expected")
        if code in seen:
            row.refuse("Code", "the code stands twice")
        for name in ("Grouping", "Classification"):
            if not row[name]:
                row.refuse(name, f"a {name.lower()} is expected")
        seen.add(code)
        yield row
    if not seen:
        refuse(member, 2, 1, "the file has no codes")


def _encoding(member: Member) -> str:
    """UTF-8, but cp1252 for the editions that are written so."""
    try:
        member.read(2**26).decode("utf-8")
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def _concept(row: Row, heads: dict[tuple[str, str], str]) -> SourceConcept:
    code, grouping, narrow = row["Code"], row["Grouping"], row["Specialization"]
    title = f"{row['Classification']}, {narrow}" if narrow else row["Classification"]
    display = row.get("Display Name") or title
    head = heads.get((grouping, row["Classification"]))
    notes = row.get("Notes")
    inactive = _INACTIVE.search(notes)
    end = day_of(row, "Deactivation Date", _form(row, "Deactivation Date"))
    return SourceConcept(
        code,
        display,
        (head if narrow and head else grouping,),
        active=inactive is None and end is None,
        start=day_of(row, "Effective Date", _form(row, "Effective Date")),
        end=end,
        names=(Name(title),) if title != display else (),
        notes=tuple((kind, text) for kind, text in (("definition", row["Definition"]), ("note", notes)) if text),
        properties={
            "grouping": grouping,
            "classification": row["Classification"],
            **({"specialization": narrow} if narrow else {}),
            **({"section": row.get("Section")} if row.get("Section") else {}),
            **({"replaced_by": inactive[1]} if inactive and inactive[1] else {}),
        },
    )


def _form(row: Row, name: str) -> str:
    return _FORMS[0] if "/" in row.get(name) else _FORMS[1]
