"""What was looked at and is not among the results: codes that were rejected or too doubtful, and open questions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from extractors.emit.concepts import coding
from extractors.emit.evidence import fraction
from extractors.emit.procedures import SYSTEMS
from extractors.model import Code, Coded
from fhir_profiles.systems import CODING_GAP, CONSIDERED, ICD10CM

MOST = 500
"""Codes that are told; the surest ones where there are more."""

LONGEST = 500
"""Characters of a reason."""


def considered(coded: Coded, emitted: set[tuple[str, str]]) -> list[dict[str, Any]]:
    """An extension for each code of a diagnosis or service, and place, that is not `emitted` (system, code)."""
    left: dict[tuple[str, str, int, int], Code] = {}
    for code in coded.codes:
        if code.system in (ICD10CM, *SYSTEMS) and (code.system, code.code) not in emitted:
            left.setdefault((code.system, code.code, code.start, code.end), code)
    surest = sorted(left.values(), key=lambda code: (code.status == "rejected", -code.confidence))[:MOST]
    return [_told(code) for code in sorted(surest, key=lambda code: (code.start, code.end))]


def _told(code: Code) -> dict[str, Any]:
    parts = [
        {"url": "coding", "valueCoding": coding(code.system, code.code, code.display, code.edition)},
        {"url": "status", "valueCode": code.status},
        {"url": "confidence", "valueDecimal": fraction(code.confidence, 3)},
        *_strings((("reason", code.reason[:LONGEST].strip()), ("rule", code.rule))),
        *_place(code.start, code.end),
    ]
    return {"url": CONSIDERED, "extension": parts}


def gaps(coded: Coded) -> list[dict[str, Any]]:
    """An extension for each thing that the text would have to say before a code could be chosen."""
    return [
        {
            "url": CODING_GAP,
            "extension": [
                *_strings((("question", gap.id), ("asks", gap.asks), ("cites", gap.cites))),
                *_place(gap.start, gap.end),
            ],
        }
        for gap in coded.gaps[:MOST]
    ]


def _strings(named: Iterable[tuple[str, str | None]]) -> list[dict[str, Any]]:
    return [{"url": name, "valueString": text} for name, text in named if text]


def _place(start: int, end: int) -> list[dict[str, Any]]:
    return [{"url": "offset", "valueInteger": start}, {"url": "length", "valueInteger": end - start}]
