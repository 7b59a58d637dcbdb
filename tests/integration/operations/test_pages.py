"""`$page-image` and `$page-words`: what a page shows and says, for whoever may read the document, on both engines."""

from __future__ import annotations

import asyncio
import base64
import io
import json
from collections.abc import Callable
from typing import Any

import msgspec
import pypdfium2 as pdfium
import pytest
from PIL import Image, ImageDraw

from extractors.pages import read
from fhir_profiles.errors import FhirError
from server.access.caller import Caller
from server.access.grants import Grant
from server.http.errors import status_of
from server.interactions.exchange import Response
from server.interactions.fhir import Fhir
from server.jobs.cache import ContentCache
from server.jobs.shown import keep_pages, pages_key
from server.operations import pages
from server.operations.registry import Operations
from server.settings import Settings
from tests.conftest import make_request

Ask = Callable[..., Response]
WIDTH, HEIGHT = 850, 1100
MARK = (425, 110, 510, 220)  # a black box on page 2: its fractions are 0.5, 0.1, 0.1, 0.1


def scan() -> bytes:
    """Two pages of a TIFF; a mark on the second."""
    first, second = (Image.new("L", (WIDTH, HEIGHT), 255) for _ in range(2))
    ImageDraw.Draw(second).rectangle(MARK, fill=0)
    first.save(out := io.BytesIO(), "TIFF", save_all=True, append_images=[second], dpi=(100, 100))
    return out.getvalue()


def letter() -> bytes:
    """A PDF of two pages with a text layer."""
    from reportlab.pdfgen.canvas import Canvas

    canvas = Canvas(out := io.BytesIO(), pagesize=(612, 792), invariant=1)
    for line in ("Metoprolol 25 mg daily", "Essential hypertension"):
        canvas.drawString(72, 700, line)
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def turned() -> bytes:
    """The same with its first page turned by a quarter, as scanners do it."""
    document = pdfium.PdfDocument(letter())
    document[0].set_rotation(90)
    document.save(out := io.BytesIO())
    return out.getvalue()


def reference(data: bytes | None = None, kind: str = "image/tiff", **more: Any) -> dict[str, Any]:
    """A DocumentReference around a file, or around an address."""
    attachment = {"contentType": kind, **more}
    if data is not None:
        attachment["data"] = base64.b64encode(data).decode()
    patient = {"reference": "Patient/p"}
    content = [{"attachment": attachment}]
    return {"resourceType": "DocumentReference", "status": "current", "subject": patient, "content": content}


@pytest.fixture
def ask(fhir: Fhir, settings: Settings) -> Ask:
    """`ask("DocumentReference/d/$page-image?page=2", if_none_match=…)`."""
    found = Operations(pages.operations(fhir, settings))

    def run(url: str, **more: Any) -> Response:
        request = make_request("GET", url, **more)
        operation = found.find(request.path)
        assert operation is not None
        return asyncio.run(operation.handler(request))  # type: ignore[arg-type]

    return run


def picture(answer: Response) -> Image.Image:
    """The picture in an answer, in grays."""
    assert (answer.status, answer.content_type) == (200, "image/png")
    return Image.open(io.BytesIO(answer.body)).convert("L")


def refused(ask: Ask, url: str, **more: Any) -> int:
    """The status of what is refused."""
    with pytest.raises(FhirError) as caught:
        ask(url, **more)
    return status_of(caught.value)


def test_a_page_is_drawn_so_that_boxes_fit_it(call: Callable[..., Response], ask: Ask) -> None:
    """A mark stands where its fractions say, at any width, and a crop holds just it."""
    call("PUT", "DocumentReference/d", {**reference(scan()), "id": "d"})
    for width in (120, 1200):
        page = picture(ask(f"DocumentReference/d/$page-image?page=2&width={width}"))
        assert page.size == (width, round(width * HEIGHT / WIDTH))
        assert page.getpixel((round(width * 0.55), round(page.height * 0.15))) == 0
        assert page.getpixel((round(width * 0.45), round(page.height * 0.15))) == 255
    part = picture(ask("DocumentReference/d/$page-image?page=2&width=1000&crop=0.5,0.1,0.1,0.1"))
    assert part.size == (100, 129)
    assert part.crop((2, 2, 98, 127)).getextrema() == (0, 0)


def test_a_turned_page_is_upright(call: Callable[..., Response], ask: Ask, settings: Settings) -> None:
    """What a PDF says about its rotation holds for picture and words alike: there is ink in the box of a word only."""
    body = {**reference(turned(), "application/pdf"), "id": "d"}
    call("PUT", "DocumentReference/d", body)
    keep(settings, body, turned())
    told = json.loads(ask("DocumentReference/d/$page-words?page=1").body)
    page = picture(ask("DocumentReference/d/$page-image?page=1&width=1000"))
    assert (told["width"], told["height"]) == (792, 612)
    assert page.width > page.height
    for _, left, top, width, height, *_ in told["words"]:
        box = (left * page.width, top * page.height, (left + width) * page.width, (top + height) * page.height)
        assert page.crop(tuple(round(side) for side in box)).getextrema()[0] < 60
        page.paste(255, tuple(round(side) + by for side, by in zip(box, (-3, -3, 3, 3), strict=True)))
    assert page.getextrema() == (255, 255)


