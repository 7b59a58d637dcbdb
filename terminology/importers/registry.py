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
    Importer(
        "cpt",
        "CPT",
        "LONGULT.txt, with MEDU.txt, SHORTU.txt, ConsumerDescriptor.txt, ClinicianDescriptor.txt and MODUL.txt",
        "cpt",
        licence="the American Medical Association",
    ),
    Importer("loinc", "LOINC", "Loinc_N.NN.zip, the folder of it, or Loinc.csv alone", "loinc"),
    Importer("rxnorm", "RxNorm", "RxNorm_full_MMDDYYYY.zip, or its folder rrf", "rxnorm"),
    Importer("ndc", "National Drug Code Directory", "ndctext.zip with product.txt and package.txt", "ndc"),
    Importer("cvx", "CVX vaccine codes", "cvx.txt, and VG.txt, TRADENAME.txt, mvx.txt where you have them", "cvx"),
    Importer("nucc", "Health Care Provider Taxonomy", "nucc_taxonomy_VVV.csv", "nucc"),
)
"""In the order of the help."""


def importer_of(name: str) -> Importer | None:
    """The importer of a name."""
    return next((i for i in IMPORTERS if i.name == name.lower()), None)
