"""Vaccines that were given (https://hl7.org/fhir/R4/immunization.html)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from extractors.emit.basis import grounded
from extractors.emit.clean import clean
from extractors.emit.concepts import coding, spans_of
from extractors.emit.procedures import services
from extractors.emit.source import Context, Source
from extractors.emit.status import doubt, tags
from extractors.model import Code, Coded, Document
from fhir_profiles.systems import CPT, CVX
from terminology.fragments import starter

_LOT = re.compile(r"\blot(?: (?:no\.?|number))?\s?[#:]?\s?([A-Z0-9][A-Z0-9-]{3,14})\b", re.IGNORECASE)
_SITE = re.compile(r"\b(?:left|right|l|r)\.? (?:deltoid|thigh|arm|vastus lateralis|gluteal)\b", re.IGNORECASE)
_BESIDE = 90  # characters of the line after the vaccine's name that tell of the dose


def given(coded: Coded) -> list[Sequence[Code]]:
    """The accepted services that are vaccines of the CVX table, equal ones together."""
    return [codes for codes in services(coded).values() if codes[0].system == CPT and codes[0].code in _vaccines()]


def emit_immunization(
    source: Source, document: Document, coded: Coded, context: Context, codes: Sequence[Code], id: str
) -> dict[str, Any]:
    """One Immunization for a vaccine that was given, by its CPT number as printed or chosen, and that number's CVX."""
    unsure = doubt([coded.findings.items[code.finding] for code in codes])
    vaccine = grounded(source, document, coded, codes)
    code, label = _vaccines()[codes[0].code]
    vaccine["coding"].insert(0, coding(CVX, code, label))
    if vaccine["text"][:1].isdigit():  # a printed number tells a reader nothing
        vaccine["text"] = label
    out: dict[str, Any] = {
        "resourceType": "Immunization",
        "id": id,
        **tags(doubtful=bool(unsure)),
        "status": "completed",
        "vaccineCode": vaccine,
        "patient": dict(context.subject),
    }
    if context.encounter:
        out["encounter"] = dict(context.encounter)
    if coded.service_date:
        out["occurrenceDateTime"] = coded.service_date.isoformat()
    else:
        out["occurrenceString"] = "unknown"
    out["primarySource"] = True
    beside = [_beside(document.text, end) for _, end in spans_of(codes)]
    if lot := next((found[1] for text in beside if (found := _LOT.search(text))), None):
        out["lotNumber"] = lot
    if site := next((found[0] for text in beside if (found := _SITE.search(text))), None):
        out["site"] = {"text": clean(site)}
    if context.performer:
        out["performer"] = [{"actor": dict(context.performer)}]
    if unsure:
        out["note"] = [{"text": unsure}]
    return out


def _beside(text: str, end: int) -> str:
    """The rest of the line, up to where another item begins."""
    return re.split(r"[\n;]", text[end : end + _BESIDE], maxsplit=1)[0]


@cache
def _vaccines() -> Mapping[str, tuple[str, str]]:
    """CPT number → CVX code and its label, of the starter table."""
    return {concept.properties["cpt"]: (concept.code, concept.display) for concept in starter(CVX).values()}
