"""A watched folder: whole files are stored, then moved to `done/` or, with their reason, to `quarantine/`.

A file is moved only after what it says is on disk. Killed between the two, the file is known when it is seen again.
"""

from __future__ import annotations

import fcntl
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import structlog

from fhir_profiles import json
from fhir_profiles.errors import Category, FhirError
from server.interactions.fhir import Fhir

from .arrivals import Unusable
from .files import About, about_of, by_number, take
from .rows import Outcome

log = structlog.get_logger("fhirwright.doors")
DONE, QUARANTINE, LOCK = "done", "quarantine", ".fhirwright.lock"
_UNFINISHED = (".part", ".partial", ".tmp", ".temp", ".filepart", ".crdownload", ".swp", "~")
_SIDECAR = ".json"


class Seen(NamedTuple):
    """What tells whether a file was touched between two looks."""

    inode: int
    size: int
    changed: int


@dataclass(frozen=True, slots=True)
class Rules:
    """How a folder is read. `pattern` finds `mrn` in a file's name, `system` is whose numbers those are.

    `quiet` is seconds without a change before a file counts as whole; `most` the files that one look takes.
    """

    pattern: re.Pattern[str] | None = None
    system: str = ""
    quiet: float = 2.0
    most: int = 1_000


@dataclass
class Folder:
    """One folder that is looked at again and again."""

    root: Path
    fhir: Fhir
    rules: Rules = field(default_factory=Rules)
    _seen: dict[str, Seen] = field(default_factory=dict)

    def prepare(self) -> None:
        """Make the folders that files are moved to; FhirError when the folder is none."""
        if not self.root.is_dir():
            raise FhirError.of(Category.NOT_FOUND, "not-found", "There is no such folder to watch.")
        for name in (DONE, QUARANTINE):
            (self.root / name).mkdir(mode=0o700, exist_ok=True)
            if (self.root / name).is_symlink():
                raise FhirError.of(Category.INCORRECT, "security", f"The folder {name} is a link. Make it a folder.")

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the folder, so that no other process takes files from it; FhirError when one does."""
        self.prepare()
        handle = os.open(self.root / LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise FhirError.of(Category.BUSY, "lock-error", "Another process watches this folder.") from None
            yield
        finally:
            os.close(handle)

    def look(self, now: float) -> list[Outcome]:
        """Take the files that stand unchanged since the look before and for `quiet` seconds; what became of each.

        `now` is seconds since 1970. Files that could not be stored because the database is away are left for later.
        """
        names = sorted(entry.name for entry in os.scandir(self.root) if not entry.is_dir(follow_symlinks=False))
        there = {name: _seen(self.root / name) for name in names}
        whole = [name for name in names if self._is_whole(name, there, now)]
        self._seen = {name: seen for name, seen in there.items() if seen is not None}
        outcomes = []
        for name in whole[: self.rules.most]:
            try:
                outcomes.append(self._take(name, there))
            except FhirError as error:
                log.warning("folder.later", reason=error.category.value)
                break
            except OSError as error:  # it was moved, or cannot be read: the next look tells
                log.warning("folder.unreadable", kind=type(error).__name__)
        return outcomes

    def _is_whole(self, name: str, there: dict[str, Seen | None], now: float) -> bool:
        seen = there[name]
        if seen is None or name.startswith(".") or name.lower().endswith(_UNFINISHED):
            return False
        if name.endswith(_SIDECAR) and name[: -len(_SIDECAR)] in there:
            return False
        beside = there.get(name + _SIDECAR)
        newest = max(seen.changed, beside.changed if beside else 0) / 1e9
        still = self._seen.get(name) == seen and (beside is None or self._seen.get(name + _SIDECAR) == beside)
        return still and now - newest >= self.rules.quiet

    def _take(self, name: str, there: dict[str, Seen | None]) -> Outcome:
        path, sidecar = self.root / name, name + _SIDECAR
        try:
            content = read_whole(path, self.fhir.settings.document_bytes, there[name])
            outcome = take(self.fhir, content, self._about(name, sidecar, there))
        except Unusable as error:
            outcome = Outcome("", "quarantined", error.reason, error.text, ())
        target = QUARANTINE if outcome.state != "stored" else DONE
        if target == QUARANTINE:
            told = {"reason": outcome.reason or outcome.state, "text": outcome.text, "arrival": outcome.id}
            _write(self.root / QUARANTINE / f"{_short(name)}.reason.json", json.encode(told))
        if sidecar in there:
            _move(self.root, sidecar, target)
        _move(self.root, name, target)
        log.info("folder.taken", state=outcome.state, reason=outcome.reason, known=outcome.known)
        return outcome

    def _about(self, name: str, sidecar: str, there: dict[str, Seen | None]) -> About:
        """The patient by the file beside it, else by its name, else by what it says itself."""
        if sidecar in there:
            return about_of(read_whole(self.root / sidecar, 65_536, there[sidecar]))
        found = self.rules.pattern.search(name) if self.rules.pattern else None
        return About(by_number(self.rules.system, found["mrn"])) if found else About()


def read_whole(path: Path, most: int, seen: Seen | None) -> bytes:
    """The bytes of a plain file that is what was seen before and after; raises Unusable or OSError."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        if path.is_symlink():
            raise Unusable("security", "The file is a link. Put the file itself there.") from None
        raise
    with os.fdopen(handle, "rb") as file:
        before = os.fstat(file.fileno())
        if not stat.S_ISREG(before.st_mode):
            raise Unusable("security", "It is no plain file.")
        if before.st_size > most:
            raise Unusable("too-long", f"The file is over {most / 1e6:g} MB. Send it in parts.")
        content = file.read(most + 1)
        after = os.fstat(file.fileno())
    if _of(after) != seen or len(content) != after.st_size:
        raise OSError("the file changed while it was read")
    return content


def read_bounded(path: Path, most: int) -> bytes:
    """The bytes of a file that a person names, or one more than `most`, which whoever takes them refuses."""
    with path.open("rb") as file:
        return file.read(most + 1)


def _seen(path: Path) -> Seen | None:
    try:
        return _of(path.lstat())
    except OSError:
        return None


def _of(found: os.stat_result) -> Seen:
    return Seen(found.st_ino, found.st_size, found.st_mtime_ns)


def _short(name: str) -> str:
    """A name that leaves room for what is put behind it."""
    return name if len(name.encode()) <= 200 else f"{sha256(name.encode()).hexdigest()}{Path(name).suffix[:20]}"


def _move(root: Path, name: str, target: str) -> None:
    """Move within the folder; a name that is there already gets a number."""
    goal = root / target / name
    for number in range(1, 10_000):
        if not goal.exists() and not goal.is_symlink():
            break
        goal = root / target / f"{number}-{_short(name)}"
    (root / name).rename(goal)


def _write(path: Path, content: bytes) -> None:
    """Write a file anew, never through a link."""
    path.unlink(missing_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
