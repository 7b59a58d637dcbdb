"""Whether a code may be used (https://hl7.org/fhir/R4/codesystem-operation-validate-code.html)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING

from fhir_profiles.systems import CPT, HCPCS, ICD10CM, ICD10PCS, LOINC, NDC
from terminology import ndc
from terminology.check_digits import meant_loinc
from terminology.editions import in_force, period
from terminology.folding import fold
from terminology.icd10.advice import next_characters, procedure_spellings, sevenths, spellings
from terminology.medicare import status_remark
from terminology.model import Concept, Edition, Validation
from terminology.shapes import misshapen

if TYPE_CHECKING:
    from terminology.terminology import Terminology

SHOWN_CODES = 4
"""Codes below a header that a message names."""


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
    lapsed = _lapsed(edition, concept, on)
    messages = [
        None if concept.code == code else f"{code} is another spelling of {concept.code}",
        outside(edition, on),
        lapsed or _ending(concept, on) or _inactive(concept),
        _header(terminology, edition, concept),
        status_remark(terminology, concept, on),
    ]
    wrong = _wrong_display(terminology, concept, display)
    refused = None if labels_are_ours(edition) else wrong
    text = "; ".join(m for m in (*messages, wrong) if m) or None
    issue = "business-rule" if lapsed else "invalid" if refused else "informational" if text else None
    return Validation(
        not (lapsed or refused), system, code, concept.display, edition.version, concept.billable, text, issue
    )


def _no_edition(terminology: Terminology, system: str, code: str, version: str | None) -> Validation:
    loaded = ", ".join(e.version for e in terminology.editions(system))
    if loaded:
        text = f"Version {version} of this code system is not loaded; loaded: {loaded}"
    else:
        text = "This code system is not loaded: load it with `fhirwright load`, or check its URI"
    return Validation(False, system, code, message=text, issue="not-found")


def _unknown(terminology: Terminology, edition: Edition, code: str) -> Validation:
    misfit = misshapen(edition.system, code)
    title = f"{edition.title} {edition.version}"
    if edition.content == "fragment" and misfit is None:
        text = f"The code is not known to the loaded fragment of {title}, so it could not be checked"
        return Validation(True, edition.system, code, None, edition.version, None, text, "code-invalid")
    text = f"The code does not exist in {title}"
    elsewhere = _elsewhere(terminology, edition, code)
    better = [] if elsewhere else _existing(terminology, edition, code)[:2]
    if elsewhere:
        text += f"; {elsewhere}"
    if better:
        text += f"; did you mean {' or '.join(better)}?"
    elif not elsewhere and misfit is not None:
        text += f": {misfit}"
    elif edition.system == ICD10CM:
        text += _nearest_header(terminology, edition, code)
    elif edition.system == ICD10PCS:
        text += next_characters(code, lambda c: terminology.descendants(ICD10PCS, c, edition.version))
    return Validation(False, edition.system, code, None, edition.version, None, text, "code-invalid")


def _elsewhere(terminology: Terminology, edition: Edition, code: str) -> str:
    """Which other editions have a code, in words; empty when none does."""
    editions = _whole(terminology, edition.system)
    if edition not in editions or len(editions) == 1:
        return ""
    here = editions.index(edition)
    held = [n for n, e in enumerate(editions) if n != here and _code(terminology, e, code) is not None]
    before, after = [n for n in held if n < here], [n for n in held if n > here]
    told = []
    if before:
        last = editions[before[-1]]
        told.append(f"it was retired after edition {last.version}" + (f" ({last.end})" if last.end else ""))
    if after:
        first = editions[after[0]]
        told.append(f"it exists from edition {first.version} on" + (f" ({first.start})" if first.start else ""))
    return " and ".join(told)


def _whole(terminology: Terminology, system: str) -> list[Edition]:
    """The complete editions, oldest first."""
    return [e for e in terminology.editions(system) if e.content == "complete"]


def _code(terminology: Terminology, edition: Edition, code: str) -> Concept | None:
    concept = terminology.lookup(edition.system, code, edition.version)
    return None if concept is None or concept.group else concept


def _existing(terminology: Terminology, edition: Edition, code: str) -> list[str]:
    """Codes of the edition that may be meant, likeliest first: billable ones where there are any."""
    spelt = (s for s in dict.fromkeys(_SPELLINGS.get(edition.system, _upper)(code)) if s != code)
    found = [c for s in spelt if (c := _code(terminology, edition, s)) is not None]
    good = [c.code for c in found if c.billable is not False]
    return good or [c.code for c in found if not code.startswith(c.code)]  # a mere part is told with its choices


def _upper(code: str) -> Iterator[str]:
    yield code.strip().upper()


def _checked(code: str) -> Iterator[str]:
    """A LOINC number with the check digit that its digits call for."""
    yield meant_loinc(code.strip()) or code


_SPELLINGS = {ICD10CM: spellings, ICD10PCS: procedure_spellings, LOINC: _checked, NDC: ndc.spellings}


def _nearest_header(terminology: Terminology, edition: Edition, code: str) -> str:
    for end in range(len(code) - 1, 2, -1):
        header = terminology.lookup(edition.system, code[:end].rstrip("."), edition.version)
        if header is not None:
            told = " (billable)" if header.billable else f" ({_choices(terminology, header)})"
            return f"; the longest part that does is {header.code} {header.display}{told}"
    return ""


def _choices(terminology: Terminology, header: Concept) -> str:
    """How to go on from a header to a billable code."""
    below = terminology.descendants(header.system, header.code, header.version)
    if (told := sevenths(header, below)) is not None:
        return told
    leaves = [c.code for c in below if c.billable]
    shown = ", ".join(leaves[:SHOWN_CODES])
    return f"{len(leaves)} billable codes below: {shown}{' …' if len(leaves) > SHOWN_CODES else ''}"


def _header(terminology: Terminology, edition: Edition, concept: Concept) -> str | None:
    if concept.billable is not False:
        return None
    text = f"The code exists but is not billable ({_choices(terminology, concept)})"
    editions = _whole(terminology, edition.system)
    older = editions[: editions.index(edition)] if edition in editions else []
    once = [e for e in older if (c := _code(terminology, e, concept.code)) is not None and c.billable]
    return f"{text}; it was billable until edition {once[-1].version}" if once else text


def outside(edition: Edition, on: date | None) -> str | None:
    """A remark where the edition that answers does not govern the date of service; None where it does."""
    if in_force(edition, on):
        return None
    return f"Checked against {edition.title} {edition.version} ({period(edition)}): no edition for {on} is loaded"


def labels_are_ours(edition: Edition) -> bool:
    """Whether the displays of an edition are not the publisher's, so that another one is not wrong: CPT and HCPCS."""
    return edition.content == "fragment" and edition.system in (CPT, HCPCS)


