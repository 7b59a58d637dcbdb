"""The whole story in a browser: a fax comes in, a coder reviews it by keyboard, the claim is ready."""

from __future__ import annotations

from pathlib import Path

from server.demo.fax import fax
from server.review.gather import claim_of
from server.review.work import work_id
from tests.browser.conftest import Visit
from tests.browser.house import House, until


def test_from_a_fax_to_a_claim_by_keyboard(visit: Visit, house: House, tmp_path: Path) -> None:
    """Handed in, read live, decided key by key, finished: the claim is active, the work is done."""
    letter = tmp_path / "letter.tif"
    letter.write_bytes(fax(seed=7))
    with visit("clinician") as seen:
        page = seen.page
        page.goto(f"{house.root}/work/upload")
        page.set_input_files("#files", str(letter))
        page.get_by_role("button", name="Hand in").focus()
        page.keyboard.press("Enter")
        link = page.get_by_role("link", name="Review letter")
        link.wait_for(timeout=240_000)
        link.focus()
        page.keyboard.press("Enter")
        page.wait_for_selector(".s.on")
        document = page.locator("[data-review]").get_attribute("data-review")
        for _ in range(40):
            left = page.locator(".s[data-state=suggested]").count()
            if not left:
                break
            with page.expect_response(lambda answer: "/decide" in answer.url):
                page.keyboard.press("a")
            until(page, "left => document.querySelectorAll('.s[data-state=suggested]').length < left", left)
        assert page.locator(".s[data-state=suggested]").count() == 0
        assert "0 in the way" not in page.inner_text("#claim") and page.locator("#finish button").is_enabled()
        with page.expect_navigation():
            page.keyboard.press("s")
    with house.fhir() as http:
        claim = http.get(f"/{claim_of(f'DocumentReference/{document}')}").json()
        work = http.get(f"/Task/{work_id(str(document))}").json()
    assert claim["status"] == "active" and len(claim["diagnosis"]) >= 5 and len(claim["item"]) == 3
    assert work["status"] == "completed" and work["owner"]["display"] == "clinician Dale"


def test_a_doubtful_word_is_put_right(visit: Visit, house: House) -> None:
    """A word that was hard to read stands beside its picture; what a person writes is coded, and decisions stay."""
    document = house.hand_in(fax(seed=11), "image/tiff", "Letter with doubtful words")
    with visit("coder") as seen:
        page = seen.page
        page.goto(f"{house.root}/work/review/{document}?page=1")
        page.wait_for_selector(".s.on")
        found = page.evaluate(
            f"Promise.all([1, 2].map(n => fetch('/work/review/{document}/words/' + n).then(a => a.json())))"
        )
        with_doubt = [one["page"] for one in found if any(word[8] for word in one["words"])]
        assert with_doubt, "the fax has no doubtful word: choose another seed"
        page.goto(f"{house.root}/work/review/{document}?page={with_doubt[0]}")
        page.wait_for_selector(".s.on")
        page.keyboard.press("h")
        page.wait_for_selector("#words[open] input[name^=text-]")
        page.wait_for_load_state("networkidle")
        assert page.evaluate("document.querySelector('#words img').naturalWidth") > 20
        assert seen.violations() == []
        page.locator("#words input[type=checkbox]").first.check()
        with page.expect_navigation():
            page.get_by_role("button", name="Code again").click()
        page.locator(f"#paper-{document} a.button").wait_for(timeout=240_000)
    with house.fhir("auditor") as http:
        history = http.get(f"/DocumentReference/{document}/_history").json()
    assert len(history["entry"]) == 2
