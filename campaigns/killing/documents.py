"""Invented documents for the kill campaign: mostly short notes, some PDFs with a text layer, a few scanned pages."""

from __future__ import annotations

import base64
import json
import random
from dataclasses import dataclass
from io import BytesIO
from typing import Literal

from PIL import Image, ImageDraw, ImageFont

Kind = Literal["text", "pdf", "scan"]
TYPES = {"text": "text/plain", "pdf": "application/pdf", "scan": "image/png"}
PROBLEMS = (
    ("Type 2 diabetes mellitus without complications", "E11.9"),
    ("Essential hypertension", "I10"),
    ("Moderate persistent asthma, uncomplicated", "J45.40"),
    ("Gastro-esophageal reflux disease without esophagitis", "K21.9"),
    ("Hypothyroidism, unspecified", "E03.9"),
    ("Migraine without aura", "G43.009"),
)
DRUGS = (
    ("Metformin", 500),
    ("Lisinopril", 10),
    ("Levothyroxine", 50),
    ("Atorvastatin", 20),
    ("Omeprazole", 20),
    ("Amlodipine", 5),
)
FAMILIES = ("Ashdown", "Birkett", "Calloway", "Dunmore", "Ellery", "Farrow", "Greaves", "Holt")


@dataclass(frozen=True)
class Document:
    """A document to send under its own id; `body` is the DocumentReference as JSON."""

    id: str
    kind: Kind
    body: bytes


def make(count: int, seed: int, *, scans: bool = True) -> list[Document]:
    """`count` documents, the same for the same seed: one in twenty a scanned page, one in ten a PDF."""
    dice = random.Random(seed)
    documents = []
    for number in range(count):
        kind: Kind = "scan" if scans and number % 20 == 7 else "pdf" if number % 10 == 3 else "text"
        lines = _note(dice, number)
        data = {"text": _text, "pdf": _pdf, "scan": _scan}[kind](lines)
        documents.append(Document(f"kill-{number:04}", kind, _reference(f"kill-{number:04}", TYPES[kind], data)))
    return documents


def _note(dice: random.Random, number: int) -> list[str]:
    """The lines of a note; one patient in three comes twice."""
    patient = number - 1 if number % 3 == 1 else number
    problems, drugs = dice.sample(PROBLEMS, 2), dice.sample(DRUGS, 2)
    return [
        "PROGRESS NOTE",
        f"Patient: {FAMILIES[patient % len(FAMILIES)]}, Robin    MRN: K{100000 + patient}",
        f"DOB: 04/12/19{50 + patient % 40}",
        f"Date of service: 03/{1 + number % 28:02}/2026",
        f"Vitals: BP {110 + number % 40}/{70 + number % 20} mmHg, HR {60 + number % 30} bpm, Temp 98.{number % 10} F",
        "ASSESSMENT",
        *(f"{place}. {title} ({code})" for place, (title, code) in enumerate(problems, 1)),
        "MEDICATIONS",
        *(f"{name} {dose} mg by mouth once daily" for name, dose in drugs),
        "Denies chest pain and fever.",
    ]


def _text(lines: list[str]) -> bytes:
    return "\n".join(lines).encode()


def _pdf(lines: list[str]) -> bytes:
    from reportlab.pdfgen.canvas import Canvas

    out = BytesIO()
    canvas = Canvas(out, pagesize=(612, 792), invariant=1)
    for place, line in enumerate(lines):
        canvas.drawString(54, 720 - 20 * place, line)
    canvas.save()
    return out.getvalue()


def _scan(lines: list[str]) -> bytes:
    page = Image.new("L", (1700, 1100), 255)
    pen, face = ImageDraw.Draw(page), ImageFont.load_default(32)
    for place, line in enumerate(lines):
        pen.text((120, 100 + 62 * place), line, fill=0, font=face)
    out = BytesIO()
    page.save(out, "PNG", dpi=(200, 200))
    return out.getvalue()


def _reference(name: str, kind: str, data: bytes) -> bytes:
    attachment = {"contentType": kind, "data": base64.b64encode(data).decode()}
    return json.dumps(
        {
            "resourceType": "DocumentReference",
            "id": name,
            "status": "current",
            "date": "2026-03-20T10:00:00Z",
            "content": [{"attachment": attachment}],
        }
    ).encode()
