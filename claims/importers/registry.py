"""What can be loaded: a name, what files to give, and the module that reads them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from importlib import import_module

from claims.tables.schema import TABLES
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
    table: str = ""
    """Of a list of the user's own, the table that it is."""

    @property
    def read(self) -> Read:
        """The reader: FhirError with file, line and column for a damaged file."""
        found = import_module(f"claims.importers.{self.module}").read
        read: Read = partial(found, self.table) if self.table else found
        return read


COUNTED = {"panel": ("parts",)}
"""Table → values that are counted, not written."""


def _columns(name: str) -> str:
    values = (value for value in TABLES[name].values if value not in COUNTED.get(name, ()))
    return f"{name}-YYYY-MM-DD.csv: {', '.join((*TABLES[name].keys, *values))}"


LISTS = (
    "payer", "policy", "coverage", "diagnosis_edit", "procedure_edit", "nubc", "bill_type", "revenue", "revenue_hcpcs",
    "authorisation", "authorised", "ordered", "nppes", "excluded", "ordering", "registered", "taxonomy_service",
    "visit_share", "frequency", "code_limit", "code_site", "laboratory", "department", "telehealth", "clia", "dmepos",
    "asc", "opps", "preventive", "drug", "drug_ndc", "panel",
)  # fmt: skip
"""Tables that are loaded from lists of the user's own (claims/importers/listed.py)."""

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
    Importer("locco", "Names and counties of Medicare's localities", "yyLOCCO.csv", "locco"),
    Importer("anesbase", "Anaesthesia base units", "Anesthesia-Base-Units-yyyy.csv", "anesbase"),
    Importer("ioce", "Edits of the outpatient code editor", "DSC_Edit.txt", "ioce"),
    *(Importer(name, TABLES[name].title, _columns(name), "listed", name) for name in LISTS),
)
"""In the order of the help."""


def importer_of(name: str) -> Importer | None:
    """The importer of a name."""
    return next((i for i in IMPORTERS if i.name == name.lower()), None)
