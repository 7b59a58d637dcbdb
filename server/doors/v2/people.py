"""PID, PD1, NK1, MRG and XCN: Patient, RelatedPerson, Practitioner (http://hl7.org/fhir/uv/v2mappings)."""

from __future__ import annotations

from fhir_profiles.systems import BCP47, NPI, OMB_ETHNICITY, OMB_RACE, US_CORE_ETHNICITY, US_CORE_RACE
from server.doors.arrivals import Unusable

from .draft import MERGED, ONCE, Draft
from .parse import Field, Segment
from .values import Context, Json, address, human_name, identifier, telecom

GENDERS = {"M": "male", "F": "female", "O": "other", "A": "other", "N": "other", "X": "other", "U": "unknown"}
_OMB = ("1002-5", "2028-9", "2054-5", "2076-8", "2106-3")
_NOT_OMB_RACE = {"2131-1": "Other Race"}
_ETHNICITIES = {"H": "2135-2", "N": "2186-5", "2135-2": "2135-2", "2186-5": "2186-5"}
_FIRST = ("MR", "PI", "PT", "MRN", "")


def patient(draft: Draft, segment: Segment) -> str:
    """The Patient of a PID; its reference. Unusable without an identifier."""
    context = draft.context
    identifiers = patient_identifiers(context, segment)
    main = min(identifiers, key=_rank)
    resource: Json = {"identifier": identifiers, **_demographics(context, segment)}
    if (more := context.message.get("PD1")) is not None and (doctor := practitioner(draft, more.first(4))):
        resource["generalPractitioner"] = [doctor]
    return draft.add("Patient", (main["system"], main["value"]), resource, MERGED, found_by=main)


def patient_identifiers(context: Context, segment: Segment) -> list[Json]:
    """PID-3, and what older versions had beside it."""
    found = [one for raw in segment.each(3) if (one := identifier(context, raw))]
    for number in (2, 4) if not found else (4,):
        found += [one for raw in segment.each(number) if (one := identifier(context, raw))]
    if not found:
        raise Unusable("field-missing", "PID-3: The patient has no identifier.")
    if one := identifier(context, segment.first(19), "SS"):
        found.append(one)
    known: dict[tuple[str, str], Json] = {}
    for one in found:
        known.setdefault((one["system"], one["value"]), one)
    return list(known.values())


def _rank(one: Json) -> int:
    """The number of the house before all others, then the first."""
    kind = (one.get("type") or {}).get("coding", [{}])[0].get("code", "")
    return _FIRST.index(kind) if kind in _FIRST else len(_FIRST)


def _demographics(context: Context, segment: Segment) -> Json:
    """What of a person stands in PID-5 and behind."""
    found: Json = {}
    several = {
        "name": [human_name(one) for one in segment.each(5)],
        "address": [address(one) for one in segment.each(11)],
        "telecom": [
            *(telecom(one, "home") for one in segment.each(13)),
            *(telecom(one, "work") for one in segment.each(14)),
        ],
    }
    found |= {key: kept for key, values in several.items() if (kept := [one for one in values if one])}
    if sex := segment.text(8):
        found["gender"] = GENDERS.get(sex.upper(), "unknown")
        if sex.upper() not in GENDERS:
            context.note("PID-8: The administrative sex is of no known code.")
    if born := context.date(segment.text(7), "PID-7"):
        found["birthDate"] = born
    if status := context.concept(segment.first(16), "0002"):
        found["maritalStatus"] = status
    if language := segment.text(15):
        code = {"coding": [{"system": BCP47, "code": language.lower()}]} if len(language) == 2 else {"text": language}
        found["communication"] = [{"language": code, "preferred": True}]
    if segment.text(25).isdigit():
        found["multipleBirthInteger"] = int(segment.text(25))
    elif segment.text(24) in ("Y", "N"):
        found["multipleBirthBoolean"] = segment.text(24) == "Y"
    if died := context.time(segment.text(29), "PID-29"):
        found["deceasedDateTime"] = died
    elif segment.text(30) in ("Y", "N"):
        found["deceasedBoolean"] = segment.text(30) == "Y"
    if told := [one for one in (_race(segment), _ethnicity(segment)) if one]:
        found["extension"] = told
    empties = {"name": 5, "birthDate": 7, "gender": 8, "address": 11, "telecom": 13, "maritalStatus": 16}
    return found | {key: None for key, number in empties.items() if segment.is_null(number)}


