"""Invariants that are plain structure, as functions over the JSON (https://hl7.org/fhir/R4/conformance-rules.html#constraints).

The definitions hold every invariant as FHIRPath; the ones here stand on the types of the hot path, and a function is a
tenth of the price of the engine. `fhir_profiles.rules` adds all others; a test holds the two against each other. A
function sees an object whose elements are valid and says whether the rule holds; what cannot be decided holds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any, Literal

from fhir_profiles.fhirpath.equality import order
from fhir_profiles.fhirpath.temporal import Temporal
from fhir_profiles.fhirpath.units import canonical
from fhir_profiles.fhirpath.values import Node
from fhir_profiles.systems import ALLERGY_VERIFICATION, CONDITION_CLINICAL, CONDITION_VERIFICATION, UCUM

Json = Mapping[str, Any]
Holds = Callable[[Json], bool]


@dataclass(frozen=True, slots=True)
class Rule:
    """An invariant by its key in the specification, what it asks in our words, and its test.

    `at` is the element that is wrong, where that is not the object itself.
    """

    key: str
    text: str
    holds: Holds
    severity: Literal["error", "warning"] = "error"
    at: str = ""


def has(value: Json, *names: str) -> bool:
    """Whether any of the elements is there, if only as an extension; `x*` means any type of a choice."""
    for name in names:
        if name in value or f"_{name}" in value:
            return True
        if name.endswith("*") and any(key.lstrip("_").startswith(name[:-1]) for key in value):
            return True
    return False


def _needs(thing: str, other: str, value: Json) -> bool:
    return not has(value, thing) or has(value, other)


def _not_both(one: str, other: str, value: Json) -> bool:
    return not (has(value, one) and has(value, other))


def _one_of(names: tuple[str, ...], value: Json) -> bool:
    return has(value, *names)


def needs(key: str, thing: str, other: str) -> Rule:
    """`thing` may stand only beside `other`."""
    return Rule(key, f"{thing.rstrip('*')} needs {other.rstrip('*')} beside it", partial(_needs, thing, other))


def not_both(key: str, one: str, other: str) -> Rule:
    """The two exclude each other."""
    return Rule(key, f"{one.rstrip('*')} and {other.rstrip('*')} exclude each other", partial(_not_both, one, other))


def one_of(key: str, *names: str) -> Rule:
    """At least one of them is there."""
    return Rule(key, f"one of {', '.join(names)} must be there", partial(_one_of, names))


def _has_code(concept: Json | None, system: str, *codes: str) -> bool:
    codings = (concept or {}).get("coding", ())
    return any(c.get("system") == system and c.get("code") in codes for c in codings)


def _span(value: Json, start: str, end: str) -> bool:
    """Whether the start is not after the end, as far as their precision and zones tell."""
    first, last = value.get(start), value.get(end)
    if first is None or last is None or first == last:
        return True
    one, other = Temporal.read(first), Temporal.read(last)
    return one is None or other is None or one.compare(other) != 1


def _low_high(value: Json) -> bool:
    low, high = value.get("low", {}), value.get("high", {})
    if "value" not in low or "value" not in high:
        return True
    if low.get("code") == high.get("code") and low.get("unit") == high.get("unit"):
        return bool(low["value"] <= high["value"]) or "comparator" in low or "comparator" in high
    return order(Node(low, "Quantity"), Node(high, "Quantity"), canonical) != 1


def _ucum(value: Json) -> bool:
    return (has(value, "code") or not has(value, "value")) and value.get("system", UCUM) == UCUM


def _count(value: Json) -> bool:
    number = value.get("value", 0)
    whole = type(number) is not Decimal or number == number.to_integral_value()
    return _ucum(value) and value.get("code", "1") == "1" and whole


def _duration(value: Json) -> bool:
    return not has(value, "code") or (value.get("system") == UCUM and has(value, "value"))


def _ratio(value: Json) -> bool:
    return has(value, "numerator") == has(value, "denominator") and has(value, "numerator", "extension")


def _component_codes(value: Json) -> bool:
    if not has(value, "value*"):
        return True
    own = value["code"].get("coding", [])
    return not any(c in own for part in value.get("component", ()) for c in part.get("code", {}).get("coding", ()))


def _wrong_allergy(value: Json) -> bool:
    return _has_code(value.get("verificationStatus"), ALLERGY_VERIFICATION, "entered-in-error")


def _abated(value: Json) -> bool:
    ended = _has_code(value.get("clinicalStatus"), CONDITION_CLINICAL, "resolved", "remission", "inactive")
    return not has(value, "abatement*") or ended


def _not_in_error(value: Json) -> bool:
    wrong = _has_code(value.get("verificationStatus"), CONDITION_VERIFICATION, "entered-in-error")
    return not (wrong and has(value, "clinicalStatus"))


def _appointment_times(value: Json) -> bool:
    open_ = value.get("status") in ("proposed", "cancelled", "waitlist")
    return open_ or (has(value, "start") and has(value, "end"))


def _cancelled(value: Json) -> bool:
    return not has(value, "cancelationReason") or value.get("status") in ("noshow", "no-show", "cancelled")


def _parameter(value: Json) -> bool:
    one = has(value, "value*") + has(value, "resource")
    return one == 0 if has(value, "part") else one == 1


def _task_times(value: Json) -> bool:
    return _span(value, "authoredOn", "lastModified")


def _link_ids(value: Json) -> bool:
    """Whether no linkId stands twice; where some are missing, as in published examples, nobody can answer by them."""
    ids = list(_descend(value))
    return None in ids or len(set(ids)) == len(ids)


def _descend(value: Json) -> Iterator[str | None]:
    for item in value.get("item", ()):
        yield item.get("linkId")
        yield from _descend(item)


def _entries(value: Json) -> list[Json]:
    entries: list[Json] = value.get("entry", [])
    return entries


def _kind(value: Json, *types: str) -> bool:
    return value.get("type") in types


def _each_has(element: str, types: tuple[str, ...], value: Json) -> bool:
    expected = _kind(value, *types)
    return all(has(e, element) == expected for e in _entries(value))


def _distinct(value: Json) -> bool:
    if _kind(value, "history"):
        return True
    seen = [
        (e["fullUrl"], (e.get("resource") or {}).get("meta", {}).get("versionId"))
        for e in _entries(value)
        if "fullUrl" in e
    ]
    return len(set(seen)) == len(seen)


def _identified(value: Json) -> bool:
    identifier = value.get("identifier", {})
    return has(identifier, "system") and has(identifier, "value")


def _offset(value: Json) -> bool:
    meals = {"C", "CM", "CD", "CV"}
    return not has(value, "offset") or (has(value, "when") and not any(w in meals for w in value.get("when", ())))


def _first_is(value: Json, name: str) -> bool:
    entries = _entries(value)
    return bool(entries) and (entries[0].get("resource") or {}).get("resourceType") == name


def _never_negative(name: str, value: Json) -> bool:
    return not value.get(name, 0) < 0


def _rooted(part: str, value: Json) -> bool:
    """Whether the elements of a snapshot or differential stand under the one that comes first, which is the type's."""
    paths = [str(element.get("path", "")) for element in (value.get(part) or {}).get("element", ())]
    if not paths:
        return True
    whole, kind = part == "snapshot", str(value.get("type", ""))
    root = paths[0] if whole else paths[0].partition(".")[0]
    typed = value.get("kind") == "logical" or (paths[0] == kind if whole else paths[0].startswith(kind))
    return typed and all(path.startswith(f"{root}.") for path in paths[1:])


