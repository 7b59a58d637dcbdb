"""Read the National Drug Code Directory of the FDA (https://www.fda.gov/drugs/drug-approvals-and-databases/national-drug-code-directory).

`product.txt` (20 columns) and `package.txt` (8) are parted by tabs under a header, in cp1252. Codes are those of the
files, ten digits with hyphens; packages lie below their product and carry their eleven digits as a name and a property.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import Any

from fhir_profiles.systems import NDC
from terminology.importers.days import day_of, read_day
from terminology.importers.given import Given, Member, refusal, refuse
from terminology.importers.rows import Row, table
from terminology.importers.stamp import stamp
from terminology.ndc import normalise, normalise_product
from terminology.source import Name, PropertyDef, Source, SourceConcept

READER = "ndc 1"
PRODUCT = (
    "PRODUCTID", "PRODUCTNDC", "PRODUCTTYPENAME", "PROPRIETARYNAME", "PROPRIETARYNAMESUFFIX", "NONPROPRIETARYNAME",
    "DOSAGEFORMNAME", "ROUTENAME", "STARTMARKETINGDATE", "ENDMARKETINGDATE", "MARKETINGCATEGORYNAME",
    "APPLICATIONNUMBER", "LABELERNAME", "SUBSTANCENAME", "ACTIVE_NUMERATOR_STRENGTH", "ACTIVE_INGRED_UNIT",
    "PHARM_CLASSES", "DEASCHEDULE", "NDC_EXCLUDE_FLAG", "LISTING_RECORD_CERTIFIED_THROUGH",
)  # fmt: skip
PACKAGE = (
    "PRODUCTID", "PRODUCTNDC", "NDCPACKAGECODE", "PACKAGEDESCRIPTION", "STARTMARKETINGDATE", "ENDMARKETINGDATE",
    "NDC_EXCLUDE_FLAG", "SAMPLE_PACKAGE",
)  # fmt: skip
_SEMICOLON = re.compile(r";\s*")
_SAID = {
    "product-type": ("PRODUCTTYPENAME", None),
    "dosage-form": ("DOSAGEFORMNAME", None),
    "route": ("ROUTENAME", _SEMICOLON),
    "marketing-category": ("MARKETINGCATEGORYNAME", None),
    "application-number": ("APPLICATIONNUMBER", None),
    "labeler": ("LABELERNAME", None),
    "substance": ("SUBSTANCENAME", _SEMICOLON),
    "pharmacologic-class": ("PHARM_CLASSES", re.compile(r"(?<=\]),\s*")),
    "dea-schedule": ("DEASCHEDULE", None),
}
"""Property → column, and what parts its values."""

PROPERTIES = (
    *(PropertyDef(name, "string") for name in _SAID),
    PropertyDef("strength", "string", None, "Of each substance, in their order"),
    PropertyDef("ndc11", "code", None, "The eleven digits (5-4-2) of a package, as claims want them"),
    PropertyDef("sample", "boolean", None, "The package is a sample"),
)
_DATED = re.compile(r"(20\d{6})")


def read(given: Given) -> list[Source]:
    """The directory of a day, which the name of the file, the folder or the archive carries, or the person says."""
    products = given.need(r"products?\.txt", "The file product.txt")
    packages = given.find(r"packages?\.txt")
    if packages is None:
        raise refusal("The file package.txt is missing")
    version = given.version or _day_in_name(given)
    if version is None:
        raise refusal("The files of the FDA carry no day: say --version YYYYMMDD, the day of the directory")
    made = stamp(READER, (products, packages), version, given.start, given.end)
    return [
        Source(
            name="ndc",
            system=NDC,
            version=version,
            title="National Drug Code Directory",
            start=given.start or read_day(version, "%Y%m%d"),
            end=given.end,
            content="complete",
            origin=f"FDA files {products.short} and {packages.short}",
            licence="US government work",
            fingerprint=made.fingerprint,
            concepts=partial(_concepts, products, packages),
            properties=PROPERTIES,
            files=made.files,
        )
    ]


def _day_in_name(given: Given) -> str | None:
    found = [m[1] for path in given.paths if (m := _DATED.search(path.name)) and read_day(m[1], "%Y%m%d")]
    return found[-1] if found else None


def _concepts(products: Member, packages: Member) -> Iterator[SourceConcept]:
    displays: dict[str, str] = {}
    for concept in _products(products):
        displays[concept.code] = concept.display
        yield concept
    if not displays:
        refuse(products, 2, 1, "the file has no products")
    yield from _packages(packages, displays)


def _products(member: Member) -> Iterator[SourceConcept]:
    """One concept a product code; of several listings of one code the first speaks."""
    listings: set[str] = set()
    seen: set[str] = set()
    for row in table(member, PRODUCT, delimiter="\t", encoding="cp1252", quoted=False):
        code, listing = row["PRODUCTNDC"], row["PRODUCTID"]
        if normalise_product(code) is None:
            row.refuse("PRODUCTNDC", "a product code is expected: 4-4, 5-3 or 5-4 digits with a hyphen")
        if not listing.startswith(f"{code}_"):
            row.refuse("PRODUCTID", "the product code, _ and the id of the listing are expected")
        if listing in listings:
            row.refuse("PRODUCTID", "the listing stands twice")
        if not (row["PROPRIETARYNAME"] or row["NONPROPRIETARYNAME"]):
            row.refuse("PROPRIETARYNAME", "a name is expected")
        listings.add(listing)
        concept = _product(row)
        if code not in seen:
            seen.add(code)
            yield concept


def _product(row: Row) -> SourceConcept:
    brand = f"{row['PROPRIETARYNAME']} {row['PROPRIETARYNAMESUFFIX']}".strip()
    generic, form = row["NONPROPRIETARYNAME"], row["DOSAGEFORMNAME"]
    numbers, units = (_SEMICOLON.split(row[n]) for n in ("ACTIVE_NUMERATOR_STRENGTH", "ACTIVE_INGRED_UNIT"))
    strengths = [f"{n} {u}".strip() for n, u in zip(numbers, units, strict=False) if n]
    shown = brand or generic
    if generic and generic.casefold() != shown.casefold():
        shown += f" ({generic})"
    properties: dict[str, Any] = {}
    for name, (column, parted) in _SAID.items():
        if text := row[column]:
            properties[name] = parted.split(text) if parted else text
    if strengths:
        properties["strength"] = strengths
    return SourceConcept(
        row["PRODUCTNDC"],
        " ".join(filter(None, (shown, "; ".join(strengths), form.lower()))),
        active=row["NDC_EXCLUDE_FLAG"] in ("", "N"),
        names=tuple(
            Name(text, kind) for text, kind in ((brand, "brand"), (generic, "synonym")) if text and text != shown
        ),
        properties=properties,
        start=day_of(row, "STARTMARKETINGDATE"),
        end=day_of(row, "ENDMARKETINGDATE"),
    )


def _packages(member: Member, displays: dict[str, str]) -> Iterator[SourceConcept]:
    seen: set[str] = set()
    for row in table(member, PACKAGE, delimiter="\t", encoding="cp1252", quoted=False):
        code, product = row["NDCPACKAGECODE"], row["PRODUCTNDC"]
        eleven = normalise(code)
        if eleven is None or "-" not in code:
            row.refuse("NDCPACKAGECODE", "a package code is expected: 4-4-2, 5-3-2 or 5-4-1 digits with hyphens")
        if product not in displays:
            row.refuse("PRODUCTNDC", "the product is none of product.txt")
        if not code.startswith(f"{product}-"):
            row.refuse("NDCPACKAGECODE", "the package code must begin with the code of its product")
        if not row["PACKAGEDESCRIPTION"]:
            row.refuse("PACKAGEDESCRIPTION", "a description is expected")
        if row["SAMPLE_PACKAGE"] not in ("", "Y", "N"):
            row.refuse("SAMPLE_PACKAGE", "Y or N is expected")
        start, end = day_of(row, "STARTMARKETINGDATE"), day_of(row, "ENDMARKETINGDATE")
        if code in seen:
            continue
        seen.add(code)
        yield SourceConcept(
            code,
            f"{displays[product]}: {row['PACKAGEDESCRIPTION']}",
            (product,),
            active=row["NDC_EXCLUDE_FLAG"] in ("", "N"),
            names=(Name(eleven, "short"),),
            properties={"ndc11": eleven, **({"sample": True} if row["SAMPLE_PACKAGE"] == "Y" else {})},
            start=start,
            end=end,
        )
