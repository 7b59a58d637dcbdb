"""What can be loaded: a name, what files to give, and the module that reads them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import import_module

from claims.tables.store import TableSource
from terminology.importers.given import Given

Read = Callable[[Given], Iterable[TableSource]]


@dataclass(frozen=True, slots=True)
class Importer:
    """One kind of official file. `module` has a function `read(given)`; it is imported when it is used."""

    name: str  # as it is typed
    title: str
    files: str  # what to give, for the help
    module: str

    @property
    def read(self) -> Read:
        """The reader: FhirError with file, line and column for a damaged file."""
        found: Read = import_module(f"claims.importers.{self.module}").read
        return found


IMPORTERS: tuple[Importer, ...] = (
    Importer("pprrvu", "Medicare physician fee schedule", "PPRRVUyy_MMM.csv or .txt, or the zip RVUyyX", "pprrvu"),
    Importer("gpci", "Geographic practice cost indices", "GPCIyyyy.csv", "gpci"),
    Importer("zip5", "ZIP codes and their Medicare localities", "ZIP5_MMMyyyy.txt", "zip5"),
    Importer("anes", "Anaesthesia conversion factors", "ANESyyyy.csv", "anes"),
    Importer("oppscap", "OPPS imaging caps", "OPPSCAP_MMM.csv", "oppscap"),
    Importer("pfall", "Published prices, to check the fee schedule against", "PFALLyyX.txt or PFREVyyX.txt", "pfall"),
    Importer("mue", "Medically unlikely edits", "MCR_MUE_…Services_Eff_MM-DD-YYYY.csv, one or all settings", "mue"),
    Importer("ptp", "NCCI procedure to procedure edits", "ccipra-v…-f1 to f4.txt, ccioph-v…-f1 to f4.txt", "ptp"),
    Importer("asp", "Average sales prices of drugs", "MONTH yyyy ASP Pricing File.csv", "asp"),
    Importer("clfs", "Clinical laboratory fee schedule", "CLFS yyyy Qn.csv or .txt", "clfs"),
    Importer("addon", "Add-on code edits", "AOC_V….txt", "addon"),
)
"""In the order of the help."""


def importer_of(name: str) -> Importer | None:
    """The importer of a name."""
    return next((i for i in IMPORTERS if i.name == name.lower()), None)
