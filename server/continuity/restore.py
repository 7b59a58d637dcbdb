"""Bring a backup back elsewhere, to its point or to a later moment, and prove what came back."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec

from fhir_profiles.errors import Category, FhirError
from server.audit.checkpoints import FILE, KEY
from server.audit.place import directory
from server.audit.verify import verify
from server.phi.keys import keys_of
from server.settings import Settings
from server.store import open_store

from . import archived, beside, changes, postgres_restore, sqlite_base
from .create import DATABASE, LOG, database_path, open_key
from .files import check, unpack
from .manifest import Manifest, Standing
from .postgres_base import BASE
from .postgres_tools import Tools
from .recovered import tell
from .standing import standing, wrapping
from .target import Target, need


class Restored(msgspec.Struct, frozen=True, kw_only=True):
    """What a restore came to."""

    backup: str
    reached: int
    """The moment that was reached, in microseconds: of PostgreSQL the last commit; 0 where none followed."""

    exact: bool
    """Whether it is the backup's own point, whose counts and hashes must be found again."""

    standing: Standing
    wrong: tuple[str, ...]
    seconds: float


def verify_backup(target: Target, manifest: Manifest) -> None:
    """FhirError unless each file of a backup is there as the manifest says."""
    for entry in manifest.files:
        check(target.opened(manifest, entry.path), entry)


def choose(target: Target, name: str | None, to_time: int | None) -> Manifest:
    """The backup to begin with: that of a name, the newest, or the newest before a moment."""
    if name is not None or to_time is None:
        return target.get(name)
    found = [one for one in target.list() if one.point <= to_time]
    if not found:
        raise FhirError.of(Category.NOT_FOUND, "not-found", "No backup there is from before that moment.")
    return found[-1]


def restore(
    settings: Settings, target: Target, manifest: Manifest, tools: Tools, *,
    cluster: Path | None = None, to_time: int | None = None, latest: bool = False, force: bool = False,
    signing_key: Path | None = None,
) -> Restored:  # fmt: skip
    """Restore into the database and data directory of the settings, or for PostgreSQL into a new `cluster`."""
    began = time.monotonic()
    until = to_time if to_time is not None else (1 << 62) if latest else None
    key = open_key(keys_of(settings), manifest)
    empty(settings.data, force=force)
    need(settings.data, manifest.size * (3 if manifest.engine == "postgresql" else 2))
    with tempfile.TemporaryDirectory(prefix=".restoring-", dir=settings.data) as scratch:
        work = Path(scratch)
        for entry in manifest.files:
            unpack(target.opened(manifest, entry.path), entry, work / entry.path, key, manifest.id)
        if until is not None:
            target.fetch(manifest)
        if manifest.engine == "sqlite":
            came = _sqlite(settings, target, manifest, work, until, force=force)
        else:
            came = _postgres(settings, target, manifest, work, tools, cluster, until, force=force)
        with came as (url, reached):
            there = settings.model_copy(update={"database": url, "database_direct": None})
            told, wrong = _prove(there, target, manifest, work, exact=until is None, signing_key=signing_key)
    exact = until is None
    return Restored(
        backup=manifest.id, reached=reached, exact=exact, standing=told, wrong=tuple(wrong),
        seconds=time.monotonic() - began,
    )  # fmt: skip


