"""What FHIR adds to FHIRPath (https://hl7.org/fhir/R4/fhirpath.html#functions), and the clock."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fhir_profiles import narrative
from fhir_profiles.definitions import load
from fhir_profiles.fhirpath.context import Context, Items, Step, single
from fhir_profiles.fhirpath.errors import PathError
from fhir_profiles.fhirpath.functions.table import argument, table
from fhir_profiles.fhirpath.operators import text
from fhir_profiles.fhirpath.temporal import Temporal
from fhir_profiles.fhirpath.types import children, is_subtype, primitives
from fhir_profiles.fhirpath.values import Node
from fhir_profiles.systems import STRUCTURE_DEFINITION


def _has_value(_context: Context, focus: Items) -> Items:
    return [len(focus) == 1 and _value(focus[0]) is not None]


def _get_value(_context: Context, focus: Items) -> Items:
    value = _value(focus[0]) if len(focus) == 1 else None
    return [] if value is None else [value]


def _value(item: Any) -> Any:
    if not isinstance(item, Node):
        return item
    from fhir_profiles.fhirpath.equality import plain

    return plain(item) if item.type in primitives() and item.value is not None else None


def _html_checks(_context: Context, focus: Items) -> Items:
    item = single(focus)
    value = item.value if isinstance(item, Node) else item
    return [] if item is None else [type(value) is str and narrative.fault(value) is None]


def _member_of(context: Context, focus: Items, value_set: Step) -> Items:
    item, url = single(focus), text(argument(context, value_set))
    if item is None or url is None:
        return []
    if context.member_of is None:
        raise PathError("memberOf() needs a terminology, and none is here.", "not-supported")
    found = context.member_of(item, url)
    return [] if found is None else [found]


def _conforms_to(context: Context, focus: Items, profile: Step) -> Items:
    item, url = single(focus), text(argument(context, profile))
    if item is None or url is None:
        return []
    name = url.removeprefix(STRUCTURE_DEFINITION)
    if isinstance(item, Node) and name != url and name in load().types:
        return [is_subtype(item.type, name)]
    found = None if context.conforms_to is None else context.conforms_to(item, url)
    if found is None:
        raise PathError("conformsTo() names a profile that is not known.", "not-found")
    return [found]


def _check_modifiers(_context: Context, focus: Items, *known: Step) -> Items:
    urls = {text(single(step(_context, _context.this))) for step in known}
    for item in focus:
        if isinstance(item, Node):
            for extension in children(item, "modifierExtension"):
                if extension.value.get("url") not in urls:
                    raise PathError("a modifier extension stands there that is not known.", "extension")
    return focus


def _now(context: Context, _focus: Items) -> Items:
    moment = context.moment()
    return [Temporal.read(moment.isoformat(timespec="milliseconds"))]


def _today(context: Context, _focus: Items) -> Items:
    return [Temporal.read(context.moment().date().isoformat())]


def _time_of_day(context: Context, _focus: Items) -> Items:
    return [Temporal.read("T" + context.moment().time().isoformat(timespec="milliseconds"))]


_NO_TERMINOLOGY = "subsumes() and subsumedBy() need a terminology, and none is here."


def _refused(reason: str) -> Callable[[Context, Items, Step], Items]:
    def refuse(_context: Context, _focus: Items, _code: Step) -> Items:
        raise PathError(reason, "not-supported")

    return refuse


FUNCTIONS = table(
    hasValue=_has_value,
    getValue=_get_value,
    htmlChecks=_html_checks,
    memberOf=_member_of,
    conformsTo=_conforms_to,
    checkModifiers=_check_modifiers,
    subsumes=_refused(_NO_TERMINOLOGY),
    subsumedBy=_refused(_NO_TERMINOLOGY),
    now=_now,
    today=_today,
    timeOfDay=_time_of_day,
)
