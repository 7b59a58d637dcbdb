"""The review page: evidence, decisions by keyboard, the claim, two coders at one document."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_profiles.systems import CODING_DECISION
from server.demo.fax import fax
from server.review.gather import claim_of
from tests.browser.conftest import Visit
from tests.browser.house import SMALL, House, until
from tests.browser.papers import visit as visit_paper


@pytest.fixture(scope="session")
def letter(house: House) -> str:
    """The id of a faxed letter that was read and coded."""
    return house.hand_in(fax(), "image/tiff", "Letter of Larkmoor Internal Medicine")


def _paper(house: House, name: str, mrn: str) -> str:
    return house.hand_in(visit_paper(name, mrn), "application/pdf", f"Visit of {name}")


def _claim(house: House, document: str) -> dict[str, Any]:
    with house.fhir("coder") as http:
        return dict(http.get(f"/{claim_of(f'DocumentReference/{document}')}").json())


def _codes(claim: dict[str, Any]) -> list[str]:
    return [one["diagnosisCodeableConcept"]["coding"][0]["code"] for one in claim.get("diagnosis", ())]


def _state(page: Any) -> dict[str, str]:
    every = "[...document.querySelectorAll('.s')].map(s => [s.dataset.code, s.dataset.state])"
    return dict(page.evaluate(f"Object.fromEntries({every})"))


def _middle(box: dict[str, float], word: list[Any]) -> tuple[float, float]:
    """The middle of a word on the screen."""
    return box["x"] + box["width"] * (word[1] + word[3] / 2), box["y"] + box["height"] * (word[2] + word[4] / 2)


def _settled(page: Any, keys: str) -> None:
    """Press keys, each after what the one before it asked for has come."""
    for key in keys.split():
        with page.expect_response(lambda answer: "/decide" in answer.url):
            page.keyboard.press(key)
        page.wait_for_timeout(30)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_review_reads_well(visit: Visit, house: House, letter: str, scheme: str) -> None:
    """The page, the queue and a second look have no accessibility violation, fit a phone, and are silent."""
    for size in (None, SMALL):
        with visit("coder", scheme=scheme, size=size) as seen:
            seen.page.goto(f"{house.root}/work/review/{letter}")
            seen.page.wait_for_selector(".s.on")
            assert seen.violations() == [] and not seen.wider()
            seen.picture(f"review-{scheme}" if size is None else f"review-{scheme}-small")
            for path in ("queue", f"second/{letter}"):
                seen.page.goto(f"{house.root}/work/{path}")
                assert seen.violations() == [] and not seen.wider(), path


def test_evidence_leads_both_ways(visit: Visit, house: House, letter: str) -> None:
    """A suggestion makes its box glow on its page; a click on words finds what rests on them."""
    with visit("coder") as seen:
        page = seen.page
        page.goto(f"{house.root}/work/review/{letter}")
        page.locator(".s[data-code='M17.11']").click()
        card = page.locator(".s.on")
        assert card.get_attribute("data-code") == "M17.11"
        page.wait_for_selector(".box.on")
        assert card.get_attribute("id") in (page.locator(".box.on").first.get_attribute("data-of") or "")
        other = page.locator(".box:not(.on)").first
        of = (other.get_attribute("data-of") or "").split()[0]
        other.click()
        until(page, "id => document.querySelector('.s.on')?.id === id", of)


def test_everything_is_decided_by_keyboard(visit: Visit, house: House) -> None:
    """Accept, reject with a reason, replace by search, undo, principal and order by keys; the claim follows."""
    document = _paper(house, "Reed, Finn", "771204")
    with visit("coder") as seen:
        page = seen.page
        page.goto(f"{house.root}/work/review/{document}")
        page.wait_for_selector(".s.on")
        before = _codes(_claim(house, document))
        assert before[:2] == ["E11.9", "I10"]
        _settled(page, "a")
        assert _state(page)["E11.9"] == "accepted"
        page.keyboard.press("r")
        page.wait_for_selector("#reject[open]")
        with page.expect_response(lambda answer: "/decide" in answer.url):
            page.keyboard.press("5")
        until(page, "document.querySelector('.s[data-code=\"I10\"]')?.dataset.state === 'rejected'")
        assert "I10" not in _codes(_claim(house, document))
        _settled(page, "u")
        until(page, "document.querySelector('.s[data-code=\"I10\"]')?.dataset.state === 'suggested'")
        assert _codes(_claim(house, document)) == before
        page.locator(".s[data-code='M10.9']").focus()
        page.locator(".s[data-code='M10.9']").click()
        page.keyboard.press("e")
        page.wait_for_selector("#search[open]")
        with page.expect_response(lambda answer: "/find" in answer.url):
            page.keyboard.type("idiopathic gout right knee")
        page.wait_for_selector("[data-take='M10.061']")
        with page.expect_response(lambda answer: "/decide" in answer.url):
            page.keyboard.press("Enter")
        until(page, "document.querySelector('.s[data-code=\"M10.061\"]')?.dataset.state === 'replaced'")
        page.locator(".s[data-code='I10']").click()
        _settled(page, "1")
        assert _codes(_claim(house, document))[0] == "I10"
        _settled(page, "J")
        assert _codes(_claim(house, document))[:2] == ["E11.9", "I10"]
        page.locator(".s[data-code='99214']").click()
        _settled(page, "a")
        assert _state(page)["99214"] == "accepted"
        page.get_by_role("tab", name="Trail").click()
        page.wait_for_selector("#panel-trail .timeline")
        trail = page.inner_text("#panel-trail")
        assert "reject (undone)" in trail and "replace M10.061" in trail and seen.violations() == []
        assert page.locator("#panel-trail tr", has_text="M10.061").inner_text().split() == ["M10.9", "M10.061"]
    with house.fhir("auditor") as http:
        found = http.get("/Provenance", params={"entity": f"DocumentReference/{document}"}).json()
    kinds = {
        coding["code"]
        for entry in found["entry"]
        for coding in entry["resource"].get("activity", {}).get("coding", ())
        if coding.get("system") == CODING_DECISION
    }
    assert kinds >= {"accept", "reject", "undo", "replace", "principal", "reorder"}


def test_an_unspecified_code_tells_what_it_lacks(visit: Visit, house: House) -> None:
    """Looking at an unspecified code offers the specific ones beside it; one of them can be taken at once."""
    document = _paper(house, "Penn, Orla", "771208")
    with visit("coder") as seen:
        page = seen.page
        page.goto(f"{house.root}/work/review/{document}")
        page.wait_for_selector(".s.on")
        page.locator(".s[data-code='M10.9']").click()
        page.wait_for_selector(".s.on [data-hint]")
        assert seen.violations() == []
        instead = page.locator(".s.on [data-hint]").first.get_attribute("data-hint")
        with page.expect_response(lambda answer: "/decide" in answer.url):
            page.locator(".s.on [data-hint]").first.click()
        until(page, "code => document.querySelector(`.s[data-code='${code}']`)?.dataset.state === 'replaced'", instead)
    assert instead in _codes(_claim(house, document))


def test_words_are_picked_and_coded(visit: Visit, house: House) -> None:
    """Dragging over words opens the search with them; what is taken stands with those words as its evidence."""
    document = _paper(house, "Brook, Tessa", "771205")
    with visit("coder") as seen:
        page = seen.page
        page.goto(f"{house.root}/work/review/{document}")
        page.wait_for_selector(".s.on")
        words = page.evaluate(f"fetch('/work/review/{document}/words/1').then(a => a.json())")["words"]
        at = next(n for n, one in enumerate(words) if one[0] == "Follow-up")
        box = page.locator(".sheet svg").bounding_box()
        first, last = (_middle(box, one) for one in words[at : at + 2])
        page.mouse.move(*first)
        page.mouse.down()
        page.wait_for_timeout(400)
        page.mouse.move(*last, steps=4)
        page.mouse.up()
        page.wait_for_selector("#search[open]")
        assert page.input_value("#search-text").startswith("Follow-up visit")
        page.fill("#search-text", "Z09")
        page.wait_for_selector("[data-take='Z09']")
        with page.expect_response(lambda answer: "/decide" in answer.url):
            page.keyboard.press("Enter")
        page.wait_for_selector(".s[data-code='Z09']")
        assert _state(page)["Z09"] == "added"
        page.wait_for_selector(".box[data-of]")
    assert "Z09" in _codes(_claim(house, document))


def test_two_coders_never_overwrite_each_other(visit: Visit, house: House) -> None:
    """Who decides first holds the document; another is told, may take over, and then the first is told in turn."""
    document = _paper(house, "Vale, Odo", "771206")
    with visit("coder") as one, visit("second") as two:
        for seen in (one, two):
            seen.page.goto(f"{house.root}/work/review/{document}")
            seen.page.wait_for_selector(".s.on")
        _settled(one.page, "a")
        two.page.keyboard.press("a")
        two.page.wait_for_selector(".toast.bad")
        assert "coder Dale has this document" in two.page.inner_text(".toast.bad")
        assert _state(two.page)["E11.9"] == "accepted"
        two.page.get_by_role("button", name="Take over").click()
        two.page.wait_for_load_state("networkidle")
        two.page.wait_for_selector(".s.on")
        _settled(two.page, "a")
        one.page.keyboard.press("a")
        one.page.wait_for_selector(".toast.bad")
        assert "second Dale has this document" in one.page.inner_text(".toast.bad")


def test_what_changed_meanwhile_is_told(visit: Visit, house: House) -> None:
    """A decision on what another program has changed since is not taken: the page shows it as it is now."""
    document = _paper(house, "Ash, Wren", "771207")
    with visit("coder") as seen:
        seen.page.goto(f"{house.root}/work/review/{document}")
        card = seen.page.wait_for_selector(".s.on")
        reference = card.get_attribute("id")
        with house.fhir("clinician") as http:
            condition = http.get(f"/{reference}").json()
            condition["note"] = [{"text": "Seen again by the clinic."}]
            assert http.put(f"/{reference}", json=condition).status_code == 200
        seen.page.keyboard.press("a")
        seen.page.wait_for_selector(".toast.bad")
        assert "changed meanwhile" in seen.page.inner_text(".toast.bad")
        assert _state(seen.page)["E11.9"] == "suggested"
        _settled(seen.page, "a")
        assert _state(seen.page)["E11.9"] == "accepted"


@pytest.mark.parametrize("role", ["auditor", "biller"])
def test_who_may_not_decide_reads(visit: Visit, house: House, letter: str, role: str) -> None:
    """Without the right to decide the page shows all and no way to decide; a form sent all the same is refused."""
    with visit(role) as seen:
        answer = seen.page.goto(f"{house.root}/work/review/{letter}")
        assert answer.status == 200
        seen.page.wait_for_selector(".s")
        assert seen.page.locator("[data-act=accept]").count() == 0
        form = "{method: 'POST', body: new URLSearchParams({kind: 'accept'})}"
        status = seen.page.evaluate(f"fetch('/work/review/{letter}/decide', {form}).then(a => a.status)")
        assert status == 403
        seen.complaints.clear()
