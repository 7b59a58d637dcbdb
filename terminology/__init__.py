"""What a code means: code systems as read-only files (https://hl7.org/fhir/R4/terminology-module.html).

`open()` opens those of the data directory in well under 5 ms; `build(dir)` makes them from the installed sources.
"""

from __future__ import annotations

import os
from pathlib import Path

from terminology.build import build
from terminology.model import Concept, Edition, Term, Validation
from terminology.source import Progress
from terminology.terminology import Terminology, open_terminology


def open(dir: Path | str | None = None) -> Terminology:
    """The terminology of a data directory: without one that of `FHIRWRIGHT_DATA`, else `var`, as for the server."""
    return open_terminology(dir or os.environ.get("FHIRWRIGHT_DATA") or "var")


def ensure_terminology(dir: Path | str, progress: Progress | None = None) -> Terminology:
    """The terminology of a data directory, built first where it is missing or made by another version."""
    build(dir, progress)
    return open_terminology(dir)


__all__ = [
    "Concept",
    "Edition",
    "Term",
    "Terminology",
    "Validation",
    "build",
    "ensure_terminology",
    "open",
    "open_terminology",
]