def _race(segment: Segment) -> Json | None:
    groups: list[Json] = []
    words: list[str] = []
    for one in segment.each(10):
        code, text = one.part(1), one.part(2) or one.part(1)
        if code in _OMB:
            groups.append({"url": "ombCategory", "valueCoding": {"system": OMB_RACE, "code": code, "display": text}})
        words.append(_NOT_OMB_RACE.get(code, text))
    return (
        {"url": US_CORE_RACE, "extension": [*groups[:5], {"url": "text", "valueString": ", ".join(words)}]}
        if words
        else None
    )


def _ethnicity(segment: Segment) -> Json | None:
    one = segment.first(22)
    if not one:
        return None
    group = _ETHNICITIES.get(one.part(1))
    parts: list[Json] = []
    if group:
        parts.append({"url": "ombCategory", "valueCoding": {"system": OMB_ETHNICITY, "code": group}})
    return {"url": US_CORE_ETHNICITY, "extension": [*parts, {"url": "text", "valueString": one.part(2) or one.part(1)}]}


def relatives(draft: Draft, subject: str) -> None:
    """A RelatedPerson for each NK1: the next of kin, by its number."""
    context = draft.context
    for number, segment in enumerate(context.message.all("NK1"), 1):
        names = [name for one in segment.each(2) if (name := human_name(one))]
        phones = [
            *(telecom(one, "home") for one in segment.each(5)),
            *(telecom(one, "work") for one in segment.each(6)),
        ]
        resource: Json = {"patient": {"reference": subject}, "active": True}
        values = {
            "name": names,
            "relationship": [
                one for at in (3, 7) if (one := context.concept(segment.first(at), "0063" if at == 3 else "0131"))
            ],
            "telecom": [one for one in phones if one],
            "address": [one for raw in segment.each(4) if (one := address(raw))],
        }
        resource |= {key: value for key, value in values.items() if value}
        if sex := segment.text(15):
            resource["gender"] = GENDERS.get(sex.upper(), "unknown")
        if born := context.date(segment.text(16), "NK1-16"):
            resource["birthDate"] = born
        draft.add("RelatedPerson", (subject, segment.text(1) or str(number)), resource)


def practitioner(draft: Draft, one: Field) -> Json | None:
    """A reference to the person of an XCN: a Practitioner where there is a number, else the name alone."""
    if not one:
        return None
    name = human_name(one, 2)
    shown = " ".join([*(name or {}).get("prefix", ()), *(name or {}).get("given", ()), (name or {}).get("family", "")])
    told: Json = {"display": shown.strip()} if shown.strip() else {}
    value = one.part(1)
    if not value:
        return told or None
    kind = one.part(13)
    system = draft.context.authority(one, 9)
    known = _number(one, kind, value, system)
    resource: Json = {"identifier": [known]} | ({"name": [name]} if name else {})
    reference = draft.add("Practitioner", (known["system"], value), resource, ONCE, found_by=known)
    return {"reference": reference, **told}


def _number(one: Field, kind: str, value: str, system: str) -> Json:
    named = one.part(9).upper()
    if kind == "NPI" or named == "NPI" or (not named and len(value) == 10 and value.isdigit() and value[0] in "12"):
        return {"system": NPI, "value": value}
    return {"system": system, "value": value}


def merge(draft: Draft, survivor: str) -> None:
    """MRG: the Patients that were merged into the one of PID are kept, not in use, and point to it."""
    context = draft.context
    segment = context.message.need("MRG")
    old = [one for raw in segment.each(1) if (one := identifier(context, raw))]
    if not old:
        raise Unusable("field-missing", "MRG-1: The message does not say who was merged.")
    links = []
    for one in old:
        gone = {
            "identifier": [one],
            "active": False,
            "link": [{"other": {"reference": survivor}, "type": "replaced-by"}],
        }
        key = (one["system"], one["value"])
        reference = draft.add("Patient", key, gone, MERGED, found_by=one, ends=True)
        if reference == survivor:
            raise Unusable("value", "MRG-1: A patient cannot be merged into the same patient.")
        links.append({"other": {"reference": reference}, "type": "replaces"})
    kept = draft.items[survivor]
    kept.resource |= {"active": True, "link": links}
    kept.ends = True
