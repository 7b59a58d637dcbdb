"""Which codes and which value set a call is about (https://hl7.org/fhir/R4/valueset-operation-validate-code.html)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fhir_profiles.errors import Category, FhirError
from terminology.effort import step
from terminology.operations.call import Call, wrong
from terminology.operations.issues import issue, refused
from terminology.operations.shelf import Library, Shelf

Json = dict[str, Any]
MOST_CODINGS = 1_000
"""Codings of one concept."""

_ELEMENTS = ("code", "system", "version", "display")
_PLAIN = {name: name for name in _ELEMENTS} | {"": "code"}
"""Where the elements of a coding stand that came as single parameters."""


def shelf_of(call: Call, library: Library, inline: Json | None) -> Shelf:
    """What there is for one call, with the supplements that it wants; `inline` is the resource that it is called on."""
    shelf = Shelf(library, call, [inline, *contained_in(inline)] if inline else ())
    for supplement in call.all("useSupplement"):
        shelf.supplement(str(supplement))
    return shelf


def contained_in(resource: Json) -> list[Json]:
    """The resources that one contains."""
    contained = resource.get("contained")
    return [one for one in contained if isinstance(one, dict)] if isinstance(contained, list) else []


def named_value_set(call: Call, shelf: Shelf) -> Json:
    """The ValueSet that `url` names."""
    url = call.text("url")
    if not url:
        raise wrong("Name the value set by url, or send it as valueSet.", "url")
    version = call.text("valueSetVersion")
    name = f"{url}|{version}" if version and "|" not in url else url
    found = shelf.value_set(name)
    if found is None:
        raise refused(Category.NOT_FOUND, issue("Unable_to_resolve_value_Set_", name))
    return found


def codings_of(call: Call) -> tuple[list[Json], Json | None]:
    """The codings that are asked about, and the CodeableConcept they came in."""
    concept, coding, code = call.value("codeableConcept"), call.value("coding"), call.text("code")
    if (concept is None) + (coding is None) + (code is None) != 2:
        raise refused(Category.INCORRECT, issue("CODE_NOT_SENT"))
    if concept is not None:
        codings = concept.get("coding", [])
        if not isinstance(codings, list):
            raise wrong("A codeableConcept has a list of codings.", "codeableConcept")
        if len(codings) > MOST_CODINGS:
            text = f"A codeableConcept may have {MOST_CODINGS} codings."
            raise FhirError.of(Category.INCORRECT, "too-costly", text, "codeableConcept")
        return [_copied(c) for c in codings], _filled(concept)
    if coding is not None:
        return [_copied(coding)], None
    if not code:
        raise refused(Category.INCORRECT, issue("CODE_NOT_SENT"))
    _spaced(code)
    single: Json = {"code": code}
    for element, name in (("system", "system"), ("version", "systemVersion"), ("display", "display")):
        if (given := call.text(name)) is not None:
            single[element] = given
    single["_plain"] = True
    return [single], None


def _copied(coding: Any) -> Json:
    """A coding to work on; FhirError when it is none."""
    step(16)
    if not isinstance(coding, dict) or not all(isinstance(coding.get(name, ""), str) for name in _ELEMENTS):
        raise wrong("A coding has a code, a system, a version and a display, each a text.", "coding")
    _spaced(coding.get("code", ""))
    return {name: value for name, value in coding.items() if value and name in _ELEMENTS}


def _filled(concept: Json) -> Json:
    """A CodeableConcept without empty texts, which no FHIR may have and no answer may repeat."""
    if all(all(coding.values()) for coding in concept.get("coding", ())):
        return concept
    codings = ({name: value for name, value in coding.items() if value != ""} for coding in concept["coding"])
    kept = {**concept, "coding": [coding for coding in codings if coding]}
    return kept if kept["coding"] else {name: value for name, value in kept.items() if name != "coding"}


def _spaced(code: str) -> None:
    """Refuse what is no FHIR code, because the answer must repeat it as one."""
    if not code.isalnum() and " ".join(code.split()) != code:
        raise wrong("A code has no spaces before or after it, and single ones within it.", "code")


def placed(codings: Sequence[Json], concept: Json | None) -> list[tuple[Json, dict[str, str]]]:
    """Each coding with the places of its elements in the call."""
    found = []
    for n, coding in enumerate(codings):
        if coding.pop("_plain", False):
            at = _PLAIN
        else:
            path = "Coding" if concept is None else f"CodeableConcept.coding[{n}]"
            at = {name: f"{path}.{name}" for name in _ELEMENTS} | {"": path}
        found.append((coding, at))
    return found
