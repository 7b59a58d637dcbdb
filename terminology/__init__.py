"""What a code means: code systems as read-only files (https://hl7.org/fhir/R4/terminology-module.html).

`build(dir)` makes the files from the installed sources, `open_terminology(dir)` opens them in well under 5 ms.
"""

from __future__ import annotations

from terminology.build import build
from terminology.model import Concept, Edition, Term, Validation
from terminology.terminology import Terminology, open_terminology

__all__ = ["Concept", "Edition", "Term", "Terminology", "Validation", "build", "open_terminology"]