def _plain_root(value: Json) -> bool:
    """Whether the element of the type itself has no label, code or requirements."""
    elements = [e for part in ("snapshot", "differential") for e in (value.get(part) or {}).get("element", ())]
    return not any("." not in str(e.get("path", ".")) and has(e, "label", "code", "requirements") for e in elements)


_QTY = needs("qty-3", "code", "system")

RULES: Mapping[str, tuple[Rule, ...]] = {
    "Age": (
        _QTY,
        Rule("age-1", "an age is a positive number of UCUM units", lambda v: _ucum(v) and v.get("value", 1) > 0),
    ),
    "AllergyIntolerance": (
        Rule(
            "ait-1",
            "clinicalStatus is there unless it was entered in error",
            lambda v: has(v, "clinicalStatus") or _wrong_allergy(v),
        ),
        Rule(
            "ait-2",
            "what was entered in error has no clinicalStatus",
            lambda v: not (has(v, "clinicalStatus") and _wrong_allergy(v)),
        ),
    ),
    "Appointment": (
        Rule("app-2", "start and end go together", lambda v: has(v, "start") == has(v, "end")),
        Rule("app-3", "start and end are needed unless proposed, cancelled or waiting", _appointment_times),
        Rule("app-4", "only an appointment cancelled or not kept has a cancelationReason", _cancelled),
    ),
    "Appointment.participant": (one_of("app-1", "type", "actor"),),
    "Attachment": (needs("att-1", "data", "contentType"),),
    "Bundle": (
        Rule(
            "bdl-1",
            "only a searchset or history has a total",
            lambda v: "total" not in v or _kind(v, "searchset", "history"),
        ),
        Rule(
            "bdl-2",
            "only the entries of a searchset say how they were found",
            lambda v: _kind(v, "searchset") or not any(has(e, "search") for e in _entries(v)),
        ),
        Rule(
            "bdl-3",
            "each entry of a batch, transaction or history has a request, and no other",
            partial(_each_has, "request", ("batch", "transaction", "history")),
        ),
        Rule(
            "bdl-4",
            "each entry of a response or history has a response, and no other",
            partial(_each_has, "response", ("batch-response", "transaction-response", "history")),
        ),
        Rule("bdl-7", "a fullUrl stands once, unless the versions differ", _distinct),
        Rule(
            "bdl-9",
            "a document has an identifier with system and value",
            lambda v: not _kind(v, "document") or _identified(v),
        ),
        Rule("bdl-10", "a document has a timestamp", lambda v: not _kind(v, "document") or "timestamp" in v),
        Rule(
            "bdl-11",
            "a document starts with its Composition",
            lambda v: not _kind(v, "document") or _first_is(v, "Composition"),
        ),
        Rule(
            "bdl-12",
            "a message starts with its MessageHeader",
            lambda v: not _kind(v, "message") or _first_is(v, "MessageHeader"),
        ),
    ),
    "Bundle.entry": (
        one_of("bdl-5", "resource", "request", "response"),
        Rule("bdl-8", "a fullUrl names no version", lambda v: "/_history/" not in v.get("fullUrl", "")),
    ),
    "CarePlan.activity": (not_both("cpl-3", "detail", "reference"),),
    "Composition.section": (one_of("cmp-1", "text", "entry", "section"), not_both("cmp-2", "emptyReason", "entry")),
    "Condition": (
        Rule("con-4", "an abated condition is resolved, in remission or inactive", _abated),
        Rule("con-5", "a condition entered in error has no clinicalStatus", _not_in_error),
    ),
    "Condition.evidence": (one_of("con-2", "code", "detail"),),
    "Condition.stage": (one_of("con-1", "summary", "assessment"),),
    "Consent": (one_of("ppc-1", "policy", "policyRule"),),
    "ContactPoint": (needs("cpt-2", "value", "system"),),
    "Count": (_QTY, Rule("cnt-3", "a count is a whole number with the UCUM unit 1", _count)),
    "Distance": (_QTY, Rule("dis-1", "a distance has a UCUM unit", _ucum)),
    "Duration": (_QTY, Rule("drt-1", "a duration with a code has a value in UCUM units", _duration)),
    "FamilyMemberHistory": (not_both("fhs-1", "age*", "born*"), needs("fhs-2", "estimatedAge", "age*")),
    "Goal.target": (needs("gol-1", "detail*", "measure"),),
    "Group": (
        Rule("grp-1", "only an actual group has members", lambda v: not has(v, "member") or v.get("actual") is True),
    ),
    "Immunization.education": (one_of("imm-1", "documentType", "reference"),),
    "List": (
        not_both("lst-1", "emptyReason", "entry"),
        Rule(
            "lst-2",
            "only a list of changes marks entries deleted",
            lambda v: v.get("mode") == "changes" or not any(has(e, "deleted") for e in _entries(v)),
        ),
        Rule(
            "lst-3",
            "only a working list dates its entries",
            lambda v: v.get("mode") == "working" or not any(has(e, "date") for e in _entries(v)),
        ),
    ),
    "Observation": (
        not_both("obs-6", "dataAbsentReason", "value*"),
        Rule("obs-7", "no component repeats the code of an observation that has a value itself", _component_codes),
    ),
    "Observation.referenceRange": (one_of("obs-3", "low", "high", "text"),),
    "Organization": (one_of("org-1", "identifier", "name"),),
    "Parameters.parameter": (Rule("inv-1", "a parameter has one value, one resource or parts", _parameter),),
    "Patient.contact": (one_of("pat-1", "name", "telecom", "address", "organization"),),
    "Period": (Rule("per-1", "the end is not before the start", lambda v: _span(v, "start", "end")),),
    "Quantity": (_QTY,),
    "Questionnaire": (Rule("que-2", "a linkId stands once in the questionnaire", _link_ids),),
    "Questionnaire.item": (
        Rule("que-1", "a display has no items", lambda v: not (_kind(v, "display") and has(v, "item"))),
        Rule("que-1", "a group has items", lambda v: not _kind(v, "group") or has(v, "item"), "warning"),
        not_both("que-4", "answerOption", "answerValueSet"),
        not_both("que-11", "answerOption", "initial"),
    ),
    "QuestionnaireResponse.item": (not_both("qrs-1", "answer", "item"),),
    "Range": (Rule("rng-2", "the high side is not below the low", _low_high),),
    "Ratio": (Rule("rat-1", "numerator and denominator go together", _ratio),),
    "ServiceRequest": (needs("prr-1", "orderDetail", "code"),),
    "StructureDefinition": (
        Rule("sdf-9", "the first element has no label, code or requirements", _plain_root),
        Rule("sdf-8", "the elements stand under that of the type", partial(_rooted, "snapshot"), at="snapshot"),
        Rule(
            "sdf-8a", "the elements stand under that of the type", partial(_rooted, "differential"), at="differential"
        ),
    ),
    "Task": (Rule("inv-1", "a task is not modified before it was authored", _task_times),),
    "Timing.repeat": (
        needs("tim-1", "duration", "durationUnit"),
        needs("tim-2", "period", "periodUnit"),
        Rule("tim-4", "a duration is not negative", partial(_never_negative, "duration")),
        Rule("tim-5", "a period is not negative", partial(_never_negative, "period")),
        needs("tim-6", "periodMax", "period"),
        needs("tim-7", "durationMax", "duration"),
        needs("tim-8", "countMax", "count"),
        Rule("tim-9", "an offset needs a when, and none that is a meal itself", _offset),
        not_both("tim-10", "timeOfDay", "when"),
    ),
    "ValueSet.compose.include": (
        one_of("vsd-1", "valueSet", "system"),
        Rule(
            "vsd-2",
            "concepts and filters need a system beside them",
            lambda v: not has(v, "concept", "filter") or has(v, "system"),
        ),
        not_both("vsd-3", "concept", "filter"),
    ),
    "ValueSet.expansion.contains": (one_of("vsd-6", "code", "display"), needs("vsd-10", "code", "system")),
}
