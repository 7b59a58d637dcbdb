"""What a code means: code systems as read-only files (https://hl7.org/fhir/R4/terminology-module.html).

`build(dir)` makes the files from the installed sources, `open_terminology(dir)` opens them in well under 5 ms.
"""

from __future__ import annotations

from pathlib import Path

from terminology.build import build
from terminology.model import Concept, Edition, Term, Validation
from terminology.source import Progress
from terminology.terminology import Terminology, open_terminology


def ensure_terminology(dir: Path | str, progress: Progress | None = None) -> Terminology:
    """The terminology of a data directory, built first where it is missing or made by another version."""
    build(dir, progress)
    return open_terminology(dir)


__all__ = ["Concept", "Edition", "Term", "Terminology", "Validation", "build", "ensure_terminology", "open_terminology"]
