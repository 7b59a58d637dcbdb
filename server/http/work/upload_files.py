"""Files that are handed in: read within bounds, in memory only, and stored as documents by FHIR.

https://www.rfc-editor.org/rfc/rfc7578
"""

from __future__ import annotations

import base64
from collections.abc import AsyncGenerator, AsyncIterator
from datetime import UTC, datetime

import msgspec
from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from extractors.pages import Refused
from extractors.pages.sniff import media_type
from server.http.binary import LARGEST
from server.http.pages.auth.visit import Form

from .desk import Desk

MOST = 20
"""Files in one go."""

ALL = 64 * 1024 * 1024
"""Bytes of all files of one go."""

INLINE = 256 * 1024
"""Bytes up to which a file is stored within its DocumentReference; a larger one is a Binary of its own."""

NAME = 120
"""Characters of a file's name that are kept."""


class TooMuchError(Exception):
    """More files, or larger ones, than are taken at a time."""


class File(msgspec.Struct, frozen=True):
    """A file as it was sent."""

    name: str
    data: bytes


class Handed(msgspec.Struct, frozen=True):
    """What became of a file: the id of its document, or why there is none."""

    name: str
    id: str = ""
    problem: str = ""


class _InMemory(MultiPartParser):
    """Nothing of a patient touches the disk before it is stored, and then sealed where the database is."""

    spool_max_size = ALL


async def read_files(request: Request) -> tuple[Form, list[File]]:
    """The fields and the files of a form, none where it is no such form; TooMuchError where there is too much."""
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        return Form(), []
    try:
        sent = await _InMemory(request.headers, _bounded(request.stream()), max_files=MOST + 1, max_fields=10).parse()
    except MultiPartException:
        raise TooMuchError from None
    files = [one for _, one in sent.multi_items() if isinstance(one, UploadFile) and one.filename]
    if len(files) > MOST:
        raise TooMuchError
    fields = tuple((name, value) for name, value in sent.multi_items() if isinstance(value, str))
    return Form(fields), [File(_name(one.filename or ""), await one.read()) for one in files]


async def _bounded(stream: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    seen = 0
    async for piece in stream:
        seen += len(piece)
        if seen > ALL:
            raise TooMuchError
        yield piece


def _name(name: str) -> str:
    """The last part of a file's name, in characters that can be seen."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(char for char in last if char.isprintable()).strip()[:NAME] or "Document"


async def hand_in(desk: Desk, file: File) -> Handed:
    """Store a file as a document; its coding begins with that."""
    try:
        kind = media_type(file.data)
    except Refused as refused:
        return Handed(file.name, problem=refused.text)
    if len(file.data) > LARGEST:
        return Handed(file.name, problem=f"The file is over {LARGEST / 1e6:.0f} MB. Send it in parts.")
    attachment: dict[str, object] = {"contentType": kind, "title": file.name}
    if len(file.data) <= INLINE:
        attachment["data"] = base64.b64encode(file.data).decode()
    else:
        stored = await desk.send("POST", "Binary", body=file.data, headers={"content-type": kind})
        if not stored.ok:
            return Handed(file.name, problem=stored.told())
        attachment["url"] = "Binary/" + stored.headers["location"].split("/_history/")[0].rpartition("/")[2]
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    document = {
        "resourceType": "DocumentReference", "status": "current", "date": now,
        "description": file.name, "content": [{"attachment": attachment}],
    }  # fmt: skip
    made = await desk.send("POST", "DocumentReference", body=document)
    return Handed(file.name, id=str(made.json()["id"])) if made.ok else Handed(file.name, problem=made.told())
