"""The upload page: files in, stages to watch, a failure with its reason, the way to the review."""

from __future__ import annotations

import io
import re

import httpx
import pytest

from tests.browser.conftest import Visit
from tests.browser.house import SMALL, House, until

NOTE = b"ASSESSMENT\n1. Essential hypertension (I10)\n"


def letter() -> bytes:
    """A PDF that is too large to be stored within its DocumentReference."""
    from reportlab.pdfgen.canvas import Canvas

    canvas = Canvas(out := io.BytesIO(), pagesize=(612, 792), invariant=1)
    canvas.drawString(72, 700, "Assessment: type 2 diabetes mellitus.")
    canvas.save()
    return out.getvalue() + b"\n%" + b" " * 300_000


def names() -> list[dict[str, object]]:
    """What is chosen in the page: a note, a letter, and a file that is damaged."""
    return [
        {"name": "visit note.txt", "mimeType": "text/plain", "buffer": NOTE},
        {"name": "letter.pdf", "mimeType": "application/pdf", "buffer": letter()},
        {"name": "torn.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7\ntorn"},
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_documents_are_handed_in_watched_and_opened(visit: Visit, house: House, scheme: str) -> None:
    """Files that are chosen are stored and coded while one watches; what fails says why; the review is one click on."""
    with visit("clinician", scheme=scheme) as seen:
        page = seen.page
        page.goto(f"{house.root}/work/upload")
        assert seen.violations() == []
        page.set_input_files("#files", names())
        page.get_by_role("heading", name="torn.pdf").wait_for()
        until(page, "document.querySelectorAll('#stages h3').length === 3")
        assert page.locator("#stages h3").all_inner_texts() == ["visit note.txt", "letter.pdf", "torn.pdf"]
        page.get_by_text("Coded", exact=True).nth(1).wait_for(timeout=120_000)
        page.get_by_role("button", name="Retry torn.pdf").wait_for(timeout=120_000)
        assert "damaged" in page.locator("#stages .stop").inner_text()
        assert page.locator(".steps >> nth=0").locator("li.done").count() == 5
        assert seen.violations() == [] and not seen.wider()
        seen.picture(f"upload-{scheme}")
        page.reload()
        assert page.locator("#stages h3").count() == 3
        page.set_viewport_size(SMALL)
        assert not seen.wider()
        page.get_by_role("link", name="Review visit note.txt").click()
        page.wait_for_url(re.compile(r"/work/review/[^/]+$"))


def test_a_failed_document_is_tried_again(visit: Visit, house: House) -> None:
    """The button asks for another run, by keyboard too; what comes of it is shown again."""
    with visit("clinician") as seen:
        page = seen.page
        page.goto(f"{house.root}/work/upload")
        page.set_input_files("#files", [{**names()[2], "name": "bent.pdf"}])
        button = page.get_by_role("button", name="Retry bent.pdf")
        button.wait_for(timeout=120_000)
        with page.expect_response("**/retry") as answered:
            button.press("Enter")
        assert answered.value.status == 200
        button.wait_for(timeout=120_000)


def test_a_form_without_script_does_the_same(house: House) -> None:
    """A plain form leads to the list of its documents; what is no document is refused by name and not stored."""
    with httpx.Client(base_url=house.root, cookies={"fhirwright": house.tokens["clinician"]}, timeout=60) as http:
        token = re.search(r'name="csrf" value="([^"]+)"', http.get("/work/upload").text)
        assert token is not None
        sent = http.post("/work/upload", data={"csrf": token[1]}, files={"files": ("../a/note.txt", NOTE)})
        assert sent.status_code == 303 and sent.headers["location"].startswith("/work/upload?of=")
        assert "<h3>note.txt</h3>" in http.get(sent.headers["location"]).text
        wrong = http.post(
            "/work/upload", data={"csrf": token[1]}, files={"files": ("tool.exe", b"MZ\x00\x01\x02" * 99)}
        )
        assert wrong.status_code == 422 and "tool.exe" in wrong.text
        none = '--x\r\nContent-Disposition: form-data; name="{}"{}\r\n\r\n{}\r\n'
        body = none.format("csrf", "", token[1]) + none.format("files", '; filename=""', "") + "--x--\r\n"
        kind = {"content-type": "multipart/form-data; boundary=x"}
        assert http.post("/work/upload", content=body, headers=kind).status_code == 422
        assert http.post("/work/upload", data={"csrf": "x"}, files={"files": ("note.txt", NOTE)}).status_code == 403
        many = [("files", (f"{number}.txt", NOTE)) for number in range(22)]
        assert http.post("/work/upload", data={"csrf": token[1]}, files=many).status_code == 413


def test_who_may_not_create_documents_only_watches(visit: Visit, house: House) -> None:
    """A coder sees how far documents are, without a form; what is sent all the same is refused."""
    with visit("coder") as seen:
        seen.page.goto(f"{house.root}/work/upload")
        assert seen.page.locator("#stages").count() == 1 and seen.page.locator("#upload").count() == 0
        assert seen.violations() == []
    with httpx.Client(base_url=house.root, cookies={"fhirwright": house.tokens["coder"]}, timeout=60) as http:
        assert http.post("/work/upload", files={"files": ("note.txt", NOTE)}).status_code == 403
