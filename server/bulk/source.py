"""An input as items: a file, a folder, a glob or a URI of an object store (https://filesystem-spec.readthedocs.io).

Files that end in .ndjson, .jsonl or .parquet are lines and rows, also packed (.gz); every other file is a document.
Names that begin with a dot or an underscore are passed over. Items come in the order of names and lines.
"""

from __future__ import annotations

import codecs
import gzip
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol, cast

import msgspec

from fhir_profiles.errors import Category, FhirError
from server.bulk.rows import rows
from server.bulk.work import Chunk, Item
from server.objects import filesystem

MOST_FILES = 5_000_000
LONGEST = 8 * 1024 * 1024
"""Bytes of one line; a longer one is refused without being held."""
MOST_BYTES = 32 * 1024 * 1024
"""Bytes of a chunk, about."""
LINES = (".ndjson", ".jsonl", ".ndjson.gz", ".jsonl.gz")
ROWS = (".parquet",)
_MAGIC = "*?["


class File(msgspec.Struct, frozen=True):
    """A file of the input: its name below it, where it is, bytes, and what tells one version from the next."""

    name: str
    path: str
    size: int
    stamp: str

    @property
    def is_lines(self) -> bool:
        """Whether each of its lines is an item."""
        return self.name.lower().endswith(LINES)

    @property
    def is_rows(self) -> bool:
        """Whether each of its rows is an item."""
        return self.name.lower().endswith(ROWS)


class Input(Protocol):
    """What a run goes through."""

    files: Sequence[File]

    def chunks(self, at_once: int) -> Iterator[Chunk]:
        """Items, `at_once` in a chunk at most, always in the same order."""

    def filled(self, chunk: Chunk) -> Chunk:
        """A chunk with all its bytes."""


class Source:
    """The files of an input. FhirError where there are none, too many, or no way to them."""

    def __init__(self, given: str, longest_document: int) -> None:
        self._longest = longest_document
        self._fs, root = filesystem(given)
        self.files: Sequence[File] = sorted(self._listed(root), key=lambda file: file.name)
        if not self.files:
            raise FhirError.of(Category.NOT_FOUND, "not-found", "The input names no file, or only empty folders")

    def chunks(self, at_once: int) -> Iterator[Chunk]:
        """The items of all files, `at_once` in a chunk at most; a document's bytes are not read yet: see `filled`."""
        number, some, size = 0, list[Item](), 0
        for item in self._items():
            if some and (len(some) == at_once or size + len(item.body) > MOST_BYTES):
                yield Chunk(number, some)
                number, some, size = number + 1, [], 0
            some.append(item)
            size += len(item.body)
        if some:
            yield Chunk(number, some)

    def filled(self, chunk: Chunk) -> Chunk:
        """A chunk with the bytes of its documents."""
        return Chunk(chunk.number, [item if item.line or item.refused else self._read(item) for item in chunk.items])

    def _listed(self, root: str) -> Iterator[File]:
        """The files below a root; their names are told from the folder that holds all of them."""
        if any(sign in root for sign in _MAGIC):
            fixed = root[: min(root.index(sign) for sign in _MAGIC if sign in root)].rpartition("/")[0]
            found = self._fs.glob(root, detail=True)
        elif self._fs.isfile(root):
            fixed, found = root.rpartition("/")[0], {root: self._fs.info(root)}
        else:
            fixed, found = root.rstrip("/"), self._fs.find(root, detail=True)
        if len(found) > MOST_FILES:
            raise FhirError.of(Category.INCORRECT, "too-costly", f"The input has more than {MOST_FILES} files: part it")
        for path, info in found.items():
            name = path[len(fixed) :].lstrip("/")
            if info.get("type") == "file" and not any(part[:1] in "._" for part in name.split("/")):
                stamp = next((info[k] for k in ("ETag", "etag", "mtime", "LastModified", "created") if k in info), "")
                yield File(name, path, int(info.get("size") or 0), str(stamp))

    def _items(self) -> Iterator[Item]:
        self._paths = {file.name: file for file in self.files}
        for file in self.files:
            if not (file.is_lines or file.is_rows):
                yield Item(file.name, 0, b"")
                continue
            try:
                with self._fs.open(file.path, "rb") as opened:
                    yield from self._lines(file, opened) if file.is_lines else self._rows(file, opened)
            except FhirError as error:
                yield Item(file.name, 0, b"", error.problems[0].text)
            except (EOFError, gzip.BadGzipFile, zlib.error):
                yield Item(file.name, 0, b"", "The packed file is damaged or ends too early: send it again")

    def _lines(self, file: File, opened: BinaryIO) -> Iterator[Item]:
        stream = cast(BinaryIO, gzip.GzipFile(fileobj=opened)) if file.name.lower().endswith(".gz") else opened
        number = 0
        while line := stream.readline(LONGEST + 2):
            number += 1
            if len(line) > LONGEST + 1:
                while line and not line.endswith(b"\n"):
                    line = stream.readline(LONGEST)
                yield Item(file.name, number, b"", f"A line has at most {LONGEST} bytes")
                continue
            text = (line.removeprefix(codecs.BOM_UTF8) if number == 1 else line).strip()
            if text:
                yield Item(file.name, number, text)

    def _rows(self, file: File, opened: BinaryIO) -> Iterator[Item]:
        with _local(opened) as path:
            for number, body in enumerate(rows(path), 1):
                long = f"A row has at most {LONGEST} bytes" if len(body) > LONGEST else ""
                yield Item(file.name, number, b"" if long else body, long)

    def _read(self, item: Item) -> Item:
        file = self._paths[item.input]
        if file.size > self._longest:
            return Item(item.input, 0, b"", f"The document is longer than {self._longest} bytes: send it in parts")
        try:
            return Item(item.input, 0, self._fs.cat_file(file.path))
        except OSError as error:
            return Item(item.input, 0, b"", f"The document cannot be read: {error.strerror or type(error).__name__}")


@contextmanager
def _local(opened: BinaryIO) -> Iterator[Path]:
    """A file on this disk with the bytes of an open one."""
    with tempfile.NamedTemporaryFile(suffix=".parquet") as copy:
        while block := opened.read(1 << 22):
            copy.write(block)
        copy.flush()
        yield Path(copy.name)
