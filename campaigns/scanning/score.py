"""Scores of a read page: characters and boxes (`score_ocr`), values (`score_codes`), resources (`score_emitted`)."""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import numpy as np
from PIL import Image
from rapidfuzz.distance import Levenshtein

from campaigns.scanning.truth import Box, TrueWord, Truth
from claims.draft import draft_claim
from extractors.emit import as_dict, emit, source_of
from extractors.findings.plausible import Ink
from extractors.model import Coded, Document, Finding, Word

FOLD = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "—": "-", "–": "-"})
EDGES = ".,;:()"
COVERS = 0.5
VITALS = ("85354-9", "8867-4", "9279-1", "8310-5", "59408-5", "29463-7")
LABS = {
    "WBC": "6690-2", "Hemoglobin": "718-7", "Platelets": "777-3", "Sodium": "2951-2", "Potassium": "2823-3",
    "Creatinine": "2160-0", "Glucose": "2345-7", "HbA1c": "4548-4", "TSH": "3016-3", "LDL cholesterol": "13457-7",
    "Troponin I": "10839-9", "ALT (SGPT)": "1742-6",
}  # fmt: skip
Placed = list[tuple[Word, Box]]


def fold(text: str) -> str:
    """Typographic quotes and dashes as plain ones."""
    return re.sub(r"\s+", " ", text.translate(FOLD)).strip()


def place(document: Document, truth: Truth, level: str, data: bytes) -> Placed:
    """The words with their boxes in true page points."""
    width, height = Image.open(io.BytesIO(data)).size
    back = np.linalg.inv(truth.matrices[level])
    placed = []
    for word in document.pages[0].words:
        quad = np.array(word.quad).reshape(4, 2) * (width, height)
        points = np.column_stack([quad, np.ones(4)]) @ back.T
        points = points[:, :2] / points[:, 2:]
        (x0, y0), (x1, y1) = points.min(0), points.max(0)
        placed.append((word, (x0, y0, x1, y1)))
    return placed


def score_ocr(placed: Placed, truth: Truth, ink: Ink) -> Counter[str]:
    """Errors and counts; divide sums over pages."""
    middles = np.array([(line[0].box[1] + line[0].box[3]) / 2 for line in truth.lines])
    rows: list[list[tuple[float, str, Box]]] = [[] for _ in truth.lines]
    for word, box in placed:
        rows[int(np.argmin(abs(middles - (box[1] + box[3]) / 2)))].append((box[0], fold(word.text), box))
    score: Counter[str] = Counter()
    for line, row in zip(truth.lines, rows, strict=True):
        row.sort()
        said, read = " ".join(word.text for word in line), " ".join(text for _, text, _ in row)
        score["char errors"] += Levenshtein.distance(said, read)
        score["chars"] += len(said)
        score["word errors"] += Levenshtein.distance(said.split(), read.split())
        score["words"] += len(said.split())
        for word in line:
            boxes = [box for _, text, box in row if text == fold(word.text)]
            score["boxes"] += bool(boxes)
            score["boxes right"] += any(overlap(word.box, box) >= COVERS for box in boxes)
    everything = " ".join(truth.texts())
    score["order errors"] += Levenshtein.distance(everything, " ".join(fold(word.text) for word, _ in placed))
    tokens = Counter(fold(word.text).strip(EDGES) for word, _ in placed)
    wanted = Counter(token.strip(EDGES) for token in truth.critical)
    score["critical"] += sum(wanted.values())
    score["critical right"] += sum(min(count, tokens[token]) for token, count in wanted.items())
    lacking = {token for token, count in wanted.items() if tokens[token] < count}
    score += score_lacking(
        [word for line in truth.lines for word in line if word.text.strip(EDGES) in lacking], placed, ink
    )
    score["doubtful"] += sum(ink.doubt((word.start, word.end)) is not None for word, _ in placed)
    score["read"] += len(placed)
    for name, codes in (("icd", truth.diagnoses()), ("cpt", truth.procedures())):
        score[f"{name} read"] += sum(1 for code in codes if tokens[code.text])
        score[name] += len(codes)
    return score


def score_lacking(lacking: Sequence[TrueWord], placed: Placed, ink: Ink) -> Counter[str]:
    """What stands where a critical token was not read: nothing, words marked as doubtful, or words that look sure."""
    score: Counter[str] = Counter()
    for true in lacking:
        there = [word for word, box in placed if _touches(true.box, box)]
        if any(fold(word.text).strip(EDGES) == true.text.strip(EDGES) for word in there):
            continue
        doubted = any(ink.doubt((word.start, word.end)) for word in there)
        score["critical lost" if not there else "critical flagged" if doubted else "critical unflagged"] += 1
    return score


