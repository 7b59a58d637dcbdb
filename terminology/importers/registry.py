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
    Importer(
        "icd10cm",
        "ICD-10-CM",
        "folder or zip of the release: icd10cm_tabular_YYYY.xml, icd10cm_order_YYYY.txt, icd10cm_index_YYYY.xml, "
        "icd10cm_neoplasm_YYYY.xml, icd10cm_drug_YYYY.xml, icd10cm_eindex_YYYY.xml; the tabular list, the order file "
        "or an index also alone",
        "icd10cm",
    ),
    Importer(
        "icd10pcs",
        "ICD-10-PCS",
        "icd10pcs_order_YYYY.txt, icd10pcs_tables_YYYY.xml, icd10pcs_index_YYYY.xml; or the zips",
        "icd10pcs",
    ),
    Importer("gems", "General Equivalence Mappings", "2018_I9gem.txt, 2018_I10gem.txt, gem_i9pcs.txt …", "gems"),
    Importer("hcpcs", "HCPCS Level II", "HCPCyyyy_MMM_ANWEB.txt, .csv or .xlsx, or the zip of the release", "hcpcs"),
    Importer(
        "cpt",
        "CPT",
        "LONGULT.txt, with MEDU.txt, SHORTU.txt, ConsumerDescriptor.txt, ClinicianDescriptor.txt and MODUL.txt",
        "cpt",
        licence="the American Medical Association",
    ),
    Importer("pprrvu", "CPT and HCPCS in the physician fee schedule", "PPRRVUyy_MMM.csv or .txt", "pprrvu"),
    Importer(
        "x12",
        "X12 code lists: CARC, RARC, claim status and its categories",
        "carc, rarc, claim-status-category, claim-status-codes as .html (saved page), .csv, .txt or .xlsx",
        "x12",
    ),
    Importer("loinc", "LOINC", "Loinc_N.NN.zip, the folder of it, or Loinc.csv alone", "loinc"),
    Importer("rxnorm", "RxNorm", "RxNorm_full_MMDDYYYY.zip, or its folder rrf", "rxnorm"),
    Importer("ndc", "National Drug Code Directory", "ndctext.zip with product.txt and package.txt", "ndc"),
    Importer("cvx", "CVX vaccine codes", "cvx.txt, and VG.txt, TRADENAME.txt, mvx.txt where you have them", "cvx"),
    Importer("nucc", "Health Care Provider Taxonomy", "nucc_taxonomy_VVV.csv", "nucc"),
    Importer(
        "snomed",
        "SNOMED CT",
        "the release zip, or its Snapshot folder (RF2)",
        "snomed",
        licence="SNOMED International or your national release centre",
    ),
)
"""In the order of the help."""


def importer_of(name: str) -> Importer | None:
    """The importer of a name."""
    return next((i for i in IMPORTERS if i.name == name.lower()), None)
