"""Decisions about the claim: order, principal, present on admission, modifiers, units, pointers.

https://hl7.org/fhir/R4/claim.html
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from claims.draft import MAX_DIAGNOSES, MAX_POINTERS
from fhir_profiles.systems import CPT, DIAGNOSIS_ON_ADMISSION, HCPCS
from server.review.change import Change, conflict, refused
from server.review.claim_of import Draft, put_together, taken_apart
from server.review.model import Decision, Json, Review

ON_ADMISSION = ("y", "n", "u", "w")
MAX_MODIFIERS = 4
MAX_UNITS = 9_999
PHYSICAL_STATUS = tuple(f"P{n}" for n in range(1, 7))


def reorder(review: Review, decision: Decision) -> Change:
    """The diagnoses of the claim in another order."""
    draft = _draft(review)
    foreign = [reference for reference in draft.diagnoses if "/" not in reference]  # claims nothing of the review
    if sorted(decision.order) != sorted({*draft.diagnoses} - {*foreign}):
        raise conflict("The order does not name each diagnosis on the claim once. Read the review again.")
    draft.diagnoses = {reference: draft.diagnoses[reference] for reference in (*decision.order, *foreign)}
    return Change((put_together(draft),), tuple(decision.order[:1]))


def principal(review: Review, decision: Decision) -> Change:
    """The diagnosis becomes the first one."""
    draft = _draft(review)
    if decision.about not in draft.diagnoses:
        raise conflict("Only a diagnosis that is on the claim can be the principal one.")
    first = {decision.about: draft.diagnoses[decision.about]}
    draft.diagnoses = first | draft.diagnoses
    return Change((put_together(draft),), (decision.about,))


def present_on_admission(review: Review, decision: Decision) -> Change:
    """Whether the diagnosis was there when the patient came in; empty says nothing about it."""
    if decision.value and decision.value not in ON_ADMISSION:
        raise refused("Present on admission is y, n, u or w.", "value", "value")
    draft = _draft(review)
    element = _element(draft.diagnoses, decision.about)
    element.pop("onAdmission", None)
    if decision.value:
        element["onAdmission"] = {"coding": [{"system": DIAGNOSIS_ON_ADMISSION, "code": decision.value}]}
    return _changed(draft, draft.diagnoses, decision.about, element)


def modifiers(review: Review, decision: Decision) -> Change:
    """The modifiers of the line, in their order."""
    values = [value.strip().upper() for value in decision.values]
    if len(values) > MAX_MODIFIERS or len(set(values)) < len(values):
        raise refused(f"A line has at most {MAX_MODIFIERS} modifiers, each once.", "value", "values")
    if not all(len(value) == 2 and value.isascii() and value.isalnum() for value in values):
        raise refused("A modifier has two letters or digits.", "value", "values")
    draft = _draft(review)
    element = _element(draft.lines, decision.about)
    element.pop("modifier", None)
    if values:
        element["modifier"] = [{"coding": [{"system": _of_modifier(value), "code": value}]} for value in values]
    return _changed(draft, draft.lines, decision.about, element)


def units(review: Review, decision: Decision) -> Change:
    """How often the service was done."""
    try:
        value = Decimal(decision.value)
    except InvalidOperation:
        value = Decimal(0)
    if not (value.is_finite() and 0 < value <= MAX_UNITS):
        raise refused(f"Units are a number above 0 and at most {MAX_UNITS}.", "value", "value")
    draft = _draft(review)
    whole = int(value) if value == value.to_integral_value() else value
    element = _element(draft.lines, decision.about)
    element["quantity"] = {**element.get("quantity", {}), "value": whole}
    return _changed(draft, draft.lines, decision.about, element)


def pointers(review: Review, decision: Decision) -> Change:
    """The diagnoses that the line was done for, the first one first."""
    draft = _draft(review)
    element = _element(draft.lines, decision.about)
    wanted = list(dict.fromkeys(decision.order))
    if not 0 < len(wanted) <= MAX_POINTERS or not {*wanted} <= {*list(draft.diagnoses)[:MAX_DIAGNOSES]}:
        raise refused(f"A line points to one to {MAX_POINTERS} diagnoses of the claim.", "value", "order")
    draft.pointers[decision.about] = wanted
    return _changed(draft, draft.lines, decision.about, element)


def _of_modifier(value: str) -> str:
    """Modifiers of HCPCS begin with a letter; those of CPT with a digit, but for physical status: P1 to P6."""
    return HCPCS if value[0].isalpha() and value not in PHYSICAL_STATUS else CPT


def _draft(review: Review) -> Draft:
    if review.claim is None:
        raise conflict("There is no claim yet: accept a code first.")
    return taken_apart(review.resources[review.claim], review.resources.values())


def _element(elements: dict[str, Json], reference: str) -> Json:
    """A copy of the element that claims the suggestion; FhirError where it is not on the claim."""
    if reference not in elements:
        raise conflict("This is not on the claim. Read the review again.")
    return dict(elements[reference])


def _changed(draft: Draft, elements: dict[str, Json], reference: str, element: Json) -> Change:
    elements[reference] = element
    return Change((put_together(draft),), (reference,))
