"""The Parameters that a validation answers with (https://hl7.org/fhir/R4/valueset-operation-validate-code.html)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from fhir_profiles.errors import Severity
from terminology.operations import statuses
from terminology.operations.call import answer
from terminology.operations.issues import Issue, issue
from terminology.operations.judge import Judged
from terminology.operations.plan import Plan

Json = dict[str, Any]
_NOT_IN = "None_of_the_provided_codes_are_in_the_value_set_one"


def verdict(plan: Plan | None, judged: Sequence[Judged], concept: Json | None) -> Json:
    """What was found of all codings of a call; `plan` is the value set, `concept` what the codings came in."""
    held: Judged | None = None
    issues: list[Issue] = []
    for one in judged:
        if held is None and one.held:
            held = one
    if concept is not None and held is not None and plan is not None:
        for one in judged:
            one.issues = _excused(one)
    for one in judged:
        issues += _issues(plan, one, concept)
    if plan is not None and concept is not None and all(j.missing for j in judged):
        issues.append(issue("TX_GENERAL_CC_ERROR_MESSAGE", plan.name))
    result = held is not None and not (issues and any(i.severity in ("error", "fatal") for i in issues))
    if plan is not None and (held is not None or not any(j.missing for j in judged)):
        issues += statuses.issues(plan, [j.book for j in judged if j.book is not None and (j.held or j is judged[0])])
    parameters: list[Json] = [{"name": "result", "valueBoolean": result}]
    first = held if held is not None else judged[0] if judged else Judged({}, {})
    if concept is None or held is not None:
        parameters += echo(first.coding)
    if held is not None or concept is None or first.cause:
        parameters += _known(first)
    if first.normalized:
        parameters.append({"name": "normalized-code", "valueCode": first.normalized})
    parameters += _standing(first)
    if concept is not None:
        parameters.append({"name": "codeableConcept", "valueCodeableConcept": concept})
    for j in () if result else judged:
        parameters += [{"name": "x-unknown-system", "valueCanonical": j.unknown}] if j.unknown else []
        parameters += [{"name": "x-caused-by-unknown-system", "valueCanonical": j.cause}] if j.cause else []
    if issues:
        parameters += words(issues)
    return answer(*parameters)


def echo(coding: Json) -> list[Json]:
    """The code and system that were asked about."""
    found: list[Json] = [{"name": "code", "valueCode": coding["code"]}] if coding.get("code") else []
    if coding.get("system"):
        found.append({"name": "system", "valueUri": coding["system"]})
    return found


def words(issues: Iterable[Issue]) -> list[Json]:
    """`message` and `issues`."""
    unique = list(dict.fromkeys(issues))
    if not unique:
        return []
    found: list[Json] = []
    told = sorted({i.text for i in unique if i.told})
    if told:
        found.append({"name": "message", "valueString": "; ".join(told)})
    outcome = {"resourceType": "OperationOutcome", "issue": [i.as_issue() for i in unique]}
    return [*found, {"name": "issues", "resource": outcome}]


def _known(judged: Judged) -> list[Json]:
    """`version` and `display`, where they are known."""
    found: list[Json] = []
    if judged.book is not None and judged.book.version:
        found.append({"name": "version", "valueString": judged.book.version})
    if judged.display:
        found.append({"name": "display", "valueString": judged.display})
    return found


def _standing(judged: Judged) -> list[Json]:
    """`inactive` and `status`, where the concept is not in full use."""
    entry = judged.entry
    if entry is None or not (entry.inactive or entry.status == "deprecated"):
        return []
    found: list[Json] = [{"name": "inactive", "valueBoolean": True}] if entry.inactive else []
    if entry.status not in (None, "inactive"):
        found.append({"name": "status", "valueCode": entry.status})
    return found


def _issues(plan: Plan | None, judged: Judged, concept: Json | None) -> list[Issue]:
    found = judged.issues
    if plan is not None and judged.missing and not judged.blank:
        found = [_not_in(plan, judged, concept), *found]
    return found if not found or _located(plan, judged) else [replace(i, located=False) for i in found]


def _not_in(plan: Plan, judged: Judged, concept: Json | None) -> Issue:
    coding = judged.coding
    version = f"|{coding['version']}" if coding.get("version") else ""
    display = f" ('{coding['display']}')" if coding.get("display") else ""
    told = f"{coding.get('system', '')}{version}#{coding.get('code', '')}{display}"
    severity: Severity = "error" if concept is None else "information"
    missing = issue(_NOT_IN, told, plan.name, at=judged.at["code"], severity=severity)
    return missing if concept is None else replace(missing, kind="this-code-not-in-vs", told=False)


def _excused(judged: Judged) -> list[Issue]:
    """The issues of a coding beside one that is in the value set: that its system is not known is then no error."""
    name = judged.unknown
    if name is None:
        return judged.issues
    told = issue("UNKNOWN_CODESYSTEM_CODING_NOT_CHECKED", name, at=judged.at["system"])
    return [told if i.id.startswith("UNKNOWN_CODESYSTEM") else i for i in judged.issues]


def _located(plan: Plan | None, judged: Judged) -> bool:
    """Whether the issues of a coding carry `location` beside `expression`.

    R4 has deprecated `location`. HL7's cases demand it in some answers and forbid it in others, after the age of each;
    what follows divides them, and leaves it out wherever the fault is not of one element of the input by itself.
    """
    if judged.nowhere or judged.refused:
        return False
    system = judged.coding.get("system")
    if plan is None or not system:
        return True
    whole = bool(judged.coding.get("display")) or judged.at["code"] == "code"
    if not plan.url:
        return False
    return system not in plan.versioned and not (judged.missing and whole)
