"""Whether a code may be used (https://hl7.org/fhir/R4/codesystem-operation-validate-code.html)."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from fhir_profiles.systems import ICD10CM
from terminology.editions import in_force, period
from terminology.folding import fold
from terminology.model import Concept, Edition, Validation
from terminology.shapes import SHAPES

if TYPE_CHECKING:
    from terminology.terminology import Terminology


def validate(
    terminology: Terminology, system: str, code: str, display: str | None, version: str | None, on: date | None
) -> Validation:
    """Answer in order: system, version, shape, existence, date, display."""
    edition = terminology.edition(system, on, version)
    if edition is None or edition.content != "complete":
        from terminology.published import validate_published  # a code of a whole edition does not pay for the rest

        published = validate_published(system, code, display, version)
        if published is not None:
            return published
    if edition is None:
        return _no_edition(terminology, system, code, version)
    concept = terminology.lookup(system, code, version or edition.version)
    if concept is None or concept.group:
        return _unknown(terminology, edition, code)
    messages = [_period(edition, on), _lapsed(concept, on), _header(terminology, concept)]
    wrong = _wrong_display(terminology, concept, display)
    lapsed = messages[1] is not None
    text = "; ".join(m for m in (*messages, wrong) if m) or None
    issue = "business-rule" if lapsed else "invalid" if wrong else "informational" if text else None
    return Validation(
        not (lapsed or wrong), system, code, concept.display, edition.version, concept.billable, text, issue
    )


def _no_edition(terminology: Terminology, system: str, code: str, version: str | None) -> Validation:
    loaded = ", ".join(e.version for e in terminology.editions(system))
    if loaded:
        text = f"Version {version} of this code system is not loaded; loaded: {loaded}"
    else:
        text = "This code system is not loaded: load it with `fhirwright load`, or check its URI"
    return Validation(False, system, code, message=text, issue="not-found")


def _unknown(terminology: Terminology, edition: Edition, code: str) -> Validation:
    shape = SHAPES.get(edition.system)
    title = f"{edition.title} {edition.version}"
    if edition.content == "fragment" and (shape is None or shape.fullmatch(code)):
        text = f"The code is not known to the loaded fragment of {title}, so it could not be checked"
        return Validation(True, edition.system, code, None, edition.version, None, text, "code-invalid")
    text = f"The code does not exist in {title}"
    better = next(
        (c for c in _repairs(edition.system, code) if terminology.lookup(edition.system, c, edition.version)), None
    )
    if better:
        text += f"; did you mean {better}?"
    elif shape is not None and not shape.fullmatch(code):
        text += ": it does not have the shape of one"
    elif edition.system == ICD10CM:
        text += _nearest_header(terminology, edition, code)
    return Validation(False, edition.system, code, None, edition.version, None, text, "code-invalid")


def _repairs(system: str, code: str) -> list[str]:
    bare = code.strip().upper()
    if system != ICD10CM:
        return [bare] if bare != code else []
    bare = bare.replace(".", "").replace(" ", "")
    dotted = bare if len(bare) <= 3 else f"{bare[:3]}.{bare[3:]}"
    return [c for c in (dotted, dotted.rstrip("0")) if c != code]


def _nearest_header(terminology: Terminology, edition: Edition, code: str) -> str:
    for end in range(len(code) - 1, 2, -1):
        header = terminology.lookup(edition.system, code[:end].rstrip("."), edition.version)
        if header is not None:
            return f"; the longest part that does is {header.code} {header.display}" + _choices(terminology, header)
    return ""


def _choices(terminology: Terminology, header: Concept) -> str:
    if header.billable:
        return " (billable)"
    leaves = [c.code for c in terminology.descendants(header.system, header.code) if c.billable]
    shown = ", ".join(leaves[:4])
    return f" ({len(leaves)} billable codes below: {shown}{' …' if len(leaves) > 4 else ''})"


def _header(terminology: Terminology, concept: Concept) -> str | None:
    if concept.billable is not False:
        return None
    return "The code exists but is not billable" + _choices(terminology, concept)


def _period(edition: Edition, on: date | None) -> str | None:
    if in_force(edition, on):
        return None
    return f"Checked against {edition.title} {edition.version} ({period(edition)}): no edition for {on} is loaded"


def _lapsed(concept: Concept, on: date | None) -> str | None:
    if concept.end and (on is None or on > concept.end):
        use = concept.properties.get("replaced_by")
        return f"The code was retired after {concept.end}" + (f": use {use}" if use else "")
    if concept.start and on and on < concept.start:
        return f"The code came into force on {concept.start}, after the date of service"
    return None


def _wrong_display(terminology: Terminology, concept: Concept, display: str | None) -> str | None:
    if display is None or fold(display) == fold(concept.display):
        return None
    if fold(display) in {fold(text) for text in terminology.terms_of(concept.system, concept.code)}:
        return None
    return f"The display is wrong: the code means {concept.display!r}"
