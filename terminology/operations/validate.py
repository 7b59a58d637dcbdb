"""`$validate-code` on CodeSystem and ValueSet (https://hl7.org/fhir/R4/valueset-operation-validate-code.html)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fhir_profiles.errors import Category, FhirError
from terminology.operations.asked import codings_of, named_value_set, placed, shelf_of
from terminology.operations.call import Call, answer, wrong
from terminology.operations.issues import Issue, issue, refused
from terminology.operations.judge import Judge
from terminology.operations.plan import Planner
from terminology.operations.prepared import Prepared, Told
from terminology.operations.shelf import Library
from terminology.operations.verdict import echo, verdict, words

Json = dict[str, Any]
ABOUT_CODE = frozenset({
    "code", "coding", "codeableConcept", "display", "system", "abstract", "lenient-display-validation",
})  # fmt: skip
OF_CODE_SYSTEM = ABOUT_CODE | {"url", "version", "systemVersion", "codeSystem"}
OF_VALUE_SET = ABOUT_CODE | {
    "url", "valueSet", "valueSetVersion", "systemVersion", "inferSystem", "activeOnly",
    "valueset-membership-only",
}  # fmt: skip


VARIES = frozenset(("code", "display"))


def _in_code_system(call: Call, library: Library, instance: Json | None) -> Told:
    inline = instance or call.value("codeSystem")
    call.only(OF_CODE_SYSTEM)
    judge = Judge(call, shelf_of(call, library, inline), None)
    url = (inline or {}).get("url") or call.text("url") or call.text("system")
    version = call.text("version") or (inline or {}).get("version")

    def told(call: Call) -> Json:
        codings, concept = codings_of(call)
        for coding in codings:
            if url:
                coding.setdefault("system", url)
            if version and "version" not in coding:
                coding["version"] = version
        if not codings or (call.all("code") and not url):
            raise wrong("Name the code system by url, or send a coding with a system.", "url")
        return verdict(None, [judge.judge(*pair) for pair in placed(codings, concept)], concept)

    return told


def _in_value_set(call: Call, library: Library, instance: Json | None) -> Told:
    inline = instance or call.value("valueSet")
    codings_of(call)  # a call without a code is told so before a value set that is not known
    call.only(OF_VALUE_SET)
    shelf = shelf_of(call, library, inline)
    if call.all("code") and not call.all("system") and not call.flag("inferSystem"):
        raise refused(Category.INCORRECT, issue("CODE_NOT_SENT"))
    resource = inline or named_value_set(call, shelf)
    try:
        plan = Planner(shelf, _unknown_import).plan(resource)
    except _ImportUnknown as unknown:
        error = unknown
        return lambda call: _failed(error, *codings_of(call))
    judge = Judge(call, shelf, plan)

    def told(call: Call) -> Json:
        codings, concept = codings_of(call)
        return verdict(plan, [judge.judge(*pair) for pair in placed(codings, concept)], concept)

    return told


validate_in_code_system = Prepared(_in_code_system, VARIES)
"""Parameters that say whether a code is of a code system; FhirError when nothing can be said."""

validate_in_value_set = Prepared(_in_value_set, VARIES)
"""Parameters that say whether a code is of a value set; FhirError when nothing can be said."""


class _ImportUnknown(FhirError):
    """A value set that is imported is not known: the code is then not valid, but the call has an answer."""


def _unknown_import(name: str, _pinned: str | None) -> FhirError:
    return _ImportUnknown(Category.NOT_FOUND, issue("Unable_to_resolve_value_Set_", name))


def _failed(error: _ImportUnknown, codings: Sequence[Json], concept: Json | None) -> Json:
    told = [p for p in error.problems if isinstance(p, Issue)]
    parameters: list[Json] = [{"name": "result", "valueBoolean": False}]
    if concept is not None:
        parameters.append({"name": "codeableConcept", "valueCodeableConcept": concept})
    else:
        parameters += echo(codings[0])
    return answer(*parameters, *words(told))
