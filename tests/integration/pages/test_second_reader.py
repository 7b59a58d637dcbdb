"""A second reader of scanned pages, in the process that reads them."""

import io

import pypdfium2 as pdfium
import pytest
from reportlab.lib.pagesizes import letter
from reportlab.pdfgen.canvas import Canvas

from extractors.pages import Limits, Refused, read

LINE = "Potassium 4.9 mmol/L on 03/14/2025, take 12.5 mg daily"


def scanned() -> bytes:
    """A page with one line, as pixels."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=letter, invariant=1)
    canvas.setFont("Helvetica", 12)
    canvas.drawString(60, 700, LINE)
    canvas.save()
    image = io.BytesIO()
    page = pdfium.PdfDocument(buffer.getvalue())[0]
    page.render(scale=200 / 72, grayscale=True).to_pil().convert("L").save(image, "PNG", dpi=(200, 200))
    return image.getvalue()


@pytest.mark.parametrize("pieces", [200, 1])
def test_numbers_are_confirmed_in_the_reading_process(pieces: int) -> None:
    """Both readers are named; numbers they read alike are sure, and the bound on pieces is kept to without harm."""
    pytest.importorskip("onnxruntime", reason="the extra `ocr` is not installed")
    document = read(scanned(), second="rapidocr", limits=Limits(second_pieces=pieces))
    assert document.text.strip() == LINE
    assert "rapidocr" in document.pages[0].engine
    assert "second reader" in document.pages[0].steps
    assert [word.other for word in document.pages[0].words if word.other is not None] == []
    assert all(word.confidence >= 90 for word in document.pages[0].words if word.text[0].isdigit())


def test_a_second_reader_that_is_not_installed_is_told() -> None:
    """The page is not read by one reader in silence when two were asked for."""
    with pytest.raises(Refused, match="extra `ocr`"):
        read(scanned(), second="nobody")
