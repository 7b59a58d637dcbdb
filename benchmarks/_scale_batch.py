"""The batch of the scale benchmark: faxes, letters with a text layer, and notes; no two documents are the same."""

from __future__ import annotations

import base64
import random
from io import BytesIO

import msgspec
import numpy as np
import orjson
import pypdfium2 as pdfium
from PIL import Image
from reportlab.lib.pagesizes import letter
from reportlab.pdfgen.canvas import Canvas

from benchmarks.pages import SENTENCES

SCANNED = 0.7  # of the pages


class Sent(msgspec.Struct, frozen=True):
    """A document to send: its id, pages, how many of them are images, and the DocumentReference."""

    id: str
    pages: int
    scanned: int
    body: bytes


def batch(count: int, seed: int) -> list[Sent]:
    """`count` documents, the same for the same seed: of ten, six faxes, two letters of 1 to 5 pages, two notes."""
    dice = random.Random(seed)
    made = []
    for number in range(count):
        name = f"scale-{seed}-{number:05}"
        pages = (1, 2, 3, 2, 4)[number % 5]
        if number % 10 in (3, 8):
            pages, kind, data = 1, "text/plain", "\n".join(_lines(dice, name)).encode()
        elif number % 10 in (1, 6):
            kind, data = "application/pdf", _letter([_lines(dice, name) for _ in range(pages)])
        else:
            kind, data = "image/tiff", _fax(_letter([_lines(dice, name) for _ in range(pages)]), number)
        made.append(Sent(name, pages, pages if kind == "image/tiff" else 0, _reference(name, kind, data)))
    return made


def _lines(dice: random.Random, name: str) -> list[str]:
    """28 lines of a letter; the numbers differ from document to document."""
    head = [f"Patient: Rivers, Robin    MRN: {dice.randrange(10**6):06}", f"Reference {name}", "ASSESSMENT"]
    body = [f"{line}. {dice.choice(SENTENCES)[:80]} {dice.randrange(1000)}" for line in range(1, 26)]
    return head + body


def _letter(pages: list[list[str]]) -> bytes:
    out = BytesIO()
    canvas = Canvas(out, pagesize=letter, invariant=1)
    for lines in pages:
        canvas.setFont("Times-Roman", 11)
        for place, line in enumerate(lines):
            canvas.drawString(54, 730 - 24 * place, line)
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def _fax(pdf: bytes, seed: int) -> bytes:
    """The letter as a machine of 200 dpi sends it: one bit, with noise."""
    noise = np.random.default_rng(seed)
    images = []
    for page in pdfium.PdfDocument(pdf):
        grey = np.asarray(page.render(scale=200 / 72, grayscale=True).to_pil().convert("L"))
        bits = (grey + noise.normal(0, 20, grey.shape) > 150).astype(np.uint8) * 255
        images.append(Image.fromarray(bits).convert("1"))
    out = BytesIO()
    images[0].save(out, "TIFF", save_all=True, append_images=images[1:], dpi=(200, 200), compression="group4")
    return out.getvalue()


def _reference(name: str, kind: str, data: bytes) -> bytes:
    attachment = {"contentType": kind, "data": base64.b64encode(data).decode()}
    content = [{"attachment": attachment}]
    return orjson.dumps(
        {
            "resourceType": "DocumentReference", "id": name, "status": "current",
            "subject": {"reference": "Patient/scale"}, "date": "2026-03-20T10:00:00Z", "content": content,
        }
    )  # fmt: skip
