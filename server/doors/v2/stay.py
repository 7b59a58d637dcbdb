"""PV1 and PV2: the Encounter, its places and its people (http://hl7.org/fhir/uv/v2mappings)."""

from __future__ import annotations

from fhir_profiles.systems import ACT_CODE, PARTICIPATION, V2

from .draft import MERGED, ONCE, Draft
from .parse import Field, Segment
from .people import practitioner
from .values import Json, identifier, local

CLASSES = {"I": "IMP", "E": "EMER", "O": "AMB", "P": "PRENC", "R": "AMB", "B": "IMP"}
"""Table 0004 → ActEncounterCode."""

STATUSES = {
    "A01": "in-progress",
    "A02": "in-progress",
    "A03": "finished",
    "A04": "in-progress",
    "A05": "planned",
    "A11": "cancelled",
    "A12": "in-progress",
    "A13": "in-progress",
}
"""What an event says of the stay; all others say nothing."""

_PEOPLE = ((7, "ATND"), (8, "REF"), (9, "CON"), (17, "ADM"))
_PARTICIPATION = {"ATND": "attender", "REF": "referrer", "CON": "consultant", "ADM": "admitter"}


def encounter(draft: Draft, subject: str, trigger: str) -> str | None:
    """The Encounter of a PV1; None, with a note, where nothing tells one stay from another."""
    context = draft.context
    segment = context.message.get("PV1")
    if segment is None:
        return None
    number = _number(draft, segment)
    if number is None:
        if any(segment.raw(at) for at in (3, 7, 19, 44)):
            context.note("PV1-19: The stay has no number, so that no Encounter is written.")
        return None
    begun, ended = context.time(segment.text(44), "PV1-44"), context.time(segment.text(45), "PV1-45")
    resource: Json = {
        "identifier": [number],
        "class": _class(segment),
        "subject": {"reference": subject},
        **_details(draft, segment),
    }
    status = STATUSES.get(trigger)
    if ended and status in (None, "in-progress") and trigger != "A13":
        status = "finished"
    if status:
        resource["status"] = status
    period: Json = {key: value for key, value in (("start", begun), ("end", ended)) if value}
    if trigger == "A13":
        period["end"] = None
    if period:
        resource["period"] = period
    key = (number["system"], number["value"])
    return draft.add("Encounter", key, resource, MERGED, found_by=number, fresh={} if status else {"status": "unknown"})


def _number(draft: Draft, segment: Segment) -> Json | None:
    """PV1-19; the account of PID-18 where it is missing."""
    found = identifier(draft.context, segment.first(19), "VN")
    if found is None and (person := draft.context.message.get("PID")) is not None:
        found = identifier(draft.context, person.first(18), "AN")
    return found


def _class(segment: Segment) -> Json:
    code = segment.text(2).upper()
    if code in CLASSES:
        return {"system": ACT_CODE, "code": CLASSES[code]}
    return {"system": f"{V2}0004", "code": code} if code else {"system": ACT_CODE, "code": "AMB"}


def _details(draft: Draft, segment: Segment) -> Json:
    """Places, people, kinds and reasons."""
    context = draft.context
    found: Json = {}
    if kind := context.concept(segment.first(4), "0007"):
        found["type"] = [kind]
    if service := context.concept(segment.first(10), "0069"):
        found["serviceType"] = service
    places = [
        place(draft, one, status) for one, status in ((segment.first(3), "active"), (segment.first(6), "completed"))
    ]
    if kept := [where for where in places if where]:
        found["location"] = kept
    people = []
    for at, role in _PEOPLE:
        for one in segment.each(at):
            if (who := practitioner(draft, one)) is not None:
                coding = {"system": PARTICIPATION, "code": role, "display": _PARTICIPATION[role]}
                people.append({"type": [{"coding": [coding]}], "individual": who})
    if people:
        found["participant"] = people
    stay = {"admitSource": (14, "0023"), "dischargeDisposition": (36, "0112")}
    codes = {key: code for key, (n, table) in stay.items() if (code := context.concept(segment.first(n), table))}
    if codes:
        found["hospitalization"] = codes
    more = context.message.get("PV2")
    if more is not None and (reason := context.concept(more.first(3))):
        found["reasonCode"] = [reason]
    return found


def place(draft: Draft, one: Field, status: str = "") -> Json | None:
    """A PL as the location of an Encounter: a Location by point of care, room and bed of a facility."""
    parts = [one.part(at) for at in (1, 2, 3)]
    if not any(parts):
        return None
    house = one.part(4) or draft.context.message.header.text(4) or "unknown"
    known = {"system": f"{local(house)}:location", "value": "^".join(parts).rstrip("^")}
    name = " ".join(part for part in parts if part)
    resource: Json = {"identifier": [known], "name": name, "status": "active"}
    reference = draft.add("Location", (known["system"], known["value"]), resource, ONCE, found_by=known)
    told: Json = {"location": {"reference": reference, "display": name}}
    return told | ({"status": status} if status else {})