def _touches(one: Box, other: Box) -> bool:
    wide = min(one[2], other[2]) - max(one[0], other[0])
    high = min(one[3], other[3]) - max(one[1], other[1])
    return wide > 0.3 * min(one[2] - one[0], other[2] - other[0]) and high > 0.3 * (one[3] - one[1])


def overlap(one: Box, other: Box) -> float:
    """Intersection over union."""
    wide = max(0.0, min(one[2], other[2]) - max(one[0], other[0]))
    high = max(0.0, min(one[3], other[3]) - max(one[1], other[1]))
    area = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other))
    return wide * high / (area - wide * high)


def score_codes(coded: Coded, truth: Truth) -> tuple[Counter[str], list[str]]:
    """Values: right, wrong and flagged, wrong and unflagged."""
    score: Counter[str] = Counter()
    wrong: list[str] = []
    items = coded.findings.items
    for name, loinc, said in _expected(truth):
        found = [f for f in items if f.kind in ("vital", "lab") and f.attributes.get("loinc") == loinc]
        _value(name, said, found, score, wrong)
    for line in truth.medications():
        _medication(line, [f for f in items if f.kind == "medication"], score, wrong)
    return score, wrong


def score_emitted(document: Document, coded: Coded, truth: Truth) -> Counter[str]:
    """Printed diagnoses that are both a Condition and on the Claim, and printed procedures that are Claim items."""
    source = source_of({"id": document.sha256[:40]}, recorded="2026-01-01T00:00:00Z")
    resources = [as_dict(model) for model in emit(source, document, coded, draft_claim=draft_claim)]
    conditions = {c for r in resources if r["resourceType"] == "Condition" for c in _codes(r["code"])}
    claims = [r for r in resources if r["resourceType"] == "Claim"]
    billed = {c for r in claims for d in r["diagnosis"] for c in _codes(d["diagnosisCodeableConcept"])}
    items = {c for r in claims for item in r["item"] for c in _codes(item["productOrService"])}
    return Counter(
        {
            "dx coded": sum(word.text in conditions & billed for word in truth.diagnoses()),
            "px coded": sum(word.text in items for word in truth.procedures()),
        }
    )


def _codes(concept: dict[str, Any]) -> set[str]:
    return {coding["code"] for coding in concept.get("coding", ())}


def _expected(truth: Truth) -> list[tuple[str, str, str]]:
    vitals = [(loinc, loinc, word.text) for loinc, word in zip(VITALS, truth.vitals(), strict=True)]
    return vitals + [(name, LABS[name], word.text) for name, word in truth.labs()]


def _value(name: str, said: str, found: list[Finding], score: Counter[str], wrong: list[str]) -> None:
    score["values"] += 1
    want = [Decimal(number) for number in re.findall(r"\d+(?:\.\d+)?", said)]
    first = min(found, key=lambda f: f.start, default=None)
    if first is None:
        score["values missing"] += 1
        wrong.append(f"{name} {said}: missing")
        return
    parts = first.attributes.get("components") or [first.attributes]
    got = [part.get("value") for part in parts]
    if got == want:
        score["values right"] += 1
    elif not any(got):
        score["values missing"] += 1
        wrong.append(f"{name} {said}: no value")
    elif first.attributes.get("doubtful"):
        score["values wrong, flagged"] += 1
        wrong.append(f"{name} {said}: flagged {got}")
    else:
        score["values wrong, unflagged"] += 1
        wrong.append(f"{name} {said}: unflagged {got}")


def _medication(line: list[TrueWord], found: list[Finding], score: Counter[str], wrong: list[str]) -> None:
    score["values"] += 1
    at = next(i for i, word in enumerate(line) if word.text[0].isdigit())
    drug, dose, unit = line[0].text.lower(), Decimal(line[at].text), line[at + 1].text
    same = [
        f for f in found if str(f.attributes.get("drug", f.text)).lower().startswith(drug) or drug in f.text.lower()
    ]
    said = [str(f.attributes.get(key, "")) for f in same for key in ("dose", "strength")]
    if any(str(dose) in value for value in said):
        score["values right"] += 1
    elif not same or not any(said):
        score["values missing"] += 1
        wrong.append(f"{drug} {dose} {unit}: missing")
    elif any(f.attributes.get("doubtful") for f in same):
        score["values wrong, flagged"] += 1
    else:
        score["values wrong, unflagged"] += 1
        wrong.append(f"{drug} {dose} {unit}: unflagged {said}")
