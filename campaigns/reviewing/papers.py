"""Letters as long as wished, whose every line of assessment is the title of a billable code of ICD-10-CM."""

from __future__ import annotations

import io
import random
from collections.abc import Sequence
from pathlib import Path

from reportlab.lib.pagesizes import letter
from reportlab.pdfgen.canvas import Canvas

from fhir_profiles.systems import ICD10CM
from terminology import open_terminology

CHAPTERS = "EIJKLMNGDH"
"""Diseases: no injuries with their seventh characters, nothing of a newborn or of a pregnancy."""

LONGEST = 60
"""Letters of a title that fits a line."""

HEAD = (
    "LARKMOOR INTERNAL MEDICINE", "Patient: Quill, Ada    DOB: 02/11/1961    Sex: F    MRN: 5518822",
    "Date of service: 05/12/2026    Provider: Imogen Tarrow, MD    NPI: 1487650321", "", "ASSESSMENT",
)  # fmt: skip
SERVICES = ("", "SERVICES", "CPT: 99214 36415")


def titles(data: Path, many: int, seed: int) -> list[tuple[str, str]]:
    """So many codes with their titles, each of another disease, in an order of chance."""
    found = [
        (one.code, one.display)
        for one in open_terminology(data).concepts(ICD10CM)
        if one.billable and one.code[0] in CHAPTERS and len(one.display) <= LONGEST and "," not in one.display
    ]
    return random.Random(seed).sample(found, many)


def paper(lines: Sequence[str], pages: int) -> bytes:
    """A PDF with a text layer of so many pages, these lines spread over them and two services on the last."""
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=letter, invariant=True)
    each = -(-len(lines) // pages)
    for page in range(pages):
        mine = [f"{n}. {text}." for n, text in enumerate(lines[page * each : (page + 1) * each], 1)]
        canvas.setFont("Helvetica", 10.5)
        for n, line in enumerate((*HEAD, *mine, *(SERVICES if page == pages - 1 else ()))):
            canvas.drawString(60, 730 - 15 * n, line)
        canvas.showPage()
    canvas.save()
    return out.getvalue()
