"""Score values on the ClarityNLP cases: `campaigns/values.py [--errors]`; the scorer is `extractors.learn.values`."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from extractors.learn.values import disputed, found, numbers, right

CORPUS = Path(__file__).parents[2] / "shared" / "corpus" / "values_claritynlp.jsonl"


def main() -> None:
    """Print the score, and the cases that failed when asked."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--errors", action="store_true")
    args = parser.parse_args()
    rows = [json.loads(line) for line in CORPUS.read_text("utf-8").splitlines()]
    solved = {row["id"]: right(row) for row in rows}
    plain = [r for r in rows if not disputed(r)]
    print(f"all {sum(solved.values())}/{len(rows)} = {sum(solved.values()) / len(rows):.3f}")
    good = sum(solved[r["id"]] for r in plain)
    print(f"without {len(rows) - len(plain)} disputed: {good}/{len(plain)} = {good / len(plain):.3f}")
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
