"""Files that mean harm to whoever reads them, and files that are not what they say (INPUT-22, INPUT-23)."""

from __future__ import annotations

import base64
import resource
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from campaigns.hostility.files import SENTENCE, locked, many_pages, one_page, page_loop, pdf, png, stream
from extractors.pages import Refused, read
from fhir_profiles.errors import Category, FhirError
from server.http.errors import status_of
from server.jobs.attachments import read_attachment
from server.jobs.children import Failure
from tests.support.clock import not_waiting

GOOD = one_page(stream(SENTENCE))
SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'
HTML = b"<!DOCTYPE html><html><body><script>alert(1)</script></body></html>"
PROGRAM = b"MZ\x90\x00\x03" + bytes(range(256)) * 8


def _xref_loop() -> bytes:
    """A PDF whose cross-reference table says that the one before it is itself."""
    return GOOD.replace(b"/Root 1 0 R", b"/Root 1 0 R/Prev %d" % GOOD.rindex(b"xref\n0"))


def _jbig2() -> bytes:
    """A page whose JBIG2 image promises 60,000 pixels each way and holds a broken segment."""
    entries = b"<</Type/XObject/Subtype/Image/Width 60000/Height 60000/BitsPerComponent 1/ColorSpace/DeviceGray"
    body = b"\x00\x00\x00\x00\x30\x00\x01\x00\x00\x00\x13" + b"\xff" * 19
    image = entries + b"/Filter/JBIG2Decode/Length %d>>stream\n%s\nendstream" % (len(body), body)
    return one_page(stream(b"612 0 0 792 0 0 cm /I Do"), b"0 0 612 792", b"/XObject<</I 6 0 R>>", image)


def _acting(mark: Path) -> bytes:
    """A PDF that wants to run a script, a program and a visit to somebody when it is opened."""
    acts = (
        b"<</S/JavaScript/JS(app.launchURL\\('http://127.0.0.1:9/x'\\))>>",
        b"<</S/Launch/F(/bin/sh)/Win<</F(cmd)>>/P(-c 'touch %s')>>" % str(mark).encode(),
        b"<</S/URI/URI(http://127.0.0.1:9/x)>>",
    )
    return pdf(
        [
            b"<</Type/Catalog/Pages 2 0 R/OpenAction 6 0 R/Names<</JavaScript<</Names[(a) 6 0 R]>>>>>>",
            b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>"
            b"/AA<</O 7 0 R/C 8 0 R>>>>",
            stream(SENTENCE),
            b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
            *acts,
        ]
    )


BOMBS: dict[str, Callable[[], bytes]] = {
    "a-million-pages": lambda: many_pages(1_000_000), "page-loop": page_loop, "xref-loop": _xref_loop,
    "60k-png": lambda: png(60_000, 60_000, 100), "jbig2": _jbig2, "locked": lambda: locked("secret"),
}  # fmt: skip


@pytest.mark.check("INPUT-22")
@pytest.mark.parametrize("name", BOMBS)
def test_input_22_a_bomb_ends_in_its_limits_and_others_go_on(name: str) -> None:
    """It is refused with what to do, or read; in seconds, without the memory; the next document is read as ever."""
    before = _megabytes()
    try:
        with not_waiting(300):
            told = read(BOMBS[name]())
        assert name == "xref-loop" or not told.text.strip()
    except Refused as refused:
        assert refused.code in ("structure", "security", "too-long", "too-costly", "not-supported")
        assert refused.text.endswith(".") and "Traceback" not in refused.text
    assert _megabytes() - before < 200
    assert "essential hypertension" in read(GOOD).text


def _megabytes() -> float:
    """The most that this process ever held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@pytest.mark.check("INPUT-22")
def test_input_22_nothing_in_a_document_is_run(tmp_path: Path) -> None:
    """A script, a program and a link to be opened are text to whoever reads; no process and no file comes of them."""
    mark = tmp_path / "mark"
    before = {one.pid for one in psutil.Process().children(recursive=True)}
    assert "essential hypertension" in read(_acting(mark)).text
    left = [one for one in psutil.Process().children(recursive=True) if one.pid not in before]
    assert not mark.exists()
    assert all("python" in one.name().lower() for one in left), "readers that wait for the next document, and no shell"


@pytest.mark.check("INPUT-23")
@pytest.mark.parametrize(
    "data", [PROGRAM, HTML, SVG, b"plain words", png(10, 10)], ids=["exe", "html", "svg", "text", "png"]
)
def test_input_23_a_file_that_lies_about_itself_is_refused(data: bytes) -> None:
    """What is said to be a PDF and is none is told apart by its bytes: 422."""
    attachment = {"contentType": "application/pdf", "data": base64.b64encode(data).decode()}
    with pytest.raises(Failure) as raised:
        read_attachment({"content": [{"attachment": attachment}]}, None, lambda _: None, 1_000_000)
    assert "is said to be a PDF" in raised.value.text
    assert status_of(FhirError.of(Category.INCORRECT, raised.value.code, raised.value.text)) == 422


@pytest.mark.check("INPUT-23")
@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("application/pdf", GOOD),
        ("text/html; charset=utf-8", HTML),
        ("image/png", png(10, 10)),
        ("text/plain", b"words"),
        ("application/octet-stream", GOOD),
        ("", b"words"),
        ("image/jpeg", png(10, 10)),
        ("text/rtf", b"{\\rtf1 a}"),
    ],
    ids=["pdf", "html", "png", "text", "octets", "none", "other-image", "rtf"],
)  # fmt: skip
def test_input_23_a_file_that_is_what_it_says_is_taken(kind: str, data: bytes) -> None:
    """Whatever is of the family that it names, or names none, is read."""
    attachment = {"data": base64.b64encode(data).decode()} | ({"contentType": kind} if kind else {})
    assert read_attachment({"content": [{"attachment": attachment}]}, None, lambda _: None, 1_000_000) == data
