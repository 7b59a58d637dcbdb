"""Documents for the pages: letters as PDF with a text layer, so that reading them takes no time."""

from __future__ import annotations

import io
from collections.abc import Sequence

from reportlab.lib.pagesizes import letter
from reportlab.pdfgen.canvas import Canvas

HEAD = (
    "LARKMOOR INTERNAL MEDICINE", "Patient: Quill, Ada    DOB: 02/11/1961    Sex: F    MRN: 5518822",
    "Date of service: 05/12/2026    Provider: Imogen Tarrow, MD    NPI: 1487650321", "",
)  # fmt: skip
VISIT = (
    "CHIEF COMPLAINT", "Follow-up visit.", "", "ASSESSMENT AND PLAN",
    "1. Type 2 diabetes mellitus without complications. Continue metformin.",
    "2. Essential hypertension. Continue lisinopril 10 mg daily.",
    "3. Hyperlipidemia, mixed. Continue atorvastatin.",
    "4. Hypothyroidism. TSH in range.",
    "5. Gout. Continue allopurinol.", "", "SERVICES", "CPT: 99214 36415",
)  # fmt: skip


def pdf(pages: Sequence[Sequence[str]]) -> bytes:
    """A PDF of these lines, page by page; the same lines give the same bytes."""
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=letter, invariant=True)
    for lines in pages:
        canvas.setFont("Helvetica", 10.5)
        for n, line in enumerate(lines):
            canvas.drawString(60, 730 - 15 * n, line)
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def visit(name: str = "Quill, Ada", mrn: str = "5518822") -> bytes:
    """One visit: five problems and two services."""
    head = tuple(line.replace("Quill, Ada", name).replace("5518822", mrn) for line in HEAD)
    return pdf([(*head, *VISIT)])


def many(titles: Sequence[str], pages: int) -> bytes:
    """A letter of so many pages, the titles of diagnoses spread over them."""
    each = -(-len(titles) // pages)
    sheets = []
    for page in range(pages):
        mine = titles[page * each : (page + 1) * each]
        sheets.append((*HEAD, "ASSESSMENT", *(f"{n}. {title}." for n, title in enumerate(mine, 1))))
    return pdf(sheets)