def empty(folder: Path, *, force: bool) -> None:
    """Make a directory that holds nothing; FhirError when it does and it may not be overwritten."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not force and any(folder.iterdir()):
        text = "The directory to restore into is not empty: name another one, or add --force."
        raise FhirError.of(Category.CONFLICT, "conflict", text)


@contextmanager
def _sqlite(
    settings: Settings, target: Target, manifest: Manifest, work: Path, until: int | None, *, force: bool
) -> Iterator[tuple[str, int]]:
    """Put the file in its place, brought to the moment."""
    copy, path = work / DATABASE / sqlite_base.NAME, database_path(settings.database_url)
    reached = manifest.point
    if until is not None and (run := changes.covers(target.changes, manifest)) is not None:
        reached = changes.apply(run, manifest, copy, until)
        sqlite_base.make_single(copy)
    elif until is not None:
        text = "No changes that follow this backup were archived: restore the backup itself."
        raise FhirError.of(Category.NOT_FOUND, "not-found", text)
    if not sqlite_base.sound(copy):
        raise FhirError.of(Category.INCORRECT, "value", "The pages of the restored database are damaged.")
    if path.exists() and not force:
        raise FhirError.of(Category.CONFLICT, "conflict", "There is a database already: name another, or add --force.")
    for end in ("", "-wal", "-shm"):
        path.with_name(path.name + end).unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(copy, path)
    yield settings.database_url, reached


@contextmanager
def _postgres(
    settings: Settings, target: Target, manifest: Manifest, work: Path, tools: Tools, cluster: Path | None,
    until: int | None, *, force: bool,
) -> Iterator[tuple[str, int]]:  # fmt: skip
    """Make a cluster, recover it, and hold it open for the proof."""
    if cluster is None:
        raise FhirError.of(Category.INCORRECT, "required", "PostgreSQL is restored into a new directory: --cluster.")
    empty(cluster, force=force)
    postgres_restore.extract(work / DATABASE / BASE, cluster)
    reading = cluster / "archived"
    reading.mkdir()
    for path in (work / LOG).iterdir():
        shutil.move(path, reading / path.name)  # where the user who runs the server may read
    for path in [] if until is None else archived.following(target.changes / archived.LOG, manifest):
        shutil.copy(path, reading / path.name)
    aim: str | int | None = manifest.id if until is None else until if until < 1 << 62 else None
    postgres_restore.aim(cluster, [reading], aim)
    with postgres_restore.running(tools, cluster, settings.direct_url) as url:
        shutil.rmtree(reading)
        reached = until if until is not None and until < 1 << 62 else None
        yield url, manifest.point if until is None else reached or postgres_restore.last_commit(url)


def _prove(
    there: Settings, target: Target, manifest: Manifest, work: Path, *, exact: bool, signing_key: Path | None
) -> tuple[Standing, list[str]]:
    """What came back and what is wrong with it; the trail tells of the restore when all is well."""
    keys = keys_of(there)
    wrong: list[str] = []
    lacking = sorted(set(manifest.keys) - set(keys.versions if keys else ()))
    if lacking:
        versions = ", ".join(map(str, lacking))
        return manifest.standing, [f"Versions {versions} of the keys are missing: what they wrap cannot be read."]
    store = open_store(there.database_url, create=False, keys=keys, statement_seconds=3600)
    with closing(store):
        found = standing(store.query)
        if exact and found != manifest.standing:
            wrong.append("Counts, hashes or the head of the audit chain are not those of the backup.")
        known = store.query("SELECT hash FROM audit_event WHERE seq = ?", (manifest.standing.event,))
        if manifest.standing.event and (not known or bytes(known[0][0]).hex() != manifest.standing.hash):
            wrong.append("The audit chain does not have the event that the backup ends with.")
        folder = directory(store, there)
        _beside(work, target, folder, there.data, exact=exact)
        if signing_key is not None:
            shutil.copy(signing_key, folder / KEY)
            (folder / KEY).chmod(0o600)
        tell(store, there, folder, manifest.id)
        report = verify(store, (folder / FILE).read_text())
        wrong += [f"audit: {one.text}" for one in report.findings]
        if set(wrapping(store.query)) - set(manifest.keys) and exact:
            wrong.append("The database holds keys that the manifest does not name.")
    return found, wrong


def _beside(work: Path, target: Target, folder: Path, data: Path, *, exact: bool) -> None:
    """Put what lay beside the database in its place."""
    for path in sorted((work / beside.AUDIT).glob("*")):
        shutil.copy(path, folder / path.name)
    if not exact and (newer := target.changes / FILE).is_file():
        shutil.copy(newer, folder / FILE)
    root = work / beside.DATA
    for path in sorted(root.rglob("*")):
        if path.is_file():
            (goal := data / path.relative_to(root)).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            shutil.copy(path, goal)
