"""Read the official ICD-10-CM order file (fixed columns; https://www.cms.gov/medicare/coding-billing/icd-10-codes).

Columns from 1: order number 1-5, code 7-13 without its dot, 0 header or 1 billable at 15, short title 17-76, long
title from 78.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from datetime import date
from functools import partial
from pathlib import Path
from typing import NoReturn

from fhir_profiles.errors import Category, FhirError
from fhir_profiles.systems import ICD10CM
from terminology.source import Source, SourceConcept

_YEAR = re.compile(r"(20\d\d)")
_LONGEST = 80 + 400


def read_order_file(path: Path) -> Source:
    """The edition in an order file, whose name carries the fiscal year; refuses damaged files by line and column."""
    body = path.read_bytes()
    year = _YEAR.search(path.name)
    if year is None:
        _refuse(path, 0, 0, "the file name must carry the fiscal year, as icd10cm_order_2027.txt does")
    fiscal = int(year[1])
    april = "april" in path.name.lower() or "apr" in path.name.lower()
    concepts = list(_concepts(path, body))
    return Source(
        name="icd10cm",
        system=ICD10CM,
        version=f"{fiscal}-04" if april else str(fiscal),
        title="ICD-10-CM",
        start=date(fiscal, 4, 1) if april else date(fiscal - 1, 10, 1),
        end=date(fiscal, 9, 30),
        content="complete",
        origin=f"CMS order file {path.name}",
        licence="US government work",
        fingerprint=hashlib.sha256(body).hexdigest(),
        concepts=partial(iter, concepts),
    )


def _concepts(path: Path, body: bytes) -> Iterator[SourceConcept]:
    try:
        text = body.decode("ascii")
    except UnicodeDecodeError as error:
        at = body.count(b"\n", 0, error.start) + 1
        column = error.start - (body.rfind(b"\n", 0, error.start) + 1) + 1
        _refuse(path, at, column, "only ASCII characters are allowed")
    stack: list[str] = []
    seen: set[str] = set()
    previous = 0
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        order = _check(path, number, line, previous, seen)
        previous = order
        bare = line[6:13].strip()
        while stack and not bare.startswith(stack[-1]):
            stack.pop()
        parent = _dotted(stack[-1]) if stack else None
        stack.append(bare)
        seen.add(bare)
        yield SourceConcept(_dotted(bare), line[77:].strip() or line[16:76].strip(), parent, line[14] == "1")
    if not seen:
        _refuse(path, 1, 1, "the file has no codes")


def _check(path: Path, number: int, line: str, previous: int, seen: set[str]) -> int:
    """The order number of a line that is whole; refuses at the first column that is not."""
    if len(line) > _LONGEST:
        _refuse(path, number, _LONGEST, "the line is too long")
    if not line[:5].isdigit() or line[5:6] != " ":
        _refuse(path, number, 1, "an order number of five digits and a blank are expected")
    code = line[6:13].strip()
    if not re.fullmatch(r"[A-Z]\d[0-9A-Z][0-9A-Z]{0,4}", code):
        _refuse(path, number, 7, "a code of three to seven characters is expected")
    if line[14:15] not in ("0", "1"):
        _refuse(path, number, 15, "0 (header) or 1 (billable) is expected")
    if not line[16:76].strip():
        _refuse(path, number, 17, "a title is expected")
    if int(line[:5]) <= previous:
        _refuse(path, number, 1, "order numbers must rise")
    if code in seen:
        _refuse(path, number, 7, "the code stands twice")
    return int(line[:5])


def _dotted(bare: str) -> str:
    return bare if len(bare) <= 3 else f"{bare[:3]}.{bare[3:]}"


def _refuse(path: Path, line: int, column: int, why: str) -> NoReturn:
    where = f", line {line}, column {column}" if line else ""
    raise FhirError.of(Category.INCORRECT, "structure", f"{path.name}{where}: {why}; nothing was loaded")
