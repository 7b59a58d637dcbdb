"""Maps between code systems, one read-only SQLite file each (https://hl7.org/fhir/R4/conceptmap.html)."""

from __future__ import annotations

import json
import os
import sqlite3
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from itertools import chain, islice, product
from pathlib import Path
from typing import Any, NamedTuple

from terminology.source import MapSource, Progress
from terminology.spellings import FORMS

LAYOUT = 1
"""Raise when the tables change: files of another layout are made anew."""

MOST = 1000
"""Targets of one code that are told."""

TABLES = """
CREATE TABLE manifest (key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
CREATE TABLE pair (no INTEGER PRIMARY KEY, source TEXT NOT NULL, target TEXT, equivalence TEXT NOT NULL, rules TEXT);
"""
INDEXES = """
CREATE INDEX pair_source ON pair (source);
CREATE INDEX pair_target ON pair (target) WHERE target IS NOT NULL;
"""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a map says of a code: one target, or several that only together are the target (`with_`)."""

    target: str | None  # None: the map says that there is none
    equivalence: str  # of the target to the source, in R4's words
    with_: tuple[str, ...] = ()
    when: tuple[str, ...] = ()  # conditions of the map, in its words


class _Part(NamedTuple):
    """One row of several that belong together."""

    target: str | None
    equivalence: str
    rules: Mapping[str, Any]

    @property
    def choice(self) -> int:
        """The list that one is taken from: a choice list of an equivalence mapping, a group of an extended map."""
        return int(self.rules.get("choice") or self.rules.get("group") or 0)

    @property
    def condition(self) -> str | None:
        """What must hold for the row."""
        rule = str(self.rules.get("rule") or "TRUE")
        return None if rule == "TRUE" else f"{self.target or 'no code'}: {self.rules.get('advice') or rule}"


def _together(parts: list[_Part]) -> Iterator[Meaning]:
    """One part of each list, in every way."""
    lists: defaultdict[int, list[_Part]] = defaultdict(list)
    for part in sorted(parts, key=lambda p: int(p.rules.get("priority", 0))):
        lists[part.choice].append(part)
    for taken in product(*(lists[choice] for choice in sorted(lists))):
        first, *others = [part for part in taken if part.target is not None] or taken[:1]
        when = tuple(part.condition for part in taken if part.condition is not None)
        equivalence = str(first.rules.get("whole", first.equivalence))
        yield Meaning(first.target, equivalence, tuple(str(part.target) for part in others), when)


class MapFile:
    """One map. Connections are per process; the pages are shared through the page cache."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._db: sqlite3.Connection | None = None
        self._pid = 0
        told: Mapping[str, str] = dict(self.db.execute("SELECT key, value FROM manifest"))
        self.name, self.url, self.version, self.title = (told[k] for k in ("name", "url", "version", "title"))
        self.source, self.target = told["source"], told["target"]
        self.origin, self.licence, self.fingerprint = told["origin"], told["licence"], told["fingerprint"]

    @property
    def db(self) -> sqlite3.Connection:
        """This process's connection."""
        if self._db is None or self._pid != os.getpid():
            uri = f"{self.path.absolute().as_uri()}?mode=ro&immutable=1"
            self._db, self._pid = sqlite3.connect(uri, uri=True, check_same_thread=False), os.getpid()
        return self._db

    def targets(self, code: str) -> list[Meaning]:
        """What a source code means, however it is spelled, in the order of the map; at most `MOST`."""
        form = FORMS.get(self.source)
        code = (form.of(code) if form else None) or code
        rows = self.db.execute(
            "SELECT target, equivalence, rules FROM pair WHERE source = ? ORDER BY no LIMIT ?", (code, MOST)
        ).fetchall()
        single = [Meaning(target, equivalence) for target, equivalence, rules in rows if rules is None]
        scenarios: defaultdict[int, list[_Part]] = defaultdict(list)
        for target, equivalence, rules in rows:
            if rules is not None:
                part = _Part(target, equivalence, json.loads(rules))
                scenarios[part.rules.get("scenario", 0)].append(part)
        whole = (meaning for _, parts in sorted(scenarios.items()) for meaning in _together(parts))
        return list(islice(chain(single, whole), MOST))

    def sources(self, code: str) -> list[Meaning]:
        """The source codes whose meaning holds a target code; the equivalence is told of the source."""
        rows = self.db.execute(
            "SELECT source, equivalence FROM pair WHERE target = ? ORDER BY no LIMIT ?", (code, MOST)
        ).fetchall()
        return [Meaning(source, TURNED.get(equivalence, equivalence)) for source, equivalence in dict.fromkeys(rows)]


TURNED = {"wider": "narrower", "narrower": "wider", "subsumes": "specializes", "specializes": "subsumes"}
"""An equivalence seen from the other side."""


class Maps:
    """The maps of a data directory."""

    def __init__(self, files: list[MapFile]) -> None:
        self.files = tuple(files)

    def between(self, source: str | None, target: str | None) -> tuple[MapFile, ...]:
        """The maps from one system to another; None stands for any."""
        return tuple(
            f for f in self.files if (source is None or f.source == source) and (target is None or f.target == target)
        )


def open_maps(dir: Path | str) -> Maps:
    """Open what is installed, in the order of the names."""
    return Maps([MapFile(path) for path in sorted(_folder(dir).glob("*.sqlite")) if _fingerprint(path)])


def install_map(dir: Path | str, source: MapSource, progress: Progress | None = None) -> Path | None:
    """Write a map unless it is already there as it is; the path when it was written. Whole or not at all."""
    path = _folder(dir) / f"{source.name}@{source.version.rsplit('/', 1)[-1]}.sqlite"  # a version may be a URI
    if _fingerprint(path) == source.fingerprint:
        return None
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-", suffix=".building")
    os.close(handle)
    try:
        with closing(sqlite3.connect(temporary, isolation_level=None)) as db:
            db.executescript(f"PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA user_version = {LAYOUT};")
            db.executescript(TABLES)
            db.execute("BEGIN")
            db.executemany("INSERT INTO pair VALUES (NULL,?,?,?,?)", _rows(source, progress))
            db.executemany("INSERT INTO manifest VALUES (?,?)", _manifest(source).items())
            db.execute("COMMIT")
            db.executescript(INDEXES)
        with Path(temporary).open("rb") as file:
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    finally:
        Path(temporary).unlink(missing_ok=True)
    return path


def _rows(source: MapSource, progress: Progress | None) -> Iterator[tuple[str, str | None, str, str | None]]:
    for number, row in enumerate(source.rows()):
        rules = json.dumps(dict(row.rules), separators=(",", ":")) if row.rules else None
        yield row.source, row.target, row.equivalence, rules
        if progress and number % 5000 == 0:
            progress(f"{source.title} {source.version}", number, 0)


def _manifest(source: MapSource) -> dict[str, Any]:
    kept = ("name", "url", "version", "title", "source", "target", "origin", "licence", "fingerprint")
    return {**{key: getattr(source, key) for key in kept}, "files": json.dumps(source.files)}


def _folder(dir: Path | str) -> Path:
    return Path(dir) / "terminology" / "maps"


def _fingerprint(path: Path) -> str:
    """Of the installed map; empty where there is none of this layout."""
    if not path.exists():
        return ""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as db:
            if db.execute("PRAGMA user_version").fetchone()[0] != LAYOUT:
                return ""
            return str(db.execute("SELECT value FROM manifest WHERE key = 'fingerprint'").fetchone()[0])
    except sqlite3.DatabaseError:
        return ""
