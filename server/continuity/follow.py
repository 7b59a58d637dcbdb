"""Archive every change as it is committed, so that a backup can be brought to any later moment."""

from __future__ import annotations

import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from typing import TypeVar

import structlog

from fhir_profiles.errors import FhirError
from server.audit.checkpoints import FILE
from server.observability import describe
from server.settings import Settings

from . import archived, postgres_base
from .changes import Follower, covers
from .create import audit_folder, create, database_path
from .manifest import Manifest
from .postgres_tools import Tools
from .target import Target, held, need

SLOT = "fhirwright_backup"
T = TypeVar("T")
_log = structlog.get_logger("backup")


def follow(
    settings: Settings, target: Target, tools: Tools, wanted: Callable[[], bool], *,
    seconds: float, every: float, sealed: bool = False, slot: str = SLOT,
) -> None:  # fmt: skip
    """Archive changes while it is `wanted`, looking each `seconds`; make a backup where none can be gone on from,
    and each `every` seconds. One process at a time does it for a target."""
    target.changes.mkdir(parents=True, exist_ok=True, mode=0o700)
    with held(target.changes / ".lock", "Changes are being archived there already."):
        try:
            if settings.database_url.startswith("sqlite"):
                _sqlite(settings, target, tools, wanted, seconds, every, sealed)
            else:
                _postgres(settings, target, tools, wanted, seconds, every, sealed, slot)
        finally:
            _attempt(lambda: target.sync(last=True))


def _sqlite(
    settings: Settings, target: Target, tools: Tools, wanted: Callable[[], bool], seconds: float, every: float,
    sealed: bool,
) -> None:  # fmt: skip
    path = database_path(settings.database_url)
    audit = audit_folder(settings)
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as present, ThreadPoolExecutor(1) as maker:
        present.execute("SELECT 1 FROM resource LIMIT 1").fetchall()  # so that the log stays when servers stop
        follower = Follower(path, target.changes)
        newest = next(reversed(target.list()), None)
        making: Future[Manifest | None] | None = None
        while wanted():
            need(target.changes, 0)
            follower.look()
            _checkpoints(audit, target.changes)
            _attempt(target.sync)
            if making is not None and making.done():
                newest, making = making.result() or newest, None
            if making is None and (
                newest is None or _is_old(newest.point, every) or covers(target.changes, newest) is None
            ):  # beside the looks: what is committed while it is made must not wait for it
                making = maker.submit(_attempt, lambda: create(settings, target, tools, sealed=sealed))
            time.sleep(seconds)


def _postgres(
    settings: Settings, target: Target, tools: Tools, wanted: Callable[[], bool], seconds: float, every: float,
    sealed: bool, slot: str,
) -> None:  # fmt: skip
    audit = audit_folder(settings)
    (folder := target.changes / archived.LOG).mkdir(exist_ok=True, mode=0o700)
    process: subprocess.Popen[bytes] | None = None
    url = postgres_base.plain(settings.direct_url)
    newest = next(reversed(target.list()), None) if _begun(folder) else None  # else the log between is missing
    try:
        while wanted():
            need(target.changes, 0)
            if process is None or process.poll() is not None:
                if process is not None:
                    _log.error("the log of the database cannot be received")
                with suppress(FhirError):
                    tools.run("pg_receivewal", "-d", url, "--slot", slot, "--create-slot", "--if-not-exists")
                process = tools.start("pg_receivewal", _receiving(folder, url, slot))
            _checkpoints(audit, target.changes)
            _attempt(target.sync)
            if _begun(folder) and (newest is None or _is_old(newest.point, every)):
                newest = _attempt(lambda: create(settings, target, tools, sealed=sealed)) or newest
            time.sleep(seconds)
    finally:
        if process is not None:
            process.send_signal(signal.SIGINT)
            process.wait()


def _begun(folder: Path) -> bool:
    """Whether anything of the log was received."""
    return any(folder.iterdir())


def _receiving(folder: Path, url: str, slot: str) -> list[str]:
    """Each commit is on the disk of the target before the slot lets the database forget it."""
    return ["-D", str(folder), "-d", url, "--slot", slot, "--synchronous", "--no-loop"]


def _is_old(point: int, every: float) -> bool:
    return time.time() - point / 1e6 >= every


def _attempt(make: Callable[[], T]) -> T | None:
    """Make a backup, or send what was archived; what goes wrong is logged and tried again."""
    try:
        return make()
    except (FhirError, OSError) as error:
        _log.error("a backup could not be made or sent", **describe(error))
        return None


def _checkpoints(audit: Path, changes: Path) -> None:
    """Keep the checkpoints of the audit beside the changes."""
    source, goal = audit / FILE, changes / FILE
    try:
        size = source.stat().st_size
    except FileNotFoundError:
        return
    if not goal.exists() or goal.stat().st_size != size:
        temporary = Path(shutil.copy(source, goal.with_suffix(".partial")))
        temporary.rename(goal)
