"""Score assertion on the NegEx sentences: `python -m campaigns.assertion [PART] [--engine medspacy] [--errors FLAG]`.

A sentence belongs to one of two halves by the hash of its words, so that repeated sentences stay together. Rules are
written by what the `seen` half gets wrong; `kept` is scored once, at the end. An earlier round of rules had seen three
quarters of the file: `unread` is what of the kept half no round ever saw.
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


def rows(part: str = "all", path: Path = CORPUS) -> list[dict]:
    """The sentences that have a span, of one part."""
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    middle = len(lines) // 2
    known = {line["text"] for i, line in enumerate(lines) if i < middle or i % 2 == 0}
    kept = [line for line in lines if not _is_seen(line["text"])]
    parts = {
        "seen": [line for line in lines if _is_seen(line["text"])],
        "kept": kept,
        "unread": [line for line in kept if line["text"] not in known],
        "all": lines,
    }
    return [line for line in parts[part] if line["gold"]["span"]]


def _is_seen(text: str) -> bool:
    return hashlib.sha256(" ".join(text.lower().split()).encode()).digest()[0] % 2 == 0


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
    parser.add_argument("part", nargs="?", default="all", choices=["seen", "kept", "unread", "all"])
    parser.add_argument("--engine", default="compiled")
    parser.add_argument("--errors")
    args = parser.parse_args()
    data = rows(args.part)
    print(f"{len(data)} sentences")
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
