"""Notes per CPU-second of `extractors.findings.find`, by both engines: `python -m benchmarks.findings [--data DIR]`.

Notes are those of ../shared/corpus/aci_bench_notes.csv, counted as 3.3k characters each; without them, one of our own.
"""

from __future__ import annotations

import argparse
import csv
import gc
import resource
import tempfile
import time
from pathlib import Path

from extractors.coding.lexicon import Lexicon
from extractors.findings import find
from extractors.findings.stage import Engine
from extractors.model import Document
from terminology import build, open_terminology

CORPUS = Path(__file__).parents[2] / "shared" / "corpus" / "aci_bench_notes.csv"
SIZE = 3300
OWN = (
    "HISTORY OF PRESENT ILLNESS\nMaria Okafor is a 57-year-old female with hypertension and type 2 diabetes. She denies"
    " chest pain, shortness of breath or fever. BP 142/88, pulse 84. Hemoglobin A1c was 8.1%.\nMEDICATIONS\nlisinopril"
    " 10 mg PO daily\nmetformin 500 mg PO BID\nASSESSMENT AND PLAN\n1. Hypertension. Increase lisinopril"
    " to 20 mg daily.\n\n"
) * 8


def notes() -> list[str]:
    """The texts to read."""
    if not CORPUS.exists():
        return [OWN]
    csv.field_size_limit(10**7)
    with CORPUS.open(encoding="utf-8") as file:
        return [row["note"] for row in csv.DictReader(file)]


def rate(documents: list[Document], lexicon: Lexicon, engine: Engine, rounds: int) -> tuple[float, list[float]]:
    """Notes of 3.3k characters per CPU-second in the best round, and that round's milliseconds per note."""
    best: list[float] = []
    for _ in range(rounds):
        times = []
        for document in documents:
            start = time.process_time()
            find(document, lexicon, engine=engine)
            times.append((time.process_time() - start) * 1000)
        if not best or sum(times) < sum(best):
            best = times
    characters = sum(len(d.text) for d in documents)
    return characters / SIZE / (sum(best) / 1000), best


def main() -> None:
    """Print the rates."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, default=None, help="a data directory with built terminology")
    parser.add_argument("--medspacy", type=int, default=20, help="how many notes the reference engine reads (0: none)")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        data = args.data or Path(scratch)
        if not any((data / "terminology").glob("*.sqlite")):
            build(data, None)
        lexicon = Lexicon.open(open_terminology(data), data)
        documents = [Document(text, "text/plain", "") for text in notes()]
        start = time.process_time()
        find(documents[0], lexicon)
        print(f"first note, tables and automata built: {time.process_time() - start:.2f} CPU-s")
        gc.collect()
        gc.freeze()  # as a worker does: the lexicon's tuples are not walked again
        speed, times = rate(documents, lexicon, "compiled", 5)
        times.sort()
        print(f"compiled: {speed:,.0f} notes of 3.3k characters per CPU-s; p50 {times[len(times) // 2]:.2f} ms,"
              f" p99 {times[int(len(times) * 0.99)]:.2f} ms over {len(times)} notes")  # fmt: skip
        print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")
        if args.medspacy:
            find(documents[0], lexicon, engine="medspacy")
            speed, _ = rate(documents[: args.medspacy], lexicon, "medspacy", 1)
            print(f"medspacy: {speed:,.1f} notes of 3.3k characters per CPU-s")


if __name__ == "__main__":
    main()
