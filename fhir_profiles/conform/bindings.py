"""Codes against the value sets that a profile binds them to (https://hl7.org/fhir/R4/terminologies.html#strength).

Required: an error outside of the set. Extensible: a warning. Preferred: information. Example: nothing. What cannot be
told, because a code system is not loaded, is said to be not checked.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from fhir_profiles.conform.items import Item
from fhir_profiles.conform.rules import Bound
from fhir_profiles.conform.run import Run
from fhir_profiles.definitions import load

Coded = tuple[str, str]
Check = Callable[[Item, Run], None]
_SEVERITY: dict[str, Literal["error", "warning", "information"]] = {
    "required": "error",
    "extensible": "warning",
    "preferred": "information",
}


def binding_check(bound: Bound, label: str, *, units: bool) -> Check:
    """A check of an item's codes against a bound value set; with `units` it binds the units of quantities too.

    Where a value may be a concept or a quantity, the value set is that of the concepts.
    """
    severity = _SEVERITY.get(bound.strength)
    refuses = severity == "error"

    def check(item: Item, run: Run) -> None:
        if not (refuses or run.thorough or bound.beyond) or (item[2] == "Quantity" and not units):
            return
        codings = codings_of(item)
        if codings is None:
            return
        if severity is not None and (refuses or run.thorough):
            within = in_set(codings, bound.value_set, run)
            if within is None:
                run.not_checked(f"the value set {bound.value_set} needs a code system that is not loaded.", item[3])
            elif not within and (codings or severity != "information"):
                text = f"{label}: a code of the value set {bound.value_set} is {_ASKED[bound.strength]} here."
                run.add(severity, "code-invalid", text, item[3])
        if bound.beyond and codings and in_set(codings, bound.beyond, run) is False:
            text = f"{label}: the code is outside of {bound.beyond}, which is the most that is allowed here."
            run.add("error", "code-invalid", text, item[3])

    return check


_ASKED = {"required": "required", "extensible": "expected, if one fits,", "preferred": "preferred"}


def codings_of(item: Item) -> list[Coded] | None:
    """The (system, code) pairs of an item, a bare code without a system; None when it is of no coded type or empty."""
    value, _, of, _ = item
    if type(value) is str:
        return [("", value)]
    if type(value) is not dict:
        return None
    if of == "CodeableConcept":
        return [pair for coding in value.get("coding", ()) if (pair := _pair(coding))]
    if of == "Coding" or "code" in value:
        pair = _pair(value)
        return [pair] if pair else []
    return None if of not in ("Quantity", "Coding") else []


def _pair(coding: dict[str, Any]) -> Coded | None:
    code = coding.get("code")
    return (coding.get("system", ""), code) if type(code) is str else None


def in_set(codings: list[Coded], value_set: str, run: Run) -> bool | None:
    """Whether one of the codes is in the set; None when that cannot be told."""
    members = run.codes(value_set) if run.codes else None
    if members is None:
        return _in_definitions(codings, value_set)
    answers = [members.contains(system, code) for system, code in codings]
    return True if True in answers else None if None in answers else False


def _in_definitions(codings: list[Coded], value_set: str) -> bool | None:
    """The answer of the enumerated sets that R4's own required bindings name."""
    sets = load().value_sets.get(value_set.partition("|")[0])
    if sets is None:
        return None
    return any((c in sets.get(s, ())) if s else any(c in codes for codes in sets.values()) for s, c in codings)
