"""Score vital signs and laboratory values on sentences of our own: `campaigns/measured_values.py [--errors] [FILE …]`.

A line is a text, a tab and what must be found, "hr 88; bp >140/90; rr 12..20" or "-" for nothing. It is right when
exactly these values are found as facts (not as thresholds), each with its LOINC code, comparison and range. In a text
"\\n" stands for the end of a line and "\\t" for a tab.
"""

from __future__ import annotations

import argparse
import re
from collections import Counter
from decimal import Decimal
from pathlib import Path

from extractors.findings.analytes import (
    DIASTOLIC,
    HEIGHT,
    PRESSURE,
    PULSE,
    RESPIRATION,
    SATURATION,
    SYSTOLIC,
    TEMPERATURE,
    WEIGHT,
    load,
)
from extractors.findings.stage import find_measurements
from extractors.model import Document, Finding

CASES = Path(__file__).parents[1] / "tests" / "unit" / "findings" / "cases"
NAMES = {
    "temp": TEMPERATURE, "pulse": PULSE, "hr": PULSE, "rr": RESPIRATION, "spo2": SATURATION, "bp": PRESSURE,
    "sbp": SYSTOLIC, "dbp": DIASTOLIC, "weight": WEIGHT, "height": HEIGHT,
}  # fmt: skip


def found(text: str) -> Counter[str]:
    """What is found in a text, as the cases write it, with LOINC codes for names."""
    items = find_measurements(Document(text.replace("\\n", "\n").replace("\\t", "\t"), "text/plain", ""))
    return Counter(_written(f) for f in items if not f.assertion.hypothetical)


def expected(said: str) -> Counter[str]:
    """What a case asks for, with LOINC codes for names."""
    asked = [piece.strip().rsplit(" ", 1) for piece in said.split(";") if piece.strip() != "-"]
    return Counter(f"{_code(name)} {re.sub(r'(?<=[0-9])[.]0(?![0-9])', '', value)}" for name, value in asked)


def _code(name: str) -> str:
    return NAMES.get(name) or load().by_name[name].loinc


def _written(finding: Finding) -> str:
    a = finding.attributes
    parts = a.get("components") or (a,)
    if "value" not in parts[0]:
        return f"{a.get('loinc')} {a.get('value_text')}"
    return f"{a.get('loinc')} {a.get('comparator', '')}" + "/".join(
        _number(p["value"]) + (f"..{_number(p['value_high'])}" if "value_high" in p else "") for p in parts
    )


def _number(value: Decimal) -> str:
    return f"{value.normalize():f}"


def wrong(lines: list[str]) -> list[tuple[str, Counter[str], Counter[str]]]:
    """(text, missing, too much) of each case that is not solved."""
    rows = (line.split("\t") for line in lines if line.strip())
    compared = ((text, expected(said), found(text)) for text, said in rows)
    return [(text, asked - seen, seen - asked) for text, asked, seen in compared if asked != seen]


def main() -> None:
    """Print the score of each file, and the cases that failed when asked."""
    parser = argparse.ArgumentParser()
    parser.add_argument("files", nargs="*", type=Path, default=sorted(CASES.glob("values_*.tsv")))
    parser.add_argument("--errors", action="store_true")
    args = parser.parse_args()
    for path in args.files:
        lines = path.read_text("utf-8").splitlines()
        failed = wrong(lines)
        good = len(lines) - len(failed)
        print(f"{path.name} {good}/{len(lines)} = {good / len(lines):.3f}")
        for text, missing, extra in failed if args.errors else ():
            print(f"  {text}\n      missing {dict(missing)}, too much {dict(extra)}")


if __name__ == "__main__":
    main()
