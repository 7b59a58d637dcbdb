"""Every code rests on words that are there: `python -m campaigns.evidence [--data DIR] [--limit N]`.

Over CodiEsp's development documents and the notes of ACI-Bench, in both settings: each emitted code's evidence is a
verbatim substring of the text and not empty; the code exists, is billable and is in force in the edition that was used.
Over scanned pages of ours: each coding's box lies on its page.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Literal

from benchmarks.pages import scans
from extractors.emit import boxes
from extractors.model import Code, Coded, Document
from extractors.pages import from_text
from extractors.pipeline import Pipeline
from fhir_profiles.systems import ICD10CM

CORPUS = Path(__file__).parents[2] / "shared" / "corpus"
SETTINGS: tuple[Literal["outpatient", "inpatient"], ...] = ("outpatient", "inpatient")


def texts(folder: Path = CORPUS) -> Iterator[tuple[str, str]]:
    """(corpus, text) of the development documents and of the notes."""
    with (folder / "icd10cm_codiesp.jsonl").open(encoding="utf-8") as lines:
        yield from (("codiesp dev", row["text"]) for row in map(json.loads, lines) if row["split"] == "dev")
    with (folder / "aci_bench_notes.csv").open(encoding="utf-8", newline="") as rows:
        yield from (("aci-bench", row["note"]) for row in csv.DictReader(rows))


def faults(pipeline: Pipeline, document: Document, coded: Coded) -> Iterator[str]:
    """What is wrong with the codes of a document; nothing, as a rule."""
    for code in coded.codes:
        if code.status == "rejected":
            continue
        yield from _code_faults(pipeline, code, coded.service_date)
        for start, end in [(code.start, code.end), *code.evidence]:
            if not (0 <= start < end <= len(document.text)) or not document.text[start:end].strip():
                yield "evidence outside of the text or empty"
        finding = coded.findings.items[code.finding]
        if document.text[finding.start : finding.end] != finding.text:
            yield "evidence is not verbatim"
        if document.pages:
            yield from _box_faults(document, code)


def _code_faults(pipeline: Pipeline, code: Code, on: date | None) -> Iterator[str]:
    said = pipeline.terminology.validate(code.system, code.code, on)
    if not said.result:
        yield f"not valid or not in force: {code.system}"
    elif code.system == ICD10CM and not said.billable:
        yield "not billable"


def _box_faults(document: Document, code: Code) -> Iterator[str]:
    found = boxes(document, code.start, code.end)
    if not found:
        yield "no box"
    for box in found:
        inside = box.left >= 0 and box.top >= 0 and box.left + box.width <= 1.0001 and box.top + box.height <= 1.0001
        if not inside or box.width <= 0 or box.height <= 0:
            yield "box not on the page"


def measure(pipeline: Pipeline, items: Sequence[tuple[str, str]]) -> tuple[Counter[str], Counter[str]]:
    """(codes by corpus, faults by kind)."""
    codes: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    for corpus, text in items:
        document = from_text(text)
        findings = pipeline.find(document)
        for setting in SETTINGS:
            coded = pipeline.code(findings, document, setting)
            codes[corpus] += sum(c.status != "rejected" for c in coded.codes)
            wrong.update(faults(pipeline, document, coded))
    return codes, wrong


def main() -> None:
    """Print how many codes there were and what was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="var")
    parser.add_argument("--limit", type=int, default=None, help="texts at most")
    args = parser.parse_args()
    pipeline = Pipeline.open(args.data)
    codes, wrong = measure(pipeline, list(texts())[: args.limit])
    for kind, scan in scans().items():
        document = pipeline.read(scan)
        coded = pipeline.code(pipeline.find(document), document)
        codes[f"scanned pages ({kind})"] += sum(c.status != "rejected" for c in coded.codes)
        wrong.update(faults(pipeline, document, coded))
    for corpus, number in codes.items():
        print(f"{corpus}: {number} codes")
    print(f"faults: {dict(wrong) or 'none'}")


if __name__ == "__main__":
    main()
