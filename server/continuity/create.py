"""Make a backup beside a live server: the database at one moment, and what lies beside it."""

from __future__ import annotations

import base64
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from fhir_profiles.errors import Category, FhirError
from server.audit.place import directory
from server.phi.envelope import new_key, wrap
from server.phi.keys import Keys, keys_of
from server.settings import Settings
from server.store import open_store

from . import beside, postgres_base, sqlite_base
from .files import entry_of, pack
from .log import generation
from .manifest import Entry, Manifest, Standing, write_manifest
from .postgres_tools import Tools
from .standing import revision, standing, wrapping
from .target import Target, need

DATABASE, LOG = "database", "log"


class Sealer(NamedTuple):
    """What seals the files of one backup, and how its key is kept in the manifest."""

    key: AESGCM | None
    version: int
    wrapped: str


class Held(NamedTuple):
    """What was copied of the database."""

    point: int
    standing: Standing
    revision: str
    keys: tuple[int, ...]
    position: str
    line: str
    files: tuple[Entry, ...]


def create(settings: Settings, target: Target, tools: Tools, *, sealed: bool = False) -> Manifest:
    """Make a backup and give its manifest; nothing of it has a name before all of it is on the disk."""
    keys = keys_of(settings)
    began = time.time_ns() // 1000
    with target.making() as (name, folder):
        (work := folder / "work").mkdir()
        sealer = _sealer(keys, name) if sealed else Sealer(None, 0, "")
        audit = audit_folder(settings)
        with beside.opened(audit) as before:
            copied = _sqlite if settings.database_url.startswith("sqlite") else _postgres
            held = copied(settings.direct_url, tools, name, folder, sealer.key)
            lying = [*beside.spools(before, audit, work), *beside.others(audit, settings.data)]
        files = [*held.files, *(pack(path, folder, kept, sealer.key, name) for kept, path in lying)]
        for path in work.iterdir():
            path.unlink()
        work.rmdir()
        manifest = Manifest(
            id=name, engine=settings.database_url.partition(":")[0].partition("+")[0], revision=held.revision,
            version=version("fhirwright"), began=began, point=held.point, ended=time.time_ns() // 1000,
            standing=held.standing, files=tuple(files), keys=held.keys, sealed=sealer.version,
            wrapped=sealer.wrapped, position=held.position, line=held.line,
        )  # fmt: skip
        write_manifest(folder, manifest)
        entry_of(folder, "manifest.json")
        target.keep(name, folder)
    return manifest


def open_key(keys: Keys | None, manifest: Manifest) -> AESGCM | None:
    """The key of a backup's files; FhirError when the keys that are set do not open it."""
    from server.phi.envelope import Broken, unwrap

    if not manifest.sealed:
        return None
    try:
        if keys is None:
            raise Broken
        found = unwrap(keys.of(manifest.sealed), manifest.sealed, 0, manifest.id, base64.b64decode(manifest.wrapped))
    except Broken:
        text = f"The backup is sealed by version {manifest.sealed} of the keys: set encryption and encryption_keys."
        raise FhirError.of(Category.FORBIDDEN, "security", text) from None
    return AESGCM(found)


def _sealer(keys: Keys | None, name: str) -> Sealer:
    if keys is None:
        text = "Sealing a backup takes keys: set encryption and encryption_keys."
        raise FhirError.of(Category.INCORRECT, "required", text)
    key = new_key()
    wrapped = wrap(keys.of(keys.newest), keys.newest, 0, name, key)
    return Sealer(AESGCM(key), keys.newest, base64.b64encode(wrapped).decode())


def audit_folder(settings: Settings) -> Path:
    """Where the audit of the database lies."""
    store = open_store(settings.database_url, create=False, keys=keys_of(settings))
    try:
        return directory(store, settings)
    finally:
        store.close()


def database_path(url: str) -> Path:
    """The file of a SQLite database."""
    from server.store.migrate import engine_for

    engine = engine_for(url)
    engine.dispose()
    return Path(str(engine.url.database))


def _sqlite(url: str, _tools: Tools, name: str, folder: Path, key: AESGCM | None) -> Held:
    source = database_path(url)
    log = source.with_name(f"{source.name}-wal")
    size = source.stat().st_size + (log.stat().st_size if log.exists() else 0) if source.exists() else 0
    need(folder, size * (2 if key else 1))
    position = generation(source)  # before the copy: its log from the beginning is applied again, which does no harm
    copy = folder / "work" / sqlite_base.NAME
    try:
        sqlite_base.copy(source, copy)
    except sqlite3.OperationalError:
        text = "The database cannot be copied: it is locked, or the disk of the target is full."
        raise FhirError.of(Category.UNAVAILABLE, "exception", text) from None
    at = time.time_ns() // 1000
    with closing(sqlite_base.Copy(copy)) as rows:
        told, schema, keks = standing(rows), revision(rows), wrapping(rows)
    entries = _moved(folder, key, name, [(f"{DATABASE}/{sqlite_base.NAME}", copy)])
    return Held(at, told, schema, keks, position, "", tuple(entries))


def _postgres(url: str, tools: Tools, name: str, folder: Path, key: AESGCM | None) -> Held:
    need(folder, postgres_base.size_of(url) * (2 if key else 1))
    work = folder / "work"
    (log := work / postgres_base.LOG).mkdir()
    line = postgres_base.identity(url)
    with postgres_base.logging(tools, url, log) as process:
        (base := work / "base").mkdir()
        postgres_base.copy(tools, url, base)
        with postgres_base.point(url, name) as (rows, place, at):
            postgres_base.finish(url, log, process, place)
            told, schema, keks = standing(rows), revision(rows), wrapping(rows)
    found = [(f"{DATABASE}/{path.name}", path) for path in sorted(base.iterdir())]
    found += [(f"{LOG}/{path.name}", path) for path in sorted(log.iterdir()) if path.suffix != ".partial"]
    entries = list(_moved(folder, key, name, found))
    for path in (log, base):
        for left in path.iterdir():
            left.unlink()
        path.rmdir()
    return Held(at, told, schema, keks, place, line, tuple(entries))


def _moved(folder: Path, key: AESGCM | None, name: str, found: list[tuple[str, Path]]) -> Iterator[Entry]:
    """Files that were made for this backup: taken as they are, or sealed."""
    for kept, path in found:
        if key is None:
            (target := folder / kept).parent.mkdir(exist_ok=True)
            path.rename(target)
            yield entry_of(folder, kept)
        else:
            yield pack(path, folder, kept, key, name)
            path.unlink()
