"""The second look in a browser: nothing of the first is shown, keys as in the review, the score at the end."""

from __future__ import annotations

from typing import Any

from fhir_profiles.systems import CODING_DECISION
from server.review.gather import claim_of
from tests.browser.conftest import Visit
from tests.browser.house import House, until
from tests.browser.papers import visit as visit_paper


def _keyed(page: Any, key: str, path: str) -> None:
    """Press a key and wait for what it asked for."""
    with page.expect_response(lambda answer: path in answer.url):
        page.keyboard.press(key)
    page.wait_for_timeout(40)


def _first_look(page: Any, house: House, document: str) -> None:
    """The coder rejects the second suggestion."""
    page.goto(f"{house.root}/work/review/{document}")
    page.wait_for_selector(".s.on")
    page.locator(".s[data-code='I10']").click()
    page.keyboard.press("r")
    page.wait_for_selector("#reject[open]")
    _keyed(page, "5", "/decide")


def test_a_second_look_is_blind_and_ends_with_a_score(visit: Visit, house: House) -> None:
    """An auditor codes what a coder decided on, by keyboard; the claim stays as it was; both see how far they agree."""
    document = house.hand_in(visit_paper("Hale, Nora", "771299"), "application/pdf", "Visit of Hale, Nora")
    with visit("coder") as seen:
        _first_look(seen.page, house, document)
        seen.page.goto(f"{house.root}/work/second/{document}")
        assert "for somebody else" in seen.page.inner_text(".stop")
    with house.fhir("coder") as http:
        claim = http.get(f"/{claim_of(f'DocumentReference/{document}')}").json()
    with visit("auditor", scheme="dark") as seen:
        page = seen.page
        page.goto(f"{house.root}/work/second?which=coded")
        assert seen.violations() == []
        page.get_by_role("link", name="Visit of Hale, Nora").click()
        page.wait_for_selector(".s.on")
        states = page.evaluate("[...document.querySelectorAll('.s')].map(s => s.dataset.state)")
        assert set(states) == {"suggested"} and seen.violations() == [] and "rejected" not in page.inner_text("#list")
        _keyed(page, "s", "/finish")
        assert "undecided" in page.inner_text("#toasts")
        for n in range(1, len(states) + 1):
            page.keyboard.press("a")
            until(page, "n => document.querySelector('#head progress').value === n", n)
        page.keyboard.press("u")
        until(page, "n => document.querySelector('#head progress').value === n", len(states) - 1)
        page.keyboard.press("o")
        page.keyboard.press("a")
        until(page, "n => document.querySelector('#head progress').value === n", len(states))
        _keyed(page, "s", "/finish")
        page.wait_for_selector("#jaccard")
        assert "I10" in page.inner_text("table") and seen.violations() == []
    with house.fhir("auditor") as http:
        assert http.get(f"/{claim_of(f'DocumentReference/{document}')}").json() == claim
        found = http.get("/Provenance", params={"entity": f"DocumentReference/{document}", "_count": "100"}).json()
        codings = [one["resource"]["activity"].get("coding", [{}])[0] for one in found["entry"]]
        opinions = [one for one in codings if one.get("system") == CODING_DECISION and one["code"] == "second-look"]
        assert len(opinions) == len(states) + 2
    with visit("coder") as seen:
        seen.page.goto(f"{house.root}/work/second/{document}")
        assert seen.page.inner_text("#jaccard").endswith("%")
        seen.page.goto(f"{house.root}/work/second?which=coded")
        assert "auditor Dale" in seen.page.inner_text("#rows")
