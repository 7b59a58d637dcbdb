"""The searches that together find what an export wants, and what each resource of theirs still has to fulfil."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from fhir_profiles import json
from fhir_profiles.definitions import load
from fhir_profiles.extract import index
from fhir_profiles.subset import Wish, cut
from server.interactions.exchange import Request
from server.interactions.fhir import Fhir
from server.jobs.exporting.asked import Asked, Pairs

_PATIENTS = 100  # that one search names


class Walk(msgspec.Struct, frozen=True):
    """One search of a type; all but the first of a type may meet what another has found."""

    type: str
    pairs: Pairs
    first: bool


def walks_of(asked: Asked, patients: list[str] | None) -> list[Walk]:
    """The searches of an export; `patients` are those it is limited to, None for all."""
    walks = []
    for name in asked.types:
        since: Pairs = (("_lastUpdated", f"gt{asked.since}"),) if asked.since else ()
        filters = asked.filters.get(name) or ((),)
        pairs = [(*chosen, *place, *since) for chosen in filters for place in _places(asked.level, name, patients)]
        walks += [Walk(name, one, number == 0) for number, one in enumerate(pairs)]
    return walks


def _places(level: str, name: str, patients: list[str] | None) -> Iterator[Pairs]:
    """The conditions that keep a type to the compartments of patients."""
    if level == "system" or (patients is None and name == "Patient"):
        yield ()
        return
    codes = load().compartment("Patient").get(name, ())
    if patients is None:
        for code in codes:
            yield ((f"{code}:missing", "false"),)
        return
    for at in range(0, len(patients), _PATIENTS):
        some = patients[at : at + _PATIENTS]
        if name == "Patient":
            yield (("_id", ",".join(some)),)
        else:
            for code in codes:
                yield ((code, ",".join(f"Patient/{one}" for one in some)),)


def is_inside(asked: Asked, patients: frozenset[str] | None, line: bytes) -> bool:
    """Whether a resource is in the compartment of a patient that is wanted."""
    if asked.level == "system":
        return True
    resource = json.decode(line)
    if resource["resourceType"] == "Patient":
        return patients is None or resource["id"] in patients
    codes = frozenset(load().compartment("Patient").get(resource["resourceType"], ()))
    return any(
        code in codes and kind == "Patient" and (patients is None or name in patients)
        for code, kind, name, _ in index(resource).references
    )


def members(fhir: Fhir, request: Request, asked: Asked) -> list[str] | None:
    """The patients that an export is limited to, None for all. FhirError when the group is not there."""
    if asked.group is None:
        return list(asked.patients) or None
    read = Request(method="GET", path=("Group", asked.group), base_url=request.base_url, caller=request.caller)
    group = json.decode(fhir.handle_sync(read).body)
    named = [
        str(member["entity"].get("reference", ""))
        for member in group.get("member") or ()
        if not member.get("inactive") and isinstance(member.get("entity"), dict)
    ]
    ids = [_local(reference, request.base_url) for reference in named]
    wanted = set(asked.patients)
    return [one for one in dict.fromkeys(ids) if one and (not wanted or one in wanted)]


def _local(reference: str, base_url: str) -> str:
    kind, _, name = reference.removeprefix(f"{base_url}/").partition("/")
    return name if kind == "Patient" and "/" not in name else ""


def with_elements(asked: Asked, line: bytes, resource_type: str) -> bytes:
    """The resource with the wanted and the mandatory elements, tagged as a part of itself."""
    wanted = tuple(one for one in asked.elements if "." not in one or one.startswith(f"{resource_type}."))
    return cut(line, Wish(elements=wanted)) if wanted else line
