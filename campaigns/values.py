"""Score values on the ClarityNLP cases: `campaigns/values.py [--errors]`.

A case with `matches` is right when every expected piece is overlapped by a finding with the same numbers. A case with
`values` is right when, for every expected (term, x, y, condition), a finding whose name stands in the text holds x (one
of the two numbers of a blood pressure), y as the end of its range, and the same comparison; and, where nothing is
expected, when nothing present is found for the queried names. Cases of the second kind whose gold leaves out a plain
printed value (respiratory rates that the source's test filters away) are counted apart, as `disputed`.
"""

from __future__ import annotations

import argparse
import json
import re
from decimal import Decimal
from pathlib import Path

from extractors.findings.analytes import load
from extractors.findings.stage import find_measurements
from extractors.model import Document, Finding

CORPUS = Path(__file__).parents[2] / "shared" / "corpus" / "values_claritynlp.jsonl"
CONDITIONS = {"STR_LT": "<", "STR_LTE": "<=", "STR_GT": ">", "STR_GTE": ">=", "STR_EQUAL": None}
DISPUTED = re.compile(r"(?i)^rr\b")


def found(text: str) -> list[Finding]:
    """The vital signs and laboratory values of a text."""
    return [f for f in find_measurements(Document(text, "text/plain", "")) if not f.assertion.hypothetical]


def numbers(finding: Finding) -> list[tuple[Decimal, Decimal | None]]:
    """(value, end of range) of a finding; both of a blood pressure."""
    parts = finding.attributes.get("components") or [finding.attributes]
    return [(p["value"], p.get("value_high")) for p in parts if "value" in p]


def right(row: dict) -> bool:
    """True when the case is solved."""
    text, gold = row["text"], row["gold"]
    findings = found(text)
    if "matches" in gold:
        return all(_piece(text, m["match_text"], findings) for m in gold["matches"])
    names = {n.strip().lower() for n in gold["query"].split(",")}
    if not gold["values"]:
        by_name = load().by_name
        codes = {by_name[n].loinc for n in names if n in by_name}
        return not any(f.attributes.get("loinc") in codes for f in findings)
    return all(_expected(v, findings) for v in gold["values"])


def _piece(text: str, piece: str, findings: list[Finding]) -> bool:
    at = text.find(piece)
    wanted = {Decimal(n.replace(",", "")) for n in re.findall(r"\d[\d,]*(?:\.\d+)?", piece)}
    return any(f.start < at + len(piece) and at < f.end and {v for v, _ in numbers(f)} & wanted for f in findings)


def _expected(value: list, findings: list[Finding]) -> bool:
    _term, x, y, condition = value
    if isinstance(x, str):
        return any(str(f.attributes.get("value_text", "")).lower() == x for f in findings)
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


def main() -> None:
    """Print the score, and the cases that failed when asked."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--errors", action="store_true")
    args = parser.parse_args()
    rows = [json.loads(line) for line in CORPUS.read_text("utf-8").splitlines()]
    solved = {row["id"]: right(row) for row in rows}
    disputed = [r for r in rows if "values" in r["gold"] and not r["gold"]["values"] and DISPUTED.search(r["text"])]
    plain = [r for r in rows if r not in disputed]
    print(f"all {sum(solved.values())}/{len(rows)} = {sum(solved.values()) / len(rows):.3f}")
    good = sum(solved[r["id"]] for r in plain)
    print(f"without {len(disputed)} disputed: {good}/{len(plain)} = {good / len(plain):.3f}")
    if args.errors:
        for row in plain:
            if not solved[row["id"]]:
                print(row["id"], "|", row["text"][:300], "|", row["gold"].get("values", row["gold"].get("matches")))
                print(
                    "     ",
                    [
                        (f.text, [tuple(map(str, n)) for n in numbers(f)], f.attributes.get("comparator"))
                        for f in found(row["text"])
                    ],
                )


if __name__ == "__main__":
    main()
