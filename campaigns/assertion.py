"""Score assertion on the NegEx sentences: `campaigns/assertion.py [dev|test|all] [--engine medspacy] [--errors FLAG]`.

The rules were developed on the even lines of the file and on the odd ones of its first half (`dev`, three quarters);
the odd lines of its second half (`test`) were never looked at.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections import Counter
from pathlib import Path

from extractors.findings.stage import assert_spans
from extractors.model import Document

CORPUS = Path(__file__).parents[2] / "shared" / "corpus" / "assertion_negex.jsonl"
GOLD = {
    "negated": lambda g: g["negation"] == "Negated",
    "historical": lambda g: g["temporality"] == "Historical",
    "hypothetical": lambda g: g["temporality"] == "Not particular",
    "family": lambda g: g["experiencer"] != "Patient",
}


def rows(half: str = "all", path: Path = CORPUS) -> list[dict]:
    """The sentences that have a span, of one part."""
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    middle = len(lines) // 2
    unseen = [i for i in range(len(lines)) if i % 2 and i >= middle]
    kept = {"dev": set(range(len(lines))) - set(unseen), "test": set(unseen), "all": set(range(len(lines)))}[half]
    chosen = [line for i, line in enumerate(lines) if i in kept]
    return [r for r in chosen if r["gold"]["span"]]


def predict(row: dict, engine: str):
    """The Assertion of a row's span."""
    text = row["text"]
    document = Document(text, "text/plain", hashlib.sha256(text.encode()).hexdigest())
    return assert_spans(document, [tuple(row["gold"]["span"])], engine=engine)[0]


def score(data: list[dict], engine: str = "compiled") -> dict[str, tuple[float, float, float]]:
    """Flag → precision, recall, F1."""
    counts: Counter[tuple[str, str]] = Counter()
    for row in data:
        found = predict(row, engine)
        for flag, gold in GOLD.items():
            said, true = getattr(found, flag), gold(row["gold"])
            counts[flag, "tp" if said and true else "fp" if said else "fn" if true else "tn"] += 1
    result = {}
    for flag in GOLD:
        tp, fp, fn = (counts[flag, k] for k in ("tp", "fp", "fn"))
        result[flag] = (tp / max(tp + fp, 1), tp / max(tp + fn, 1), 2 * tp / max(2 * tp + fp + fn, 1))
    return result


def main() -> None:
    """Print the scores, and the errors of one flag when asked."""
    parser = argparse.ArgumentParser()
    parser.add_argument("half", nargs="?", default="all", choices=["dev", "test", "all"])
    parser.add_argument("--engine", default="compiled")
    parser.add_argument("--errors")
    args = parser.parse_args()
    data = rows(args.half)
    for flag, (p, r, f1) in score(data, args.engine).items():
        print(f"{flag:13s} P {p:.3f} R {r:.3f} F1 {f1:.3f}")
    if args.errors:
        for row in data:
            found = predict(row, args.engine)
            said, true = getattr(found, args.errors), GOLD[args.errors](row["gold"])
            if said != true:
                a, b = row["gold"]["span"]
                t = row["text"]
                print("FP" if said else "FN", t[max(0, a - 170) : a], "[[", t[a:b], "]]", t[b : b + 100])
                print("      ", [(t[s:e], c) for s, e, c in found.triggers])


if __name__ == "__main__":
    main()
