"""Score medication sentences of our own: `campaigns/medications.py [--data DIR] [--errors] [FILE …]`.

A line is a sentence, a tab and what it says: the drug, then `dose`, `route`, how often ("2/1d", "1/4-6h", "once"),
`for` a duration, `prn` with its reason, `then` the dose of each later step, `sliding scale`, `status`. It is right
when all of this is found for the drug, and no dose, frequency, duration, need or step that it does not name; of "-",
when no drug is found. "\\n" in a sentence stands for the end of a line.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from extractors.model import Finding
from extractors.pages import from_text
from extractors.pipeline import Pipeline

CASES = Path(__file__).parents[1] / "tests" / "unit" / "findings" / "cases"
EXACT = ("dose", "often", "for", "prn", "then")  # not found where not said


def asked(said: str) -> tuple[str, dict[str, Any]]:
    """The drug and the parts that a case names."""
    drug, *pieces = (piece.strip() for piece in said.split("|"))
    parts: dict[str, Any] = {}
    for piece in pieces:
        name, _, value = piece.partition(" ")
        if name == "then":
            parts.setdefault(name, []).append(value)
        elif name in ("dose", "route", "for", "prn", "status", "sliding"):
            parts[name] = value or "yes"
        else:
            parts["often"] = piece
    return drug, parts


def parts_of(a: Mapping[str, Any]) -> dict[str, Any]:
    """The parts of a finding as the cases write them."""
    parts: dict[str, Any] = {}
    if "dose" in a:
        parts["dose"] = _range(a["dose"], a.get("dose_high")) + f" {a['dose_unit']}"
    timing = a.get("timing") or {}
    if timing.get("period"):
        parts["often"] = (
            f"{timing['frequency']}/{_range(timing['period'], timing.get('period_max'))}{timing['period_unit']}"
        )
    elif timing.get("frequency") == 1:
        parts["often"] = "once"
    if "unit" in (long := a.get("duration") or {}):
        parts["for"] = f"{_number(long['value'])} {long['unit']}"
    if a.get("as_needed"):
        parts["prn"] = str(a.get("as_needed_for") or "yes").lower()
    if steps := a.get("steps"):
        parts["then"] = [_range(s["dose"], s.get("dose_high")) + f" {s['dose_unit']}" for s in steps]
    if a.get("sliding_scale"):
        parts["sliding"] = "scale"
    return parts | {name: a[name] for name in ("route", "status") if name in a}


def _range(low: Any, high: Any) -> str:
    return _number(low) + (f"-{_number(high)}" if high else "")


def _number(value: Any) -> str:
    return f"{Decimal(value).normalize():f}"


def wrong(lines: list[str], find: Callable[[str], list[Finding]]) -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
    """(sentence, asked, found) of each case that is not solved; found is empty where the drug was not seen."""
    failed: list[tuple[str, dict[str, Any], dict[str, Any]]] = []
    for line in filter(str.strip, lines):
        text, said = line.split("\t")
        drugs = [f for f in find(text.replace("\\n", "\n")) if f.kind == "medication"]
        if said == "-":
            failed += [(text, {}, parts_of(drugs[0].attributes))] if drugs else []
            continue
        drug, parts = asked(said)
        named = [
            f for f in drugs if drug in str(f.attributes["drug"]).lower() or str(f.attributes["drug"]).lower() in drug
        ]
        best = [parts_of(f.attributes) for f in named]
        if not any(_agrees(parts, seen) for seen in best):
            failed.append((text, parts, best[0] if best else {}))
    return failed


def _agrees(parts: Mapping[str, Any], seen: Mapping[str, Any]) -> bool:
    return all(seen.get(k) == v for k, v in parts.items()) and all(k in parts for k in EXACT if k in seen)


def main() -> None:
    """Print the score of each file, and the cases that failed when asked."""
    parser = argparse.ArgumentParser()
    parser.add_argument("files", nargs="*", type=Path, default=sorted(CASES.glob("medications_*.tsv")))
    parser.add_argument("--data", default="var")
    parser.add_argument("--errors", action="store_true")
    args = parser.parse_args()
    pipeline = Pipeline.open(args.data)
    for path in args.files:
        lines = path.read_text("utf-8").splitlines()
        failed = wrong(lines, lambda text: list(pipeline.find(from_text(text)).items))
        good = len(lines) - len(failed)
        print(f"{path.name} {good}/{len(lines)} = {good / len(lines):.3f}")
        for text, parts, seen in failed if args.errors else ():
            print(f"  {text}\n      asked {parts}\n      found {seen}")


if __name__ == "__main__":
    main()
