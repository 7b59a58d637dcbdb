"""What can be loaded: a name, what files to give, and the module that reads them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import import_module

from terminology.importers.given import Given
from terminology.source import MapSource, Source

Read = Callable[[Given], Iterable[Source | MapSource]]


@dataclass(frozen=True, slots=True)
class Importer:
    """One kind of official file. `module` has a function `read(given)`; it is imported when it is used."""

    name: str  # as it is typed
    title: str
    files: str  # what to give, for the help
    module: str
    licence: str | None = None
    """Whose licence the person must say to have: then `--accept-licence` is asked for."""

    @property
    def read(self) -> Read:
        """The reader: FhirError with file, line and column for a damaged file."""
        found: Read = import_module(f"terminology.importers.{self.module}").read
        return found


IMPORTERS: tuple[Importer, ...] = (
    Importer("icd10cm", "ICD-10-CM", "icd10cm_order_YYYY.txt", "icd10cm_order"),
    Importer("hcpcs", "HCPCS Level II", "HCPCyyyy_MMM_ANWEB.txt, .csv or .xlsx, or the zip of the release", "hcpcs"),
)
"""In the order of the help."""


def importer_of(name: str) -> Importer | None:
    """The importer of a name."""
    return next((i for i in IMPORTERS if i.name == name.lower()), None)
