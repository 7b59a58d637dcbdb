"""What SNOMED CT adds to value sets: implied ones, and filters by expression and reference set (https://hl7.org/fhir/R4/snomedct.html)."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

from fhir_profiles.errors import Category, FhirError
from fhir_profiles.systems import SNOMED
from terminology.value_sets.loaded import Loaded
from terminology.value_sets.systems import System

Json = dict[str, Any]
REFERENCE_SETS = "900000000000455006"
_BASE = re.compile(re.escape(SNOMED) + r"(?:/\d{6,18}(?:/version/\d{8})?)?")
_ECL = re.compile(r"[^?|]*\?fhir_vs=ecl/")


def parted(canonical: str) -> tuple[str, str]:
    """URL and version of a canonical; the bars in an expression that a URL holds part nothing."""
    if _ECL.match(canonical):
        return canonical, ""
    url, _, version = canonical.partition("|")
    return url, version


def implied(url: str, version: str) -> Json | None:
    """The set that a URL stands for: all codes, `isa/ID`, `refset`, `refset/ID` or `ecl/EXPRESSION`.

    FhirError for another kind; None for what is no URL of an edition with `?fhir_vs`.
    """
    base, mark, query = url.partition("?fhir_vs")
    if not mark or not _BASE.fullmatch(base):
        return None
    include: Json = {"system": SNOMED}
    if base != SNOMED or version:
        include["version"] = base if base != SNOMED else version
    kind, _, value = query.removeprefix("=").partition("/")
    if kind == "isa" and value:
        include["filter"] = [{"property": "concept", "op": "is-a", "value": value}]
    elif kind == "refset" and value:
        include["filter"] = [{"property": "concept", "op": "in", "value": value}]
    elif kind == "refset":
        include["filter"] = [{"property": "concept", "op": "descendent-of", "value": REFERENCE_SETS}]
    elif kind == "ecl" and value:
        include["filter"] = [{"property": "constraint", "op": "=", "value": unquote(value)}]
    elif query:
        text = "Of implied value sets of SNOMED CT isa/ID, refset, refset/ID and ecl/EXPRESSION are supported"
        raise FhirError.of(Category.UNSUPPORTED, "not-supported", text)
    return {"resourceType": "ValueSet", "url": url, "status": "active", "compose": {"include": [include]}}


def selection(system: System | None, name: str, op: str, value: str) -> Any:
    """What a filter of SNOMED CT selects, tested and listed by the page; None for any other.

    `constraint = EXPRESSION`, `concept in REFSET`, `ATTRIBUTE = CONCEPT`, `expressions = true` or `false`: all
    codes here are pre-coordinated.
    """
    if not isinstance(system, Loaded) or system.file.edition.system != SNOMED:
        return None
    if (name, op) == ("constraint", "="):
        expression = value
    elif name in ("concept", "code") and op == "in" and system.file.has_subset(value):
        expression = f"^{value}"
    elif (name, op) == ("expressions", "="):
        expression = "*"
    elif name.isdigit() and op in ("=", "in"):
        expression = f"* : {name} = ({' OR '.join(value.split(','))})" if op == "in" else f"* : {name} = {value}"
    else:
        return None
    from terminology.ecl.selection import select  # numpy is for those who ask so

    return select(system.file, expression)
