"""Whether a code of a published system, or of one that follows rules, may be used."""

from __future__ import annotations

from fhir_profiles.systems import UCUM
from terminology.code_system import CodeSystem
from terminology.core import core
from terminology.folding import fold
from terminology.model import Validation
from terminology.ucum.spellings import suggestion
from terminology.value_sets.systems import GRAMMARS

MAX_NAMED = 12
"""A code system of up to so many codes is told whole when a code is not among them."""


def validate_published(system: str, code: str, display: str | None, version: str | None) -> Validation | None:
    """The answer for a system by rules or of HL7's core; None for any other."""
    rules = GRAMMARS.get(system)
    if rules is not None:
        return _by_rules(system, code, rules.has(code))
    listed = core().code_system(system)
    if listed is None or version not in (None, listed.version):
        return None
    return _listed(listed, code, display)


def _by_rules(system: str, code: str, valid: bool | None) -> Validation:
    if valid:
        return Validation(True, system, code)
    if valid is None:
        text = "The code has the form of one; which exist is not known here, so it could not be checked"
        return Validation(True, system, code, message=text, issue="code-invalid")
    meant = suggestion(code) if system == UCUM else None
    text = "The code does not follow the rules of its code system" + (f"; did you mean {meant}?" if meant else "")
    return Validation(False, system, code, message=text, issue="code-invalid")


def _listed(listed: CodeSystem, code: str, display: str | None) -> Validation:
    position = listed.position(code)
    if position is None and not listed.complete:
        text = f"The code is not in the part of {_title(listed)} that is known here, so it could not be checked"
        return Validation(True, listed.url, code, None, listed.version, None, text, "code-invalid")
    if position is None:
        return Validation(False, listed.url, code, None, listed.version, None, _missing(listed, code), "code-invalid")
    known = listed.displays[position]
    names = {fold(known), *(fold(str(d.get("value", ""))) for d in listed.designations.get(position, ()))}
    wrong = display is not None and known != "" and fold(display) not in names
    messages = [
        "The code groups others and is not meant to be used itself" if listed.abstract(position) else None,
        "The code is no longer in use" if listed.inactive(position) else None,
        f"The display is wrong: the code means {known!r}" if wrong else None,
    ]
    told = "; ".join(m for m in messages if m) or None
    issue = "invalid" if wrong else "business-rule" if told else None
    return Validation(not wrong, listed.url, listed.codes[position], known or None, listed.version, None, told, issue)


def _missing(listed: CodeSystem, code: str) -> str:
    text = f"The code does not exist in {_title(listed)}"
    folded = code.strip().casefold()
    for near in listed.codes:
        if near.casefold() == folded:
            return f"{text}; did you mean {near}?"
    return f"{text}; it has {', '.join(listed.codes)}" if len(listed.codes) <= MAX_NAMED else text


def _title(listed: CodeSystem) -> str:
    return str(listed.head.get("title") or listed.head.get("name") or "its code system")
