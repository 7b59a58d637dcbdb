"""Shadow mode in a browser: coded without suggestions, finished, and then held against what the machine had."""

from __future__ import annotations

from typing import Any

from server.review.gather import claim_of
from tests.browser.conftest import Visit
from tests.browser.house import NORTH, House, until
from tests.browser.papers import visit as visit_paper


def _add(page: Any, text: str, code: str, *, service: bool = False) -> None:
    """Add a code by keyboard."""
    page.keyboard.press("/")
    page.wait_for_selector("#search[open]")
    if service:
        page.get_by_label("Services").check()
        page.locator("#search-text").focus()
    page.keyboard.type(text)
    page.wait_for_selector(f"[data-take='{code}']")
    with page.expect_response(lambda answer: "/decide" in answer.url):
        page.locator(f"[data-take='{code}']").click()
    until(page, "code => document.querySelector(`.s[data-code='${code}']`)?.dataset.state === 'added'", code)


def test_a_document_is_coded_unaided_and_then_compared(visit: Visit, house: House) -> None:
    """Nothing is suggested and no words glow; the claim has what the coder added; at the end both are shown."""
    paper, custodian = visit_paper("Vane, Isa", "771377"), {"reference": NORTH}
    document = house.hand_in(paper, "application/pdf", "Visit of Vane, Isa", custodian=custodian)
    with visit("coder", scheme="light") as seen:
        page = seen.page
        page.goto(f"{house.root}/work/review/{document}")
        page.wait_for_selector("#list .empty")
        assert "coded unaided" in page.inner_text("#head") and page.locator(".s, .box").count() == 0
        assert "E11.9" not in page.content() and seen.violations() == []
        _add(page, "I10", "I10")
        _add(page, "G0439", "G0439", service=True)
        with page.expect_response(lambda answer: "/finish" in answer.url):
            page.keyboard.press("s")
        page.wait_for_url(lambda url: document not in url.split("?")[0])
        page.goto(f"{house.root}/work/review/{document}")
        page.get_by_role("tab", name="Compared").click()
        page.wait_for_selector("#alike")
        told = page.inner_text("#panel-compared")
        assert "E11.9" in told and "machine alone" in told and "coder alone" in told and seen.violations() == []
    with house.fhir("coder") as http:
        claim = http.get(f"/{claim_of(f'DocumentReference/{document}')}").json()
    assert claim["status"] == "active" and len(claim["diagnosis"]) == len(claim["item"]) == 1
