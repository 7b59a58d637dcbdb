"""Rendered pages are read back: text layer, OCR by both engines, photographs, several pages, tables."""

import io

import numpy as np
import pypdfium2 as pdfium
import pytest
from PIL import Image
from reportlab.lib.pagesizes import letter
from reportlab.pdfgen.canvas import Canvas

from extractors.model import Document
from extractors.pages import children, read

LINES = (
    "Riverside Family Clinic",
    "Patient: Ada Example MRN: 20311842 DOB: 04/17/1961",
    "The patient has essential hypertension and type 2 diabetes.",
    "She takes lisinopril 10 mg PO daily and metformin 500 mg PO BID.",
    "She denies chest pain, shortness of breath and swelling of the legs.",
    "Her blood pressure today is 142/88 and her pulse is 72.",
    "Continue the present medications and return in three months.",
)
HEADER = ("Test", "Result", "Flag", "Units", "Reference")
ROWS = (("Potassium", "4.9", "", "mmol/L", "3.5-5.1"), ("Glucose", "148", "H", "mg/dL", "70-99"))


def letter_page(pages: int = 1) -> bytes:
    """A born-digital letter with a table."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=letter, invariant=1)
    for _ in range(pages):
        canvas.setFont("Helvetica", 12)
        for index, line in enumerate(LINES):
            canvas.drawString(60, 720 - 18 * index, line)
        for number, row in enumerate((HEADER, *ROWS)):
            for x, cell in zip((60, 190, 265, 350, 470), row, strict=True):
                canvas.drawString(x, 560 - 18 * number, cell)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def picture(dpi: int = 200, turn: int = 0) -> Image.Image:
    """The letter as pixels."""
    page = pdfium.PdfDocument(letter_page())[0]
    return page.render(scale=dpi / 72, grayscale=True).to_pil().convert("L").rotate(turn, expand=True, fillcolor=255)


def save(image: Image.Image, kind: str, **options: object) -> bytes:
    """An image file."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def cells(document: Document) -> list[list[str]]:
    """The last table as text."""
    return [[document.text[a:b] for a, b in row] for row in document.tables[-1].rows]


def test_text_layer() -> None:
    """A trusted text layer is taken whole, with offsets, boxes and its table."""
    document = read(letter_page())
    assert document.pages[0].method == "text"
    assert document.text.startswith("\n".join(LINES))
    for word in document.pages[0].words:
        assert document.text[word.start : word.end] == word.text
    assert cells(document) == [list(row) for row in (HEADER, *ROWS)]


@pytest.mark.parametrize("engine", ["tesserocr", "pytesseract"])
def test_both_engines_read_a_scan(engine: str) -> None:
    """Each engine reads every word of a clean scan, and the table."""
    document = read(save(picture(), "PNG", dpi=(200, 200)), ocr=engine)
    assert document.pages[0].method == "ocr"
    assert document.pages[0].engine.startswith(engine)
    assert document.text.startswith("\n".join(LINES))
    assert cells(document) == [list(row) for row in (HEADER, *ROWS)]


def test_boxes_stand_on_their_words() -> None:
    """A word's box from OCR covers the box that the text layer gives it."""
    true = {word.text: word.quad for word in read(letter_page()).pages[0].words}
    for word in read(save(picture(), "PNG", dpi=(200, 200))).pages[0].words:
        (ax, ay, _, _, bx, by, _, _), (cx, cy, _, _, dx, dy, _, _) = word.quad, true[word.text]
        assert (abs((ax + bx) - (cx + dx)) / 2 < 0.25 and abs((ay + by) - (cy + dy)) / 2 < 0.01) or len(word.text) < 5


def test_skewed_noisy_and_turned() -> None:
    """A page that was laid askew, is noisy and upside down is read all the same."""
    askew = np.asarray(picture(200, 178), dtype=np.float32) * 0.86 + 25
    noisy = askew + np.random.default_rng(1).normal(0, 18, askew.shape)
    document = read(save(Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8)), "PNG", dpi=(200, 200)))
    assert "lisinopril 10 mg PO daily" in document.text
    assert document.pages[0].rotation == 180


def test_fax_of_two_pages() -> None:
    """Each frame of a two-tone TIFF is a page, parted by a form feed."""
    frame = picture().point(lambda value: 255 * (value > 150)).convert("1")
    data = save(frame, "TIFF", save_all=True, append_images=[frame], compression="group4", dpi=(200, 200))
    document = read(data)
    assert [page.number for page in document.pages] == [1, 2]
    assert document.text.count("\f") == 1
    assert document.text[document.pages[1].start :].startswith(LINES[0])


def test_image_in_a_pdf_is_ocr_and_a_picture_on_a_text_page_is_hybrid() -> None:
    """A scan inside a PDF is read by OCR; a scanned part of a text page is read beside the text."""
    scan = save(picture(), "PDF", resolution=200)
    assert "lisinopril 10 mg" in read(scan).text
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=letter, invariant=1)
    canvas.drawString(60, 740, "Cover sheet of the letter that is pasted in below this line.")
    canvas.drawInlineImage(picture(200).crop((0, 0, 1700, 900)), 60, 300, 500, 265)
    canvas.save()
    document = read(buffer.getvalue())
    assert document.pages[0].method == "hybrid"
    assert "Cover sheet" in document.text
    assert "hypertension" in document.text


def test_a_ruled_table_with_wrapped_cells_is_read_by_cells() -> None:
    """Text that wraps within a drawn cell stays in that cell."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=letter, invariant=1)
    canvas.grid([60, 200, 420], [640, 670, 720])
    canvas.drawString(66, 700, "Medication")
    canvas.drawString(206, 700, "Instructions for")
    canvas.drawString(206, 684, "the patient")
    canvas.drawString(66, 650, "lisinopril")
    canvas.drawString(206, 650, "one tablet daily")
    canvas.save()
    document = read(buffer.getvalue())
    assert cells(document) == [["Medication", "Instructions for the patient"], ["lisinopril", "one tablet daily"]]


def test_cache_answers_the_second_reading() -> None:
    """Pages that were read once are not read again."""

    class Kept(dict[str, bytes]):
        def put(self, key: str, value: bytes) -> None:
            self[key] = value

    cache, data = Kept(), letter_page(2)
    first = read(data, cache=cache)
    children.close()
    assert read(data, cache=cache) == first
    assert not children._idle
