"""The parts of our resources that a review reads: codings with evidence, tags, decisions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, get_args

from fhir_profiles.systems import (
    CODING_BASIS,
    CODING_DECISION,
    CODING_GAP,
    CODING_REPLACED,
    CONFIDENCE,
    CONSIDERED,
    CPT,
    DERIVATION_REFERENCE,
    EVIDENCE_BOX,
    HCPCS,
    ICD10CM,
    ICD10PCS,
    REJECTION_REASON,
    REVIEW_ROLE,
    REVIEW_TAG,
)
from server.review.model import Alternative, Decided, Gap, Json, Place, State

CODED = {"Condition": (ICD10CM,), "Procedure": (CPT, HCPCS, ICD10PCS)}
STATES = tuple(state for state in get_args(State) if state != "suggested")
_NUMBERS = ("left", "top", "width", "height")
_VALUES = frozenset({"valueString", "valueInteger", "valueDecimal", "valueCoding", "valuePositiveInt", "valueCode"})


def reference_of(resource: Mapping[str, Any]) -> str:
    """`Type/ID`."""
    return f"{resource['resourceType']}/{resource.get('id', '')}"


def version_of(resource: Mapping[str, Any]) -> str:
    """The version of a stored resource; "" for one that is not stored."""
    return str((resource.get("meta") or {}).get("versionId", ""))


def coding_of(resource: Mapping[str, Any]) -> Json | None:
    """The coding of a Condition or Procedure that says what it is; None where it has none that is claimed."""
    systems = CODED[resource["resourceType"]]
    found: list[Json] = (resource.get("code") or {}).get("coding") or []
    for one in found:
        if one.get("system") in systems and one.get("code"):
            return one
    return None


def tags_of(resource: Mapping[str, Any]) -> set[str]:
    """The codes of its review tags."""
    tags = (resource.get("meta") or {}).get("tag") or ()
    return {tag.get("code", "") for tag in tags if tag.get("system") == REVIEW_TAG}


def places_of(extensions: list[Json]) -> tuple[Place, ...]:
    """Where the words stand: a place for each box, or one for a span without boxes."""
    places: list[Place] = []
    span: tuple[int, int] | None = None
    boxed = True
    for extension in extensions:
        url = extension.get("url")
        if url == DERIVATION_REFERENCE:
            if not boxed and span:
                places.append(Place(*span))
            parts = parts_of(extension)
            span, boxed = (int(parts.get("offset", 0)), int(parts.get("length", 0))), False
        elif url == EVIDENCE_BOX and span:
            parts = parts_of(extension)
            left, top, width, height = (float(parts.get(name, 0)) for name in _NUMBERS)
            page, text = int(parts.get("page", 1)), str(parts.get("text", ""))
            places.append(Place(*span, page, left, top, width, height, text))
            boxed = True
    if not boxed and span:
        places.append(Place(*span))
    return tuple(places)


def parts_of(extension: Mapping[str, Any]) -> Json:
    """The simple values of a complex extension by their names; the last of several."""
    found = {}
    for part in extension.get("extension") or ():
        for name in part:
            if name in _VALUES:
                found[part["url"]] = part[name]
                break
    return found


class Basis(NamedTuple):
    """What a code rests on beside its words; `status` is what the machine made of it, "" for a person's code."""

    status: str = ""
    rule: str = ""
    section: str = ""
    triggers: tuple[str, ...] = ()


def basis_of(extensions: list[Json]) -> Basis:
    """What the machine's code rests on, also where a person replaced it."""
    basis = next((one for one in extensions if one.get("url") == CODING_BASIS), None)
    if basis is None:
        replaced = next((one for one in extensions if one.get("url") == CODING_REPLACED), None)
        return basis_of(replaced["valueCoding"].get("extension") or []) if replaced else Basis()
    parts = parts_of(basis)
    triggers = tuple(p["valueString"] for p in basis["extension"] if p["url"] == "trigger" and "valueString" in p)
    status, rule, section = (str(parts.get(name, "")) for name in ("status", "rule", "section"))
    return Basis(status, rule, section, triggers)


