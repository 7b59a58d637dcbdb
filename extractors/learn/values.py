"""Whether cases of vital signs and laboratory values are solved, in the form of the ClarityNLP tests.

A threshold ("call when temp > 101") is found with the mark `hypothetical`: it counts where a value is expected, and is
no value where none is. A case with `matches` is right when every expected piece is overlapped by a finding with the
same numbers. A case with `values` is right when, for every expected (term, x, y, condition), a finding holds x (one of
the two numbers of a blood pressure), y as the end of its range, and the same comparison (an expected word is the
value, or stands with its term in the evidence: "POSITIVE Titer"); and, where nothing is expected, when nothing present
is found for the queried names. Cases of the second kind whose gold leaves out a plain printed value (respiratory rates
that the source's test filters away) are counted apart, as `disputed`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from extractors.findings.analytes import load
from extractors.findings.stage import find_measurements
from extractors.model import Document, Finding

CONDITIONS = {"STR_LT": "<", "STR_LTE": "<=", "STR_GT": ">", "STR_GTE": ">=", "STR_EQUAL": None}
DISPUTED = re.compile(r"(?i)^rr(?![a-z])")


def found(text: str) -> list[Finding]:
    """The vital signs and laboratory values of a text."""
    return find_measurements(Document(text, "text/plain", ""))


def numbers(finding: Finding) -> list[tuple[Decimal, Decimal | None]]:
    """(value, end of range) of a finding; both of a blood pressure."""
    parts = finding.attributes.get("components") or [finding.attributes]
    return [(p["value"], p.get("value_high")) for p in parts if "value" in p]


def right(row: Mapping[str, Any]) -> bool:
    """True when the case is solved."""
    text, gold = row["text"], row["gold"]
    findings = found(text)
    if "matches" in gold:
        return all(_piece(text, m["match_text"], findings) for m in gold["matches"])
    names = {n.strip().lower() for n in gold["query"].split(",")}
    if not gold["values"]:
        by_name = load().by_name
        codes = {by_name[n].loinc for n in names if n in by_name}
        return not any(f.attributes.get("loinc") in codes for f in findings if not f.assertion.hypothetical)
    return all(_expected(v, findings) for v in gold["values"])


def _piece(text: str, piece: str, findings: list[Finding]) -> bool:
    at = text.find(piece)
    wanted = {Decimal(n.replace(",", "")) for n in re.findall(r"\d[\d,]*(?:\.\d+)?", piece)}
    return any(f.start < at + len(piece) and at < f.end and {v for v, _ in numbers(f)} & wanted for f in findings)


def _expected(value: list[Any], findings: list[Finding]) -> bool:
    term, x, y, condition = value
    if isinstance(x, str):
        return any(
            str(f.attributes.get("value_text", "")).lower() == x or (term in f.text.lower() and x in f.text.lower())
            for f in findings
        )
    for f in findings:
        sign = f.attributes.get("comparator")
        for low, high in numbers(f):
            ranged = condition in ("STR_RANGE", "STR_FRACTION_RANGE")
            if (
                low == Decimal(str(x))
                and (not ranged or high == Decimal(str(y)))
                and (ranged or sign == CONDITIONS[condition])
            ):
                return True
    return False


def disputed(row: Mapping[str, Any]) -> bool:
    """True where the gold leaves out a value that is plainly printed."""
    gold = row["gold"]
    return "values" in gold and not gold["values"] and DISPUTED.search(row["text"]) is not None


def values(lines: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """How many undisputed cases are right (`failed`: the ids of the others)."""
    plain = [line for line in lines if not disputed(line)]
    failed = [str(line.get("id", "")) for line in plain if not right(line)]
    return {"right": len(plain) - len(failed), "cases": len(plain), "failed": failed}
