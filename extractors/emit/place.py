"""Where a service was rendered, as far as the document says it (https://www.cms.gov/medicare/coding-billing/place-of-service-codes)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from extractors.emit.concepts import coding
from extractors.emit.evidence import evidence
from extractors.emit.source import Source
from extractors.model import Code, Coded, Document, Span
from fhir_profiles.systems import CPT, PLACE_OF_SERVICE
from terminology.fragments import starter

HEAD = 700  # characters at the beginning that name who wrote the document, and where


def place_of(source: Source, document: Document, coded: Coded, services: Iterable[Code]) -> dict[str, Any] | None:
    """The place of all services as a CodeableConcept, with the words that say it; None where the document is silent.

    A service that is defined by its place settles it; then a visit by telephone or video, by where the patient was;
    then what the first lines call the document or the house. A hospital stay is billed by the hospital, without one.
    """
    if coded.setting == "inpatient":
        return None
    code, span = _settled(document.text.lower(), list(services))
    known = starter(PLACE_OF_SERVICE).get(code)
    if known is None:
        return None
    out = coding(PLACE_OF_SERVICE, code, known.display)
    return {"coding": [{"extension": evidence(source, document, [span]), **out} if span else out]}


def _settled(text: str, services: list[Code]) -> tuple[str, Span | None]:
    """The place, "" when nothing tells it, and the words that do."""
    table = _table()
    for row in table["services"]:
        for service in services:
            if service.system == CPT and service.code in row["codes"]:
                return row["place"], (service.start, service.end)
    remote = next((s for s in services if set(s.modifiers) & set(table["telehealth"]["modifiers"])), None)
    found = next(
        ((row["place"], m.span()) for row, words in _heads() if (m := words.search(text, 0, HEAD))), ("", None)
    )
    if remote is None and found[0] != "02":
        return found
    home = _home().search(text)
    if home:
        return "10", home.span()
    return "02", found[1] if found[0] == "02" or remote is None else (remote.start, remote.end)


@cache
def _table() -> Mapping[str, Any]:
    return json.loads(files("extractors.emit").joinpath("places.json").read_text("utf-8"))  # type: ignore[no-any-return]


@cache
def _heads() -> list[tuple[Mapping[str, str], re.Pattern[str]]]:
    return [(row, re.compile(row["words"])) for row in _table()["heads"]]


@cache
def _home() -> re.Pattern[str]:
    return re.compile(_table()["telehealth"]["home"])
