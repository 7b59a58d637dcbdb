"""Read the vaccine codes of the CDC: CVX with groups, trade names, and makers (MVX).

https://www2a.cdc.gov/vaccines/iis/iisstandards/vaccines.asp?rpt=cvx

Fields are parted by bars and have no header. `cvx.txt`: code, short description, full name, notes, status, whether it
is no vaccine, day of the last update. `VG.txt`: short description, code, status, group, code of the group.
`TRADENAME.txt`: trade name, short description, code, maker, maker's code, two statuses, day. `mvx.txt`: code, maker,
notes, status, day.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date
from functools import partial

from fhir_profiles.systems import CVX, MVX
from terminology.importers.days import day_of
from terminology.importers.given import Given, Member, refusal, refuse
from terminology.importers.rows import Row, records
from terminology.importers.stamp import stamp
from terminology.source import Name, PropertyDef, Relation, Source, SourceConcept

READER = "cvx 1"
VACCINES = ("code", "short", "full", "notes", "status", "non-vaccine", "updated")
GROUPS = ("short", "code", "status", "group", "group code")
BRANDS = ("brand", "short", "code", "maker", "maker code", "maker status", "status", "updated")
MAKERS = ("code", "maker", "notes", "status", "updated")
STATUSES = ("Active", "Inactive", "Pending", "Non-US", "Never Active")
GONE = ("Inactive", "Never Active")
"""Of no further use for what is given today; they stay valid for what was given."""

PROPERTIES = (
    PropertyDef("vaccine-status", "code", None, "Active, Inactive, Pending, Non-US or Never Active"),
    PropertyDef("non-vaccine", "boolean", None, "The code stands for something other than a vaccine"),
    PropertyDef("updated", "dateTime", None, "Day of the last update"),
    PropertyDef("vaccine-group", "string", None, "Names of the groups that it counts for"),
)
_LICENCE = "US government work"


def read(given: Given) -> list[Source]:
    """The vaccines, and the makers when their file is given; the version is the day of the newest update."""
    vaccines = given.need(r"cvx[^a-z]*\.txt", "The file cvx.txt")
    groups, brands, makers = (given.find(rf"{name}[^a-z]*\.txt") for name in ("vg", "tradename", "mvx"))
    rows = list(_vaccines(vaccines))
    newest = _newest(rows)
    concepts = list(_concepts(rows, groups, brands))
    sources = [_source(given, "cvx", CVX, "CVX", concepts, newest, (vaccines, groups, brands))]
    if makers is not None:
        named = list(_rows(makers, MAKERS, r"[A-Z0-9]{2,5}"))
        sources.append(
            _source(given, "mvx", MVX, "MVX", [_maker(row) for row in named], _newest(named), (makers,), makers=True)
        )
    return sources


def _source(
    given: Given,
    name: str,
    system: str,
    title: str,
    concepts: list[SourceConcept],
    newest: date | None,
    members: Sequence[Member | None],
    *,
    makers: bool = False,
) -> Source:
    version = given.version or (newest.strftime("%Y%m%d") if newest else None)
    if version is None:
        raise refusal(f"The {title} file has no day of an update: say --version YYYYMMDD")
    made = stamp(READER, members, version, given.start, given.end)
    return Source(
        name=name,
        system=system,
        version=version,
        title=title,
        start=given.start,
        end=given.end,
        content="complete",
        origin=f"CDC files {', '.join(file for file, _ in made.files)}",
        licence=_LICENCE,
        fingerprint=made.fingerprint,
        concepts=partial(iter, concepts),
        properties=PROPERTIES[:1] + PROPERTIES[2:3] if makers else PROPERTIES,
        files=made.files,
        total=len(concepts),
    )


def _vaccines(member: Member) -> Iterator[Row]:
    for row in _rows(member, VACCINES, r"\d{2,3}"):
        if row["non-vaccine"].lower() not in ("true", "false"):
            row.refuse("non-vaccine", "True or False is expected")
        yield row


def _rows(member: Member, names: tuple[str, ...], code: str) -> Iterator[Row]:
    """The rows of a file that lists each code once."""
    seen: set[str] = set()
    shape = re.compile(code)
    for row in _barred(member, names):
        if not shape.fullmatch(row["code"]):
            row.refuse("code", f"a code of the form {code} is expected")
        if row["code"] in seen:
            row.refuse("code", "the code stands twice")
        if row["status"] not in STATUSES:
            row.refuse("status", f"one of {', '.join(STATUSES)} is expected")
        if not row[names[1]]:
            row.refuse(names[1], "a name is expected")
        seen.add(row["code"])
        yield row
    if not seen:
        refuse(member, 1, 1, "the file has no codes")


def _barred(member: Member, names: tuple[str, ...]) -> Iterator[Row]:
    """The rows of a file; a bar at the end of a line is no field."""
    for record in records(member, delimiter="|", encoding=_encoding(member), quoted=False):
        fields = record.fields
        if len(fields) == len(names) + 1 and not fields[-1].strip():
            fields.pop()
        if len(fields) != len(names):
            line, column = record.place(min(len(fields), len(names)) - 1)
            refuse(member, line, column, f"{len(names)} fields are expected, this line has {len(fields)}")
        yield record.row(names)


def _encoding(member: Member) -> str:
    """UTF-8, but cp1252 for the files that are of that age."""
    try:
        member.read(2**24).decode("utf-8")
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def _newest(rows: list[Row]) -> date | None:
    return max((day for row in rows if (day := day_of(row, "updated", "%Y/%m/%d"))), default=None)


def _concepts(rows: list[Row], groups: Member | None, brands: Member | None) -> Iterator[SourceConcept]:
    known = {row["code"] for row in rows}
    in_groups: defaultdict[str, dict[str, str]] = defaultdict(dict)  # code → group → code of the group
    for row in _barred(groups, GROUPS) if groups else ():
        _known(row, "code", known)
        if row["group code"]:
            _known(row, "group code", known)
        in_groups[row["code"]][row["group"]] = row["group code"]
    sold_as: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for row in _barred(brands, BRANDS) if brands else ():
        _known(row, "code", known)
        sold_as[row["code"]][row["brand"]] = None
    for row in rows:
        code, full = row["code"], row["full"]
        updated = day_of(row, "updated", "%Y/%m/%d")
        yield SourceConcept(
            code,
            row["short"],
            active=row["status"] not in GONE,
            names=(
                *((Name(full, "long"),) if full and full != row["short"] else ()),
                *(Name(brand, "brand") for brand in sold_as[code]),
            ),
            notes=(("note", row["notes"]),) if row["notes"] else (),
            properties={
                "vaccine-status": row["status"],
                "non-vaccine": row["non-vaccine"].lower() == "true",
                **({"updated": updated.isoformat()} if updated else {}),
                **({"vaccine-group": list(in_groups[code])} if in_groups[code] else {}),
            },
            relations=tuple(Relation("vaccine-group", group) for group in in_groups[code].values() if group),
        )


def _known(row: Row, name: str, known: set[str]) -> None:
    if row[name] not in known:
        row.refuse(name, "the code is none of cvx.txt")


def _maker(row: Row) -> SourceConcept:
    updated = day_of(row, "updated", "%Y/%m/%d")
    return SourceConcept(
        row["code"],
        row["maker"],
        active=row["status"] not in GONE,
        notes=(("note", row["notes"]),) if row["notes"] else (),
        properties={"vaccine-status": row["status"], **({"updated": updated.isoformat()} if updated else {})},
    )
