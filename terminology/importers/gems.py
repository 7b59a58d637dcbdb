"""Load General Equivalence Mappings: a source code, a target code and five flags in each line.

https://www.cms.gov/medicare/coding-billing/icd-10-codes/icd-10-cm-icd-10-pcs-gem-archive
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

from terminology.icd10.gems import FLAGS, NONE, map_source, row
from terminology.importers.given import Given, Member, refusal, refuse
from terminology.source import MapRow, MapSource

FILES = {
    "icd9cm-icd10cm": r"(20\d\d_)?I9gem.*\.txt",
    "icd10cm-icd9cm": r"(20\d\d_)?I10gem.*\.txt",
    "icd9pcs-icd10pcs": r"gem_i9pcs.*\.txt",
    "icd10pcs-icd9pcs": r"gem_pcsi9.*\.txt",
}
SHAPES = {
    "icd9cm": re.compile(r"(\d{3}|V\d\d|E\d{3})\d{0,2}"),
    "icd9pcs": re.compile(r"\d{3,4}"),
    "icd10cm": re.compile(r"[A-Z][0-9A-Z]{2,6}"),
    "icd10pcs": re.compile(r"[0-9A-HJ-NP-Z]{7}"),
}
_YEAR = re.compile(r"(?<!\d)20\d\d(?!\d)")


def read(given: Given) -> list[MapSource]:
    """One map for each file; FhirError with file, line and column where a file is damaged."""
    found = [(name, member) for name, pattern in FILES.items() if (member := given.find(pattern)) is not None]
    if not found:
        raise refusal("No mapping is among the files: 2018_I9gem.txt, 2018_I10gem.txt, gem_i9pcs.txt, gem_pcsi9.txt")
    return [_map(name, member, given) for name, member in found]


def _map(name: str, member: Member, given: Given) -> MapSource:
    year = _YEAR.search(member.short) or next((m for p in given.paths if (m := _YEAR.search(p.name))), None)
    version = given.version or (year and year[0])
    if version is None:
        raise refusal(f"{member.short} does not tell its year: give --version, for example 2018")
    rows = list(_rows(name, member))
    digest = member.sha256()
    files = ((member.short, digest),)
    return map_source(name, version, f"CMS: {member.short}", f"{digest}/{version}", partial(iter, rows), files)


def _rows(name: str, member: Member) -> Iterator[MapRow]:
    here, there = name.split("-")
    seen: set[tuple[str, ...]] = set()
    for number, line in member.lines("ascii"):
        if not line.strip():
            continue
        parts = line.split()
        if len(parts) != 3:
            refuse(member, number, 1, "a source code, a target code and five flags are expected")
        source, target, flags = parts
        if not SHAPES[here].fullmatch(source):
            refuse(member, number, line.index(source) + 1, f"a code of {here} without its dot is expected")
        column = line.rindex(flags) + 1
        if not FLAGS.fullmatch(flags):
            refuse(
                member, number, column, "five digits are expected: approximate, no map, combination, scenario, choice"
            )
        if (flags[1] == "1") != (target in NONE):
            refuse(member, number, column + 1, "the flag `no map` and the target do not agree")
        if target not in NONE and not SHAPES[there].fullmatch(target):
            refuse(
                member, number, line.index(target, len(source)) + 1, f"a code of {there} without its dot is expected"
            )
        if (flags[2] == "1") != (flags[3] != "0" and flags[4] != "0"):
            refuse(member, number, column + 2, "a combination, and nothing else, has a scenario and a choice list")
        if (source, target, flags) in seen:
            refuse(member, number, 1, "the line stands twice")
        seen.add((source, target, flags))
        yield row(name, source, target, flags)
    if not seen:
        refuse(member, 1, 1, "the file has no rows")
