"""What tells one load from another: the content of the files, the reader, and what the person said of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import NamedTuple

from terminology.importers.given import Member


class Stamp(NamedTuple):
    """`fingerprint` is equal for equal content; `files` holds the name and SHA-256 of each file."""

    fingerprint: str
    files: tuple[tuple[str, str], ...]


def stamp(reader: str, members: Iterable[Member | None], *said: object) -> Stamp:
    """The stamp of what `reader` (a name and its version, raised when it reads differently) makes of some files."""
    files = tuple((member.short, member.sha256()) for member in members if member is not None)
    text = "\n".join((reader, *map(str, said), *(f"{name} {digest}" for name, digest in files)))
    return Stamp(hashlib.sha256(text.encode()).hexdigest(), files)
