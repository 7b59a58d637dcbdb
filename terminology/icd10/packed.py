"""The code lists of older editions, packed into one file for each code system: rows in book order under xz.

A row is `editions, kind, code, parent, display`, parted by tabs. `editions` has one digit for each edition that holds
the row, `kind` is 1 (billable), 0 (header) or g (a chapter or block, which is no code); the parent is left out where it
is the longest code that the code begins with, and is - at the top. The first line names the editions.

https://tukaani.org/xz/
"""

from __future__ import annotations

import hashlib
import lzma
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from terminology.source import SourceConcept

FOLDER = Path(__file__).parents[1] / "data"
CM = FOLDER / "icd10cm_older.tsv.xz"
PCS = FOLDER / "icd10pcs.tsv.xz"
ROOT = "-"


class Row(NamedTuple):
    """A concept and the editions that have it so."""

    editions: frozenset[str]
    kind: str
    code: str
    parent: str | None  # None: the longest code that `code` begins with; ROOT: none
    display: str


def write_rows(path: Path, editions: Sequence[str], rows: Iterable[Row]) -> None:
    """Write a file; the same rows make the same bytes."""
    lines = ["\t".join(editions)]
    for row in rows:
        held = "".join(str(n) for n, e in enumerate(editions) if e in row.editions)
        lines.append("\t".join((held, row.kind, row.code, row.parent or "", row.display)))
    path.write_bytes(lzma.compress("\n".join(lines).encode(), preset=9 | lzma.PRESET_EXTREME))


def editions_of(path: Path) -> tuple[str, ...]:
    """The editions that a file holds."""
    with lzma.open(path, "rt", encoding="utf-8") as file:
        return tuple(file.readline().rstrip("\n").split("\t"))


@lru_cache(maxsize=1)
def _lines(path: Path) -> tuple[str, ...]:
    """Kept for the next edition of the same file, which is read right after."""
    return tuple(lzma.decompress(path.read_bytes()).decode().split("\n"))


def concepts(path: Path, edition: str) -> Iterator[SourceConcept]:
    """The concepts of one edition in book order."""
    lines = _lines(path)
    digit = str(lines[0].split("\t").index(edition))
    codes: dict[str, str] = {}  # without dots, as they are spelt
    for line in lines[1:]:
        held, kind, code, parent, display = line.split("\t")
        if digit not in held:
            continue
        bare = code.replace(".", "")
        if not parent:
            parent = next((codes[bare[:n]] for n in range(len(bare) - 1, 0, -1) if bare[:n] in codes), "")
        codes[bare] = code
        parents = () if parent == ROOT else (parent,)
        yield SourceConcept(code, display, parents, kind == "1", group=kind == "g")


def fingerprint(path: Path, edition: str) -> str:
    """The hash of an edition in a file."""
    return hashlib.sha256(path.read_bytes() + edition.encode()).hexdigest()
