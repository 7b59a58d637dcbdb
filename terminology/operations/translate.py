"""`ConceptMap/$translate`, with R4's parameter names and R5's (https://hl7.org/fhir/R4/conceptmap-operation-translate.html)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from fhir_profiles.errors import Category
from terminology.effort import step
from terminology.operations.call import Call, answer, wrong
from terminology.operations.issues import Issue, refused
from terminology.operations.loaded_maps import fitting, meanings
from terminology.operations.shelf import Library, Shelf
from terminology.operations.versions import agrees

if TYPE_CHECKING:
    from terminology.maps import MapFile
    from terminology.terminology import Terminology

Json = dict[str, Any]
OF_TRANSLATE = frozenset({
    "url", "conceptMap", "conceptMapVersion", "code", "system", "version", "source", "coding", "codeableConcept",
    "target", "targetsystem", "reverse", "sourceCode", "sourceSystem", "sourceVersion", "sourceScope", "sourceCoding",
    "sourceCodeableConcept", "targetCode", "targetCoding", "targetCodeableConcept", "targetScope", "targetSystem",
})  # fmt: skip
_R5 = tuple(sorted(name for name in OF_TRANSLATE if name.startswith(("source", "target")) and name[6:7].isupper()))
CONDITIONS = 20
"""Conditions of maps that a message names."""

_NO_MATCH = frozenset(("unmatched", "disjoint"))
_TURNED = {"wider": "narrower", "narrower": "wider", "subsumes": "specializes", "specializes": "subsumes"}


def translate(call: Call, library: Library, instance: Json | None = None) -> Json:
    """`result` and one `match` for each concept that a map gives; FhirError when there is no map to ask."""
    call.only(OF_TRANSLATE)
    reverse = bool(call.flag("reverse")) or any(call.all(f"target{x}") for x in ("Code", "Coding", "CodeableConcept"))
    codings = _asked(call, "target" if any(call.all(f"target{x}") for x in ("Code", "Coding")) else "source")
    wanted = call.text("targetsystem") or call.text("targetSystem")
    shelf = Shelf(library, call, [])
    codings = [{**coding, "system": shelf.canonical(coding["system"])} for coding in codings]
    origin = "originMap" if any(call.all(name) for name in _R5) else "source"
    inline = instance or call.value("conceptMap")
    terminology = library.terminology
    loaded = () if inline else _loaded(call, terminology)
    maps = list(_maps(call, shelf, inline, known=bool(loaded)))
    matches = [
        match
        for concept_map in maps
        for coding in codings
        for match in _matches(concept_map, coding, wanted, origin, reverse=reverse)
    ]
    conditions: list[str] = []
    if terminology is not None:
        for one in loaded:
            for coding in codings:
                for match, when in meanings(terminology, one, coding, wanted, origin, reverse=reverse):
                    matches.append(match)
                    conditions += when
    unique = list({msgspec.json.encode(m): m for m in matches}.values())
    found = any(not _NO_MATCH & {p.get("valueCode") for p in m["part"]} for m in unique)
    return answer(
        {"name": "result", "valueBoolean": found}, *_told(found, unique, bool(maps or loaded), conditions), *unique
    )


def _told(found: bool, matches: list[Json], asked: bool, conditions: list[str]) -> list[Json]:
    """Why there is no mapping, or on what it depends."""
    text = "No mapping of the code was found"
    if found:
        text = (
            f"Which mapping holds depends: {'; '.join([*dict.fromkeys(conditions)][:CONDITIONS])}" if conditions else ""
        )
    elif matches:
        text = "The map says that the code has no counterpart"
    elif not asked:
        text = "No concept map is known that fits: load one, or send it as conceptMap"
    return [{"name": "message", "valueString": text}] if text else []


def _loaded(call: Call, terminology: Terminology | None) -> tuple[MapFile, ...]:
    """The maps of official files to ask."""
    url, _, version = (call.text("url") or "").partition("|")
    source, target = call.text("source") or call.text("sourceScope"), call.text("target") or call.text("targetScope")
    return fitting(terminology, url, version or call.text("conceptMapVersion") or "", source, target)


def _asked(call: Call, side: str) -> list[Json]:
    concept = call.value("codeableConcept") or call.value(f"{side}CodeableConcept")
    coding = call.value("coding") or call.value(f"{side}Coding")
    code = call.text("code") or call.text(f"{side}Code")
    if concept is not None:
        found = [c for c in concept.get("coding", ()) if isinstance(c, dict)]
    elif coding is not None:
        found = [coding]
    else:
        # R5 names the system of a target code as it names that of a source code
        system = call.text("system") or call.text("sourceSystem") if side == "source" else call.text("targetSystem")
        found = [{"system": system, "code": code, "version": call.text("version")}]
    if not found or not all(c.get("code") and c.get("system") for c in found):
        raise wrong("Send a code with its system, a coding or a codeableConcept.", "code")
    return found


def _maps(call: Call, shelf: Shelf, inline: Json | None, *, known: bool) -> Iterator[Json]:
    """The maps to ask: the one named, else all that fit the value sets that are named."""
    if inline is not None:
        yield inline
        return
    url, _, version = (call.text("url") or "").partition("|")
    version = version or call.text("conceptMapVersion") or ""
    source, target = call.text("source") or call.text("sourceScope"), call.text("target") or call.text("targetScope")
    stored = [m for m in shelf.concept_maps() if not url or m.get("url") == url]
    stored = [m for m in stored if not version or agrees(version, m.get("version"))]
    if url and not stored and not known:
        text = "A definition for the concept map could not be found"
        raise refused(Category.NOT_FOUND, Issue("error", "not-found", text, "url", "not-found"))
    for one in stored:
        ends = (
            {one.get(k) for k in ("sourceUri", "sourceCanonical")},
            {one.get(k) for k in ("targetUri", "targetCanonical")},
        )
        if (not source or source in ends[0]) and (not target or target in ends[1]):
            yield one


def _matches(concept_map: Json, coding: Json, wanted: str | None, origin_name: str, *, reverse: bool) -> Iterator[Json]:
    name = concept_map.get("url", "")
    told = f"{name}|{concept_map['version']}" if concept_map.get("version") else name
    key = "valueUri" if origin_name == "source" else "valueCanonical"
    origin = [{"name": origin_name, key: told}] if told else []
    for group in concept_map.get("group", ()):
        here, there = ("target", "source") if reverse else ("source", "target")
        if group.get(here) != coding["system"] or (wanted and not reverse and group.get(there) != wanted):
            continue
        hit = False
        for code, display, equivalence in _pairs(group, coding["code"], reverse=reverse):
            hit = True
            concept = {"system": group.get(there), "code": code, "display": display}
            if reverse and origin_name == "originMap":
                yield _sourced(concept, {"system": group.get(here), "code": coding["code"]}, equivalence, origin)
            else:
                yield _match(concept, equivalence, origin)
        if not hit and not reverse:
            yield from _unmapped(group, coding, origin)


def _pairs(group: Json, code: str, *, reverse: bool) -> Iterator[tuple[str | None, str | None, str]]:
    for element in group.get("element", ()):
        for target in element.get("target", ()):
            step()
            equivalence = str(target.get("equivalence", "equivalent"))
            if not reverse and element.get("code") == code:
                yield target.get("code"), target.get("display"), equivalence
            elif reverse and target.get("code") == code:
                yield element.get("code"), element.get("display"), _TURNED.get(equivalence, equivalence)


def _unmapped(group: Json, coding: Json, origin: list[Json]) -> Iterator[Json]:
    said = group.get("unmapped", {})
    if said.get("mode") == "provided":
        yield _match({"system": group.get("target"), "code": coding["code"]}, "equal", origin)
    elif said.get("mode") == "fixed" and said.get("code"):
        yield _match(
            {"system": group.get("target"), "code": said["code"], "display": said.get("display")}, "inexact", origin
        )


def _sourced(found: Json, asked: Json, equivalence: str, origin: list[Json]) -> Json:
    """A match as R5 tells it to who names the target: the target is the concept, and the source is told beside it."""
    source = {"name": "source", "valueCoding": {k: v for k, v in found.items() if v}}
    return _match(asked, _TURNED.get(equivalence, equivalence), [*origin, source])


def _match(concept: Json, equivalence: str, origin: list[Json]) -> Json:
    parts: list[Json] = [{"name": "equivalence", "valueCode": equivalence}]
    if concept.get("code"):
        parts.append({"name": "concept", "valueCoding": {k: v for k, v in concept.items() if v}})
    return {"name": "match", "part": [*parts, *origin]}
