"""What an export was asked for (https://hl7.org/fhir/uv/bulkdata/STU2/export.html#query-parameters)."""

from __future__ import annotations

from typing import Literal
from urllib.parse import parse_qsl, unquote

import msgspec

from fhir_profiles.dates import interval
from fhir_profiles.definitions import load
from fhir_profiles.errors import Category, FhirError, Problem
from server.access.reach import permits
from server.interactions.exchange import Request
from server.operations.parameters import Arguments, read_arguments, wrong

FORMATS = ("application/fhir+ndjson", "application/ndjson", "ndjson")
_KNOWN = ("_since", "_until", "_type", "_typeFilter", "_elements", "_outputFormat", "patient", "_deidentify")
_LATER = ("includeAssociatedData", "organizeOutputBy", "allowPartialManifests")
_MOST_FILTERS = 100

Pairs = tuple[tuple[str, str], ...]


class Asked(msgspec.Struct, frozen=True):
    """An export, understood. `group` and `patients` limit it to those; `level` is system, patient or group."""

    level: str
    group: str | None
    patients: tuple[str, ...]
    types: tuple[str, ...]
    filters: dict[str, tuple[Pairs, ...]]
    elements: tuple[str, ...]
    since: str | None
    until: str | None
    problems: tuple[Problem, ...]
    deidentified: Literal["", "true", "stable"] = ""


def read_asked(request: Request) -> Asked:
    """The export that a kick-off asks for; with `handling=lenient` what is not known is told in its error file."""
    arguments = read_arguments(request)
    lenient = request.preferred.handling == "lenient"
    problems: list[Problem] = []

    def object_to(text: str, where: str) -> None:
        if not lenient:
            raise FhirError.of(Category.INCORRECT, "not-supported", text, where)
        problems.append(Problem("warning", "not-supported", f"Ignored: {text}", where))

    for name in {name for name, _ in (*arguments.texts, *arguments.values)} - {*_KNOWN, "_format", "_pretty"}:
        known = name if name in _LATER else "A parameter of the kick-off"
        object_to(f"{known} is not supported.", "Parameters.parameter")
    if (form := arguments.text("_outputFormat")) is not None and form not in FORMATS:
        raise wrong("_outputFormat must be application/fhir+ndjson.", "_outputFormat")
    level = {1: "system", 2: "patient", 3: "group"}[len(request.path)]
    inside = {*load().compartment("Patient"), "Patient"} if level != "system" else set(load().resource_types)
    inside.discard("AuditEvent")  # what was done is no resource of a client's; `fhirwright audit export` has it
    types = []
    open_to = {name for name in inside if permits(request.caller, name, "s")}
    for name in [name for text in arguments.all("_type") for name in text.split(",") if name]:
        if name in open_to:
            types.append(name)
        elif name in inside and not lenient:
            text = f"What you were given does not let you export resources of type {name}."
            raise FhirError.of(Category.FORBIDDEN, "forbidden", text, "_type")
        else:
            object_to("_type names a type that R4 does not have or that is not in the patient compartment.", "_type")
    if not open_to or (arguments.all("_type") and not types):
        text = "What you were given does not let you export any of this."
        raise FhirError.of(Category.FORBIDDEN, "forbidden", text)
    filters = _filters(arguments, open_to, types)
    patients = tuple(_patients(arguments))
    if patients and level == "system":
        raise wrong("patient is for Patient/$export and Group/[id]/$export.", "patient")
    return Asked(
        level,
        request.path[1] if level == "group" else None,
        patients,
        tuple(dict.fromkeys(types)) or tuple(sorted(open_to)),
        filters,
        _elements(arguments),
        _instant(arguments, "_since"),
        _instant(arguments, "_until"),
        tuple(problems),
        _deidentified(request, arguments),
    )


def _deidentified(request: Request, arguments: Arguments) -> Literal["", "true", "stable"]:
    """`_deidentify`; it must stand in the URL, so that the audit trail tells it of a POST too."""
    text = arguments.text("_deidentify")
    if text not in (None, "true", "false", "stable"):
        raise wrong("_deidentify must be true, stable or false.", "_deidentify")
    if text is None and any(name == "_deidentify" for name, _ in arguments.values):
        raise wrong("Send _deidentify in the URL, so that the audit trail tells it.", "_deidentify")
    if text is not None and dict(request.query).get("_deidentify") != text:
        raise wrong("Send _deidentify in the URL, so that the audit trail tells it.", "_deidentify")
    return "" if text in (None, "false") else "stable" if text == "stable" else "true"


def _filters(arguments: Arguments, inside: set[str], types: list[str]) -> dict[str, tuple[Pairs, ...]]:
    """`Type?query` by type: each is one of the searches whose results are wanted."""
    found: dict[str, tuple[Pairs, ...]] = {}
    for text in [part for given in arguments.all("_typeFilter") for part in given.split(",") if part]:
        name, _, query = unquote(text).partition("?") if "?" not in text else text.partition("?")
        if name not in inside or (types and name not in types):
            raise wrong("_typeFilter names a type that is not exported.", "_typeFilter")
        pairs = tuple(parse_qsl(query, keep_blank_values=True))
        if any(key.startswith("_") and key.partition(":")[0] not in _ALLOWED for key, _ in pairs):
            raise wrong("_typeFilter takes search criteria, nothing that shapes the result.", "_typeFilter")
        found[name] = (*found.get(name, ()), pairs)
    if sum(map(len, found.values())) > _MOST_FILTERS:
        raise wrong(f"At most {_MOST_FILTERS} filters can be given.", "_typeFilter")
    return found


_ALLOWED = frozenset({"_id", "_tag", "_profile", "_security", "_lastUpdated", "_source", "_has", "_filter", "_list"})


def _patients(arguments: Arguments) -> list[str]:
    """The ids of the patients that were named, as texts or as references."""
    named = arguments.all("patient")
    named += [
        value["reference"]
        for name, value in arguments.values
        if name == "patient" and isinstance(value, dict) and isinstance(value.get("reference"), str)
    ]
    ids = [one.removeprefix("Patient/") for text in named for one in text.split(",") if one]
    if any("/" in one for one in ids):
        raise wrong("patient must be a reference as Patient/[id].", "patient")
    return ids


def _elements(arguments: Arguments) -> tuple[str, ...]:
    """Element names, with the type before them where they are meant for one type only."""
    return tuple(part.strip() for text in arguments.all("_elements") for part in text.split(",") if part.strip())


def _instant(arguments: Arguments, name: str) -> str | None:
    """A moment as it is compared: in UTC, with milliseconds."""
    text = arguments.text(name)
    if text is None:
        return None
    try:
        low, _ = interval(text)
    except ValueError:
        raise wrong(f"{name} must be an instant.", name) from None
    return stamp(low)


def stamp(microseconds: int) -> str:
    """Microseconds since 1970 as they stand in `meta.lastUpdated`."""
    from server.interactions.content import instant

    return instant(microseconds).decode()
