"""ORU^R01: DiagnosticReport, Observation and Specimen; a correction writes the same resources again.

http://hl7.org/fhir/uv/v2mappings (ORU_R01) https://www.hl7.eu/HL7v2x/v251/std251/ch07.html
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from fhir_profiles.systems import DIAGNOSTIC_SERVICE, IDENTIFIER_TYPE, OBSERVATION_CATEGORY, V2
from server.doors.arrivals import Unusable

from .document import embedded
from .draft import Draft
from .observed import interpretation, no_value, reference_range, value_of
from .parse import Field, Segment
from .people import practitioner
from .values import Json, identifier, local

REPORT_STATUSES = {"F": "final", "P": "preliminary", "R": "preliminary", "C": "corrected", "A": "partial"}
REPORT_STATUSES |= {"X": "cancelled", "I": "registered", "O": "registered", "S": "registered", "": "unknown"}
"""Table 0123; what it has no word for is unknown."""

STATUSES = {"F": "final", "P": "preliminary", "R": "preliminary", "S": "preliminary", "C": "corrected"}
STATUSES |= {"X": "cancelled", "D": "entered-in-error", "W": "entered-in-error", "I": "registered"}
STATUSES |= {"O": "registered", "N": "registered", "U": "final", "A": "amended", "B": "amended", "V": "final"}
"""Table 0085."""

_WITHOUT_VALUE = frozenset({"cancelled", "entered-in-error", "registered"})
_IMAGING = frozenset({"RAD", "CT", "MRI", "NMR", "NMS", "RUS", "OUS", "VUS", "XRC", "CUS", "RX"})
_OTHER = {"EC": "procedure", "PF": "procedure", "CTH": "procedure", "PHY": "exam", "PT": "therapy"}


@dataclass
class Group:
    """An OBR with what follows it."""

    head: Segment
    notes: list[Segment] = field(default_factory=list)
    results: list[tuple[Segment, list[Segment]]] = field(default_factory=list)
    specimens: list[Segment] = field(default_factory=list)


def groups_of(segments: list[Segment]) -> Iterator[Group]:
    """The OBR of a message; Unusable where results stand before the first."""
    group: Group | None = None
    for segment in segments:
        if segment.name == "OBR":
            if group is not None:
                yield group
            group = Group(segment)
        elif segment.name in ("OBX", "SPM"):
            if group is None:
                raise Unusable("segment-order", f"{segment.name}: The segment stands before the first OBR.")
            if segment.name == "SPM":
                group.specimens.append(segment)
            else:
                group.results.append((segment, []))
        elif segment.name == "NTE" and group is not None:
            (group.results[-1][1] if group.results else group.notes).append(segment)
    if group is None:
        raise Unusable("segment-missing", "OBR: The message has no segment OBR.")
    yield group


def reports(draft: Draft, subject: str, stay: str | None) -> None:
    """A DiagnosticReport for each OBR, with an Observation for each OBX."""
    for number, group in enumerate(groups_of(draft.context.message.segments), 1):
        _report(draft, group, subject, stay, number)


def _report(draft: Draft, group: Group, subject: str, stay: str | None, number: int) -> None:
    context, head = draft.context, group.head
    code = context.concept(head.first(4))
    if code is None:
        raise Unusable("field-missing", f"OBR[{number}]-4: A report does not say of what.")
    orders = [one for at, kind in ((3, "FILL"), (2, "PLAC")) if (one := _order(draft, head, at, kind))]
    if not orders:
        raise Unusable("field-missing", f"OBR[{number}]-3: A report has neither a filler's nor a placer's number.")
    key = (subject, orders[0]["system"], orders[0]["value"], head.text(4) or head.text(4, 2))
    category = _category(head)
    about: Json = {"subject": {"reference": subject}} | ({"encounter": {"reference": stay}} if stay else {})
    when = context.time(head.text(7), "OBR-7")
    specimens = _specimens(draft, group, subject, key)
    common = about | ({"effectiveDateTime": when} if when else {})
    seen: Counter[tuple[str, ...]] = Counter()
    shown, forms = [], []
    for place, (segment, notes) in enumerate(group.results, 1):
        if segment.text(2) in ("ED", "RP"):
            forms += _form(draft, segment)
            continue
        one = _observation(draft, segment, notes, common, category, f"OBX[{place}]")
        if one is not None:
            which = (segment.text(3) or segment.text(3, 2), segment.text(4))
            seen[which] += 1
            shown.append(draft.add("Observation", (*key, *which, str(seen[which])), one | _sample(specimens)))
    resource: Json = {
        "identifier": orders,
        "status": REPORT_STATUSES.get(head.text(25).upper(), "unknown"),
        "category": [_service(head), *category],
        "code": code,
        **common,
        "specimen": [{"reference": one} for one in specimens],
        "result": [{"reference": one} for one in shown],
        "presentedForm": forms,
        "performer": [who for raw in head.each(32) if (who := practitioner(draft, _person(raw)))],
    }
    if (out := context.time(head.text(22), "OBR-22")) and "T" in out:
        resource["issued"] = out
    if words := _words(group.notes):
        resource["conclusion"] = words
    draft.add("DiagnosticReport", key, {name: value for name, value in resource.items() if value not in ([], [None])})


def _order(draft: Draft, head: Segment, at: int, kind: str) -> Json | None:
    """OBR-2 or OBR-3, or ORC's of the same number where OBR leaves it out."""
    one = head.first(at)
    if not one and (order := draft.context.message.get("ORC")) is not None:
        one = order.first(at)
    if not one.part(1):
        return None
    name = one.part(2) or draft.context.message.header.text(4) or draft.context.message.header.text(3)
    system = draft.context.systems.get(name) or local(name)
    return {"type": {"coding": [{"system": IDENTIFIER_TYPE, "code": kind}]}, "system": system, "value": one.part(1)}