def keep(settings: Settings, document: dict[str, Any], data: bytes) -> None:
    """Leave in the cache what a worker leaves there."""
    cache = ContentCache(settings.data / "cache", settings.cache_bytes)
    cache.put("document:1", msgspec.msgpack.encode(found := read(data)))
    if found.pages:
        keep_pages(cache, "document:1", found)
    cache.put(pages_key(document), b"document:1")


def test_words_are_told_with_their_places_and_doubts(
    call: Callable[..., Response], ask: Ask, settings: Settings
) -> None:
    """The words are those that were coded, at the offsets that evidence names; the overview counts them."""
    body = {**reference(letter(), "application/pdf"), "id": "d"}
    call("PUT", "DocumentReference/d", body)
    keep(settings, body, letter())
    answer = ask("DocumentReference/d/$page-words?page=2")
    told = json.loads(answer.body)
    assert (answer.content_type, told["page"], told["of"], told["method"]) == ("application/json", 2, 2, "text")
    text = read(letter()).text
    assert [text[word[5] : word[6]] for word in told["words"]] == ["Essential", "hypertension"]
    assert [word[7:] for word in told["words"]] == [[100, 0], [100, 0]]
    overview = json.loads(ask("DocumentReference/d/$page-words").body)
    assert (overview["of"], [page["words"] for page in overview["pages"]]) == (2, [4, 2])
    assert ask("DocumentReference/d/$page-words?page=2", if_none_match=answer.etag).status == 304


def test_the_client_keeps_a_page(call: Callable[..., Response], ask: Ask) -> None:
    """A page has an ETag that holds until the document changes, and says for how long it may be shown again."""
    call("PUT", "DocumentReference/d", {**reference(scan()), "id": "d"})
    url = "DocumentReference/d/$page-image?page=2&width=200"
    first = ask(url)
    assert dict(first.headers)["Cache-Control"].startswith("private, max-age=")
    again = ask(url, if_none_match=first.etag)
    assert (again.status, again.body, again.etag) == (304, b"", first.etag)
    call("PUT", "DocumentReference/d", {**reference(letter(), "application/pdf"), "id": "d"})
    assert ask(url, if_none_match=first.etag).status == 200


def test_a_binary_is_drawn_for_who_may_read_the_document(call: Callable[..., Response], ask: Ask) -> None:
    """Whoever reads the document of a patient sees its pages; to another one there is no such document."""
    call("PUT", "Binary/b", {"resourceType": "Binary", "id": "b", "contentType": "image/tiff", "data": _base(scan())})
    call("PUT", "DocumentReference/d", {**reference(url="Binary/b"), "id": "d"})
    grants = tuple(Grant("patient", name, frozenset("r")) for name in ("DocumentReference", "Binary"))
    own, other = (Caller(who="someone", grants=grants, patient=patient) for patient in ("p", "q"))
    url = "DocumentReference/d/$page-image?width=100"
    assert picture(ask(url, caller=own)).width == 100
    assert refused(ask, url, caller=other) == 404
    assert refused(ask, "DocumentReference/d/$page-words", caller=other) == 404


def _base(data: bytes) -> str:
    return base64.b64encode(data).decode()


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("page=3", 404),
        ("page=0", 400),
        ("width=99", 400),
        ("width=2401", 400),
        ("crop=0.5,0.5,0.6,0.1", 400),
        ("crop=0,0,0,1", 400),
        ("crop=nan,0,1,1", 400),
        ("zoom=2", 400),
    ],
)
def test_what_is_not_a_part_of_a_page_is_refused(
    call: Callable[..., Response], ask: Ask, query: str, status: int
) -> None:
    """A page that is not there is 404, a number out of its bounds 400."""
    call("PUT", "DocumentReference/d", {**reference(scan()), "id": "d"})
    assert refused(ask, f"DocumentReference/d/$page-image?{query}") == status


def test_a_text_has_words_and_no_pages(call: Callable[..., Response], ask: Ask, settings: Settings) -> None:
    """Its picture is 404 with what to ask for instead; its words are its text."""
    body = {**reference(b"asthma", "text/plain"), "id": "d"}
    call("PUT", "DocumentReference/d", body)
    assert refused(ask, "DocumentReference/d/$page-image") == 404
    keep(settings, body, b"asthma")
    assert json.loads(ask("DocumentReference/d/$page-words?page=1").body) == {"page": 1, "of": 0, "text": "asthma"}
    assert refused(ask, "DocumentReference/d/$page-words?page=2") == 404
