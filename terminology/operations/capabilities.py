"""What the terminology operations do and know, as TerminologyCapabilities (https://hl7.org/fhir/R4/terminologycapabilities.html)."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from terminology.core import core
from terminology.operations.call import SHARED
from terminology.operations.expand import OF_EXPAND
from terminology.operations.shelf import Library
from terminology.value_sets.systems import GRAMMARS

Json = dict[str, Any]


def terminology_capabilities(library: Library, base_url: str, version: str, date: str) -> Json:
    """The TerminologyCapabilities of a server at `base_url`; stored code systems come and go and are not promised."""
    taken = sorted(name for name in {*OF_EXPAND, *SHARED} - {"uuid"} if not name.startswith("_"))
    return {
        "resourceType": "TerminologyCapabilities",
        "url": f"{base_url}/metadata?mode=terminology",
        "version": version,
        "name": "FhirwrightTerminologyCapabilities",
        "title": "What fhirwright knows of terminology",
        "status": "active",
        "date": date,
        "kind": "instance",
        "software": {"name": "fhirwright", "version": version},
        "implementation": {"description": "fhirwright FHIR R4 server", "url": base_url},
        "lockedDate": False,
        "codeSystem": [_told(library, url) for url in systems(library)],
        "expansion": {
            "hierarchical": True,
            "paging": True,
            "incomplete": False,
            "parameter": [{"name": name} for name in taken],
            "textFilter": "Each word of the text begins a word of a name of the concept, or the text begins its code.",
        },
        "codeSearch": "all",
        "validateCode": {"translations": True},
        "translation": {"needsMap": True},
        "closure": {"translation": False},
    }


def systems(library: Library) -> list[str]:
    """The URLs of the code systems that are here for good."""
    loaded = library.terminology.systems if library.terminology is not None else ()
    return sorted({*core().systems, *loaded, *GRAMMARS})


def _told(library: Library, url: str) -> Json:
    terminology = library.terminology
    editions = terminology.editions(url) if terminology is not None else ()
    if not editions:
        version = _published().get(url)
        return {"uri": url, "version": [{"code": version, "isDefault": True}]} if version else {"uri": url}
    newest = editions[-1].version
    return {"uri": url, "version": [{"code": e.version, "isDefault": e.version == newest} for e in editions]}


@lru_cache(maxsize=1)
def _published() -> dict[str, str | None]:
    """The versions of the published code systems."""
    return {url: found.version for url in core().systems if (found := core().code_system(url)) is not None}


def versions(base: str = "4.0") -> Json:
    """The answer of `$versions`: the FHIR versions that the server speaks."""
    told = [{"name": "version", "valueCode": base}, {"name": "default", "valueCode": base}]
    return {"resourceType": "Parameters", "parameter": told}