def term_of_use(edition: Edition, concept: Concept, on: date | None) -> tuple[str | None, str | None]:
    """Why a code of an edition may not be used on a day of service, or at all; else until when it may be."""
    lapsed = _lapsed(edition, concept, on)
    return lapsed, None if lapsed else _ending(concept, on)


def _lapsed(edition: Edition, concept: Concept, on: date | None) -> str | None:
    """Without a date of service a code must not have ended when its edition began."""
    if concept.end and concept.end < (on or edition.start or date.max):
        return f"The code was retired after {concept.end}" + _instead(concept)
    if concept.start and on and on < concept.start:
        return f"The code came into force on {concept.start}, after the date of service"
    return None


def _inactive(concept: Concept) -> str | None:
    """A remark on a code that its source keeps for what was recorded with it."""
    return None if concept.active else "The code is inactive" + _instead(concept)


def _instead(concept: Concept) -> str:
    """What the source says to use, for the end of a sentence."""
    use = concept.properties.get("replaced_by") or concept.properties.get("MAP_TO")
    use = " or ".join(use) if isinstance(use, list) else use
    return f": use {use}" if use else ""


def _ending(concept: Concept, on: date | None) -> str | None:
    """A remark where no date of service is known and the days of a code end within its edition."""
    return f"The code may be used until {concept.end}" if concept.end and on is None else None


def _wrong_display(terminology: Terminology, concept: Concept, display: str | None) -> str | None:
    if display is None or not concept.display or fold(display) == fold(concept.display):
        return None
    if fold(display) in {fold(text) for text in terminology.terms_of(concept.system, concept.code, concept.version)}:
        return None
    return f"The display is wrong: the code means {concept.display!r}"
