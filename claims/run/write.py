"""Write a file of the output whole or not at all, and say in words why that cannot be."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fhir_profiles.errors import Category, FhirError

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_SHUT = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR)


def write(path: Path, content: bytes) -> None:
    """A file that appears when it is whole and on the disk. FhirError when the disk is full or may not be written."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with told():
        try:
            with temporary.open("wb") as file:
                file.write(content)
                file.flush()
                if content:  # of an empty file there is nothing to lose
                    os.fsync(file.fileno())
            temporary.replace(path)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise


@contextmanager
def told() -> Iterator[None]:
    """Faults of the disk below the output as FhirError."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            text = "There is no room left for the output. Make room and run again: what is done is kept"
        elif error.errno in _SHUT:
            text = "The folder for the output cannot be written: name another, or let this user write to it"
        else:
            text = f"The output cannot be written: {error.strerror}. Put it right and run again: what is done is kept"
        raise FhirError.of(Category.UNAVAILABLE, "no-store", text) from error