def confidence_of(extensions: list[Json]) -> float | None:
    """The confidence; None for a person's code."""
    return next((float(one["valueDecimal"]) for one in extensions if one.get("url") == CONFIDENCE), None)


def machine_of(extensions: list[Json]) -> tuple[str, str, str] | None:
    """System, code and display that a coder replaced."""
    for one in extensions:
        if one.get("url") == CODING_REPLACED:
            coding = one["valueCoding"]
            return coding["system"], coding["code"], coding.get("display", "")
    return None


def considered_of(provenance: Mapping[str, Any]) -> list[Alternative]:
    """The codes that the pipeline's Provenance tells were considered, in the order of the text."""
    told = []
    for extension in provenance.get("extension") or ():
        if extension.get("url") == CONSIDERED:
            parts = parts_of(extension)
            coding = parts.get("coding") or {}
            one = Alternative(
                system=coding.get("system", ""),
                code=coding.get("code", ""),
                display=coding.get("display", ""),
                edition=coding.get("version", ""),
                status=parts.get("status", ""),
                confidence=float(parts.get("confidence", 0)),
                reason=parts.get("reason", ""),
                rule=parts.get("rule", ""),
                offset=int(parts.get("offset", 0)),
                length=int(parts.get("length", 0)),
            )
            told.append(one)
    return sorted(told, key=lambda one: one.offset)


def gaps_of(provenance: Mapping[str, Any]) -> Iterator[Gap]:
    """The open questions that the pipeline's Provenance tells."""
    for extension in provenance.get("extension") or ():
        if extension.get("url") == CODING_GAP:
            parts = parts_of(extension)
            question, asks, cites = (str(parts.get(name, "")) for name in ("question", "asks", "cites"))
            yield Gap(question, asks, cites, int(parts.get("offset", 0)), int(parts.get("length", 0)))


def kind_of(provenance: Mapping[str, Any]) -> str | None:
    """Which decision a Provenance records; None where it records none of a coder's."""
    codings = (provenance.get("activity") or {}).get("coding") or ()
    return next((one.get("code") for one in codings if one.get("system") == CODING_DECISION), None)


def decided_of(provenance: Mapping[str, Any]) -> Decided | None:
    """The decision that a Provenance records."""
    kind = kind_of(provenance)
    if kind is None:
        return None
    agent: Json = next(iter(provenance.get("agent") or ()), {})
    who = agent.get("who") or {}
    reason: Json = next(iter(provenance.get("reason") or ()), {})
    return Decided(
        reference_of(provenance),
        kind,
        str(provenance.get("recorded", "")),
        str(who.get("display") or who.get("reference") or ""),
        _code(next(iter(agent.get("role") or ()), {}), REVIEW_ROLE),
        _code(reason, REJECTION_REASON),
        str(reason.get("text", "")),
    )


def targets_of(provenance: Mapping[str, Any]) -> list[str]:
    """What a Provenance is about, as `Type/ID`."""
    return [_plain(target) for target in provenance.get("target") or ()]


def formers_of(provenance: Mapping[str, Any]) -> list[str]:
    """The versions that a decision changed, as `Type/ID/_history/N`."""
    entities = (one for one in provenance.get("entity") or () if one.get("role") == "revision")
    return [str((one.get("what") or {}).get("reference", "")) for one in entities]


def undone_by(provenance: Mapping[str, Any]) -> str | None:
    """The Provenance whose decision this one undid."""
    if kind_of(provenance) != "undo":
        return None
    entities = (one for one in provenance.get("entity") or () if one.get("role") == "removal")
    return next((_plain(one.get("what") or {}) for one in entities), None)


def _plain(reference: Mapping[str, Any]) -> str:
    return "/".join(str(reference.get("reference", "")).partition("/_history")[0].split("/")[-2:])


def _code(concept: Mapping[str, Any], system: str) -> str:
    return next((str(one.get("code")) for one in concept.get("coding") or () if one.get("system") == system), "")
