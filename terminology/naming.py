"""The other names of code systems: OIDs, `https:` forms, and what NamingSystem resources say.

https://hl7.org/fhir/R4/terminologies-systems.html and https://hl7.org/fhir/R4/namingsystem.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from fhir_profiles.systems import OID, OIDS, OTHER_NAMES, UUID
from terminology.core import core

Json = dict[str, Any]

WELL_KNOWN: Mapping[str, str] = {
    **{f"{OID}{oid}": system for oid, system in OIDS.items()},
    **{
        system.replace("http:", "https:", 1): system
        for system in {*OIDS.values(), *OTHER_NAMES.values()}
        if system.startswith("http:")
    },
    **OTHER_NAMES,
}
"""Other name → the URI that FHIR asks for."""


def well_known(name: str) -> str | None:
    """The URI of a code system that is given by a name which HL7 has registered."""
    found = WELL_KNOWN.get(name)
    return core().oids.get(name) if found is None and name.startswith(OID) else found


def named(resources: Iterable[Json]) -> dict[str, str]:
    """Other name → URI, as NamingSystem resources for code systems have it.

    The URI is the preferred one, else the first, else what an OID is known to stand for. A well-known URI is never
    taken for the name of something else.
    """
    found: dict[str, str] = {}
    for resource in resources:
        if resource.get("kind") != "codesystem" or resource.get("status") == "retired":
            continue
        names = [(_uri(one), one.get("preferred") is True, one.get("type")) for one in resource.get("uniqueId") or ()]
        uris = sorted((not preferred, n, uri) for n, (uri, preferred, type_) in enumerate(names) if type_ == "uri")
        known = (one for uri, _, _ in names if (one := well_known(uri)) is not None)
        target = uris[0][2] if uris else next(known, None)
        if target:
            found |= {uri: target for uri, _, _ in names if uri and uri != target and uri not in _TAKEN}
    return found


def _uri(unique: Json) -> str:
    prefix = {"oid": OID, "uuid": UUID}.get(str(unique.get("type")), "")
    value = str(unique.get("value") or "")
    return value if value.startswith(prefix) else f"{prefix}{value}"


_TAKEN = frozenset(WELL_KNOWN.values())
