"""Write one code-system edition into a read-only SQLite file, whole or not at all (https://sqlite.org/atomiccommit.html).

The concepts of the source are kept packed until their order is known, so that half a million fit in a few hundred MB.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import sqlite3
from array import array
from collections.abc import Iterator
from contextlib import closing
from itertools import groupby
from pathlib import Path
from typing import Any

import msgspec

from fhir_profiles.errors import Category, FhirError
from fhir_profiles.systems import SNOMED
from terminology.search.postings import write_words
from terminology.source import Progress, PropertyDef, Source, Subset, is_concrete
from terminology.store.atomic import written_whole
from terminology.store.hierarchy import Broken, Hierarchy, arrange
from terminology.store.layout import INDEXES, LAYOUT, tables

MOST_CONCEPTS = 5_000_000
_BATCH = 4_096
_SIDES = {
    "name": "INSERT INTO name VALUES (?,?,?,?,?,?)",
    "note": "INSERT INTO note VALUES (?,?,?,?)",
    "relation": "INSERT INTO relation VALUES (?,?,?,?,?)",
    "value": "INSERT INTO temp.value VALUES (?,?,?)",
}
_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder().decode
_json = msgspec.json.Encoder().encode
Row = tuple[Any, ...]


def write(path: Path, source: Source, progress: Progress | None = None) -> None:
    """Write `source` to `path`; FhirError, and nothing written, where its concepts or their hierarchy are damaged."""
    with written_whole(path) as temporary, closing(sqlite3.connect(temporary, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode = OFF")
        db.execute("PRAGMA synchronous = OFF")
        db.executescript(f"PRAGMA user_version = {LAYOUT}; {tables(sensitive=source.sensitive)}")
        db.execute("CREATE TEMP TABLE value (no INTEGER, value TEXT, concept INTEGER)")
        db.execute("BEGIN")
        try:
            _Writing(db, source, progress).run()
        except Broken as error:
            text = f"{source.title} {source.version}: {error}; nothing was loaded"
            raise FhirError.of(Category.INCORRECT, "structure", text) from None
        for statement in INDEXES.split(";"):
            db.execute(statement)
        write_words(db)
        if source.system == SNOMED:
            from terminology.ecl.columns import write_columns  # the others need no numpy

            write_columns(db)
        db.execute("COMMIT")


class _Writing:
    """One run of the writer."""

    def __init__(self, db: sqlite3.Connection, source: Source, progress: Progress | None) -> None:
        self.db, self.source, self.progress = db, source, progress
        self.codes: list[str] = []
        self.packed: list[bytes] = []
        self.declared: dict[str, tuple[int, PropertyDef]] = {}
        self.billable = 0
        self.hash = hashlib.sha256()
        for declared in source.properties:
            self.declared[declared.code] = len(self.declared), declared

    def run(self) -> None:
        hierarchy = self._gather()
        self.hierarchy, self.ids = hierarchy, hierarchy.ids
        self.places = {self._key(code): place for place, code in enumerate(self.codes)}
        ids = self.ids
        self.db.executemany("INSERT INTO concept VALUES (?,?,?,?,?,?,?,?,?,?,?)", self._concepts())
        edges = ((p, n, a) for p in hierarchy.order for n, a in enumerate(hierarchy.further.get(p, ()), 1))
        self.db.executemany("INSERT INTO edge VALUES (?,?,?)", ((ids[p], n, ids[a]) for p, n, a in edges))
        self.db.executemany("INSERT INTO span VALUES (?,?)", ((ids[p], blob) for p, blob in hierarchy.spans()))
        self.db.executemany("INSERT INTO property VALUES (?,?,?)", self._properties())
        rows = ((n, d.code, d.type, d.uri, d.description) for n, d in self.declared.values())
        self.db.executemany("INSERT INTO declared VALUES (?,?,?,?,?)", rows)
        for subset in self.source.subsets():
            self.db.execute("INSERT INTO subset VALUES (?,?,?)", (subset.id, subset.title, self._members(subset)))
        manifest = ((key, _json(value).decode()) for key, value in self._manifest().items())
        self.db.executemany("INSERT INTO manifest VALUES (?,?)", manifest)
        self._tell(len(self.codes))

    def _gather(self) -> Hierarchy:
        """Read the source to its end, so that its damage shows before anything is written."""
        parents: list[tuple[str, ...]] = []
        codes, packed = self.codes, self.packed
        for c in self.source.concepts():
            if not c.code or len(codes) >= MOST_CONCEPTS:
                raise Broken("a concept has no code" if not c.code else f"there are more than {MOST_CONCEPTS} concepts")
            codes.append(c.code)
            parents.append(c.parents)
            state = (
                c.display,
                c.billable,
                c.active,
                c.group,
                c.start,
                c.end,
                c.names,
                c.notes,
                c.properties,
                c.relations,
            )
            packed.append(_pack(state))
            if len(codes) % _BATCH == 0:
                self._tell(0)
        return arrange(codes, parents, sensitive=self.source.sensitive)

    def _concepts(self) -> Iterator[Row]:
        """The rows of the concept table; those of the other tables are written on the way."""
        h, ids = self.hierarchy, self.ids
        sides: dict[str, list[Row]] = {side: [] for side in _SIDES}
        for number, place in enumerate(h.order, 1):
            packed, code, parent = self.packed[place], self.codes[place], h.first[place]
            self.packed[place] = b""
            display, billable, active, group, start, end, names, notes, properties, relations = _unpack(packed)
            self.hash.update(b"%d %s %b" % (number, code.encode(), packed))
            self.billable += billable is True
            if names:
                rows = ((number, n, t, k, lang, " ".join(d) or None) for n, (t, k, lang, d) in enumerate(names))
                sides["name"].extend(rows)
            if notes:
                sides["note"].extend((number, n, kind, text) for n, (kind, text) in enumerate(notes))
            if relations:
                named = ((number, n, kind, self._target(to, code), g) for n, (kind, to, g) in enumerate(relations))
                sides["relation"].extend(named)
            if properties:
                sides["value"].extend(self._values(number, properties))
            if number % _BATCH == 0:
                self._flush(sides)
                self._tell(number)
            above = ids[parent] if parent >= 0 else None
            detail = _json(properties).decode() if properties else None
            yield number, code, display, billable, active, group, above, h.last[place], start, end, detail
        self._flush(sides)

    def _flush(self, sides: dict[str, list[Row]]) -> None:
        for side, rows in sides.items():
            if rows:
                self.db.executemany(_SIDES[side], rows)
                rows.clear()

    def _key(self, code: str) -> str:
        return code if self.source.sensitive else code.casefold()

    def _id(self, code: str, where: str) -> int:
        place = self.places.get(self._key(code))
        if place is None:
            raise Broken(f"{code}, named in {where}, is no code of the edition")
        return self.ids[place]

    def _target(self, to: str, where: str) -> int | str:
        """The id of a target; a concrete value stands as it is."""
        return to if is_concrete(to) else self._id(to, where)

    def _values(self, number: int, properties: dict[str, Any]) -> Iterator[Row]:
        """(number of the property, value as text, concept) of each value that can be looked up."""
        for name, values in properties.items():
            for value in values if isinstance(values, list) else (values,):
                if name not in self.declared:
                    self.declared[name] = len(self.declared), PropertyDef(name, _type(value))
                yield self.declared[name][0], text_of(value), number

    def _properties(self) -> Iterator[Row]:
        rows = self.db.execute("SELECT DISTINCT no, value, concept FROM temp.value ORDER BY no, value, concept")
        for (number, value), group in groupby(rows, key=lambda row: row[:2]):
            yield number, value, array("I", [concept for _, _, concept in group]).tobytes()

    def _members(self, subset: Subset) -> bytes:
        return array("I", [self._id(code, f"subset {subset.id}") for code in subset.codes]).tobytes()

    def _manifest(self) -> dict[str, Any]:
        s = self.source
        return {
            "name": s.name, "system": s.system, "version": s.version, "title": s.title, "start": s.start, "end": s.end,
            "content": s.content, "source": s.origin, "licence": s.licence, "fingerprint": s.fingerprint,
            "sensitive": s.sensitive, "language": s.language, "files": s.files, "concepts": len(self.codes),
            "billable": self.billable, "sha256": self.hash.hexdigest(), "layout": LAYOUT, "builder": _builder(),
            "polyhierarchy": bool(self.hierarchy.further),
        }  # fmt: skip

    def _tell(self, done: int) -> None:
        if self.progress:
            self.progress(f"{self.source.title} {self.source.version}", done, self.source.total or len(self.codes))


def text_of(value: Any) -> str:
    """A property's value as it is compared: true, false, the code of a Coding."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value.get("code", "")) if isinstance(value, dict) else str(value)


def _type(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    return {int: "integer", dict: "Coding", float: "decimal"}.get(type(value), "string")


def _builder() -> str:
    try:
        return f"fhirwright {importlib.metadata.version('fhirwright')}"
    except importlib.metadata.PackageNotFoundError:  # run from a checkout
        return "fhirwright"