def _observation(
    draft: Draft, segment: Segment, notes: list[Segment], common: Json, category: list[Json], place: str
) -> Json | None:
    context = draft.context
    code = context.concept(segment.first(3))
    if code is None:
        raise Unusable("field-missing", f"{place}-3: A result does not say of what.")
    flag = segment.text(11).upper()
    status = STATUSES.get(flag)
    if status is None:
        status = "unknown"
        context.note("OBX-11: A result has no known status.")
    resource: Json = {"status": status, "category": category, "code": code, **common}
    resource |= value_of(context, segment)
    if not any(name.startswith("value") for name in resource) and status not in _WITHOUT_VALUE:
        resource["dataAbsentReason"] = no_value()
    if when := context.time(segment.text(14), "OBX-14"):
        resource["effectiveDateTime"] = when
    more = {
        "interpretation": interpretation(segment),
        "referenceRange": reference_range(context, segment),
        "performer": [who for raw in segment.each(16) if (who := practitioner(draft, raw))],
        "note": [{"text": words}] if (words := _words(notes)) else [],
    }
    if method := context.concept(segment.first(17)):
        resource["method"] = method
    return resource | {name: value for name, value in more.items() if value}


def _words(notes: list[Segment]) -> str:
    return "\n".join(text for one in notes if (text := one.whole(3)))


def _form(draft: Draft, segment: Segment) -> list[Json]:
    """A report as a whole, embedded; one that lies elsewhere is not fetched."""
    if segment.text(2) == "RP":
        draft.context.note("OBX-5: A pointer to a document elsewhere is not followed.")
        return []
    return [embedded(one.part) | ({"title": title} if (title := segment.text(3, 2)) else {}) for one in segment.each(5)]


def _category(head: Segment) -> list[Json]:
    code = head.text(24).upper()
    kind = "imaging" if code in _IMAGING else _OTHER.get(code, "laboratory")
    return [{"coding": [{"system": OBSERVATION_CATEGORY, "code": kind}]}]


def _service(head: Segment) -> Json:
    return {"coding": [{"system": DIAGNOSTIC_SERVICE, "code": head.text(24).upper() or "LAB"}]}


def _sample(specimens: list[str]) -> Json:
    """The specimen of a result, where there is but one."""
    return {"specimen": {"reference": specimens[0]}} if len(specimens) == 1 else {}


def _specimens(draft: Draft, group: Group, subject: str, key: tuple[str, ...]) -> list[str]:
    """SPM, or what older versions say in OBR-15."""
    context, found = draft.context, []
    for number, segment in enumerate(group.specimens, 1):
        resource: Json = {"subject": {"reference": subject}}
        if known := identifier(context, segment.first(2)):
            resource["identifier"] = [{"system": known["system"], "value": known["value"].replace("&", " ")}]
        if kind := context.concept(segment.first(4), "0487"):
            resource["type"] = kind
        if taken := context.time(segment.text(17), "SPM-17"):
            resource["collection"] = {"collectedDateTime": taken}
        if got := context.time(segment.text(18), "SPM-18"):
            resource["receivedTime"] = got
        found.append(draft.add("Specimen", (*key, segment.text(2) or str(number)), resource))
    old = group.head.first(15)
    if not found and old and (code := old.part(1)):
        coding = {"system": f"{V2}0070", "code": code} | ({"display": old.part(1, 2)} if old.part(1, 2) else {})
        found.append(
            draft.add("Specimen", (*key, "1"), {"subject": {"reference": subject}, "type": {"coding": [coding]}})
        )
    return found


def _person(raw: Field) -> Field:
    """An NDL as the XCN in its first component."""
    marks = raw.marks
    return Field(raw.raw.split(marks.component)[0].replace(marks.sub, marks.component) if marks.sub else raw.raw, marks)
