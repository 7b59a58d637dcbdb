"""Goals and plans to Goal, ServiceRequest and CarePlan (https://hl7.org/fhir/R4/careplan.html)."""

from __future__ import annotations

from fhir_profiles.systems import US_CORE_CARE_PLAN_CATEGORY

from . import times
from .observations import value_of
from .sheet import Sheet, is_negated, status_of
from .tree import Element, find, words
from .values import Json, absent_concept

_LIFE = {
    "active": "active",
    "completed": "completed",
    "aborted": "cancelled",
    "cancelled": "cancelled",
    "suspended": "on-hold",
    "held": "on-hold",
    "nullified": "entered-in-error",
    "new": "proposed",
}
_MOST = 20_000  # characters of a plan's own words


def goal(sheet: Sheet, node: Element) -> dict[str, str] | None:
    """One goal with its target; its Reference."""
    if is_negated(node):
        sheet.left("a goal that is denied")
        return None
    start, end = times.span(find(node, "v:effectiveTime"), sheet.notes)
    value = value_of(sheet, find(node, "v:value"))
    code = sheet.concept(find(node, "v:code"))
    said = sheet.said(node) or str(value.get("valueString") or "")
    detail = {f"detail{key[5:]}": one for key, one in value.items() if key != "valueDateTime"}
    target: Json = {"measure": code, **detail} if detail and code else {}
    if end:
        target["dueDate"] = end[:10]
    content: Json = {
        "lifecycleStatus": status_of(node, _LIFE, "active"),
        "description": {**code, "text": said} if said else code or absent_concept(find(node, "v:code")),
        "startDate": start[:10] if start else None,
        "target": [target] if target else [],
    }
    return sheet.entry("Goal", node, content)


def care_plan(sheet: Sheet, section: Element, activities: list[dict[str, str]], goals: list[dict[str, str]]) -> None:
    """The plan of a section: its own words, what is asked for in it, and its goals."""
    title = words(find(section, "v:title"))
    text = find(section, "v:text")
    said = (
        "\n".join(" ".join(line.split()) for line in "".join(map(str, text.itertext())).splitlines())
        if (text is not None)
        else ""
    )
    said = "\n".join(line for line in said.splitlines() if line)[:_MOST]
    if not (said or activities or goals):
        return
    content: Json = {
        "status": "active",
        "intent": "plan",
        "category": [{"coding": [{"system": US_CORE_CARE_PLAN_CATEGORY, "code": "assess-plan"}]}],
        "title": title,
        "description": said,
        "subject": dict(sheet.patient),
        "encounter": sheet.encounter,
        "activity": [{"reference": one} for one in activities],
        "goal": goals,
    }
    sheet.add("CarePlan", None, content)
