"""The official files that a person gives: files, folders, archives; read with limits, refused by line and column."""

from __future__ import annotations

import hashlib
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import IO, NoReturn

from fhir_profiles.errors import Category, FhirError

MAX_MEMBERS = 20_000
MAX_BYTES = 8 * 2**30
"""Of one file, unpacked."""

MAX_RATIO = 200
"""Times that a file in an archive may be larger than its packed form; official files stay far below."""

MAX_LINE = 1_000_000
"""Bytes of a line."""


@dataclass(frozen=True, slots=True)
class Member:
    """One file, on disk or in an archive."""

    name: str  # with its folders
    path: Path
    size: int
    zipped: bool = False

    @property
    def short(self) -> str:
        """The name without folders."""
        return self.name.rsplit("/", 1)[-1]

    @contextmanager
    def open(self) -> Iterator[IO[bytes]]:
        """The bytes of the file."""
        if not self.zipped:
            with self.path.open("rb") as file:
                yield file
            return
        with zipfile.ZipFile(self.path) as archive, archive.open(self.name) as file:
            yield file

    def read(self, most: int = 2**29) -> bytes:
        """The whole file; refused beyond `most` bytes."""
        if self.size > most:
            refuse(self, 0, 0, f"the file is larger than {most} bytes")
        with self.open() as file:
            return file.read(most + 1)

    def sha256(self) -> str:
        """The fingerprint of the content."""
        digest = hashlib.sha256()
        with self.open() as file:
            while block := file.read(1 << 20):
                digest.update(block)
        return digest.hexdigest()

    def lines(self, encoding: str = "utf-8") -> Iterator[tuple[int, str]]:
        """(number from 1, text without its end) of each line; refused where the bytes are not of the encoding."""
        with self.open() as file:
            number = 0
            while raw := file.readline(MAX_LINE + 1):
                number += 1
                if len(raw) > MAX_LINE:
                    refuse(self, number, MAX_LINE, "the line is too long")
                try:
                    text = raw.decode("utf-8-sig" if number == 1 and encoding == "utf-8" else encoding)
                except UnicodeDecodeError as error:
                    refuse(self, number, error.start + 1, f"this is not {encoding} text")
                if "\0" in text:
                    refuse(self, number, text.index("\0") + 1, "the line holds a zero byte")
                yield number, text.rstrip("\r\n")


@dataclass(frozen=True)
class Given:
    """What was given to load, and what was said of it."""

    paths: tuple[Path, ...]
    version: str | None = None  # said by the person, where the files do not say it
    start: date | None = None
    end: date | None = None
    options: frozenset[str] = field(default_factory=frozenset)

    @cached_property
    def members(self) -> tuple[Member, ...]:
        """Every file, those of folders and archives included."""
        found = [member for path in self.paths for member in _members(path)]
        if len(found) > MAX_MEMBERS:
            raise refusal(f"More than {MAX_MEMBERS} files were given")
        return tuple(found)

    def all(self, pattern: str) -> list[Member]:
        """The files whose name without folders matches a regular expression, whatever the case of letters."""
        wanted = re.compile(pattern, re.IGNORECASE)
        return [m for m in self.members if wanted.fullmatch(m.short)]

    def find(self, pattern: str) -> Member | None:
        """The one file of that name, None when there is none; refused when there are several."""
        found = self.all(pattern)
        if len(found) > 1:
            raise refusal(f"Several files could be meant: {', '.join(sorted(m.name for m in found)[:5])}; give one")
        return found[0] if found else None

    def need(self, pattern: str, described: str) -> Member:
        """The one file of that name; refused when it is missing. A single file given by itself may have any name."""
        found = self.find(pattern)
        if found is not None:
            return found
        if len(self.members) == 1:
            return self.members[0]
        raise refusal(f"{described} is missing")


def _members(path: Path) -> Iterator[Member]:
    if path.is_dir():
        files = sorted(p for p in path.rglob("*") if p.is_file())
        if not files:
            raise refusal(f"{path.name} is an empty folder")
        for file in files:
            yield Member(file.relative_to(path).as_posix(), file, file.stat().st_size)
        return
    if not path.is_file():
        raise refusal(f"{path.name} does not exist")
    if path.suffix.lower() != ".zip":
        yield Member(path.name, path, path.stat().st_size)
        return
    try:
        with zipfile.ZipFile(path) as archive:
            infos = [i for i in archive.infolist() if not i.is_dir()]
    except (zipfile.BadZipFile, OSError) as error:
        raise refusal(f"{path.name} is not a whole zip archive") from error
    for info in infos:
        if info.file_size > MAX_BYTES or info.file_size > MAX_RATIO * max(info.compress_size, 1000):
            raise refusal(f"{path.name}: {info.filename} is too large when unpacked")
        if info.flag_bits & 1:
            raise refusal(f"{path.name} is encrypted: unpack it first")
        yield Member(info.filename, path, info.file_size, zipped=True)


def refusal(why: str) -> FhirError:
    """The error of a load that cannot be done."""
    return FhirError.of(Category.INCORRECT, "structure", f"{why}; nothing was loaded")


def refuse(member: Member, line: int, column: int, why: str) -> NoReturn:
    """Refuse a damaged file; `line` and `column` count from 1, 0 where there is none."""
    where = (f", line {line}" if line else "") + (f", column {column}" if column else "")
    raise refusal(f"{member.short}{where}: {why}")
