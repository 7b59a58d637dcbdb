"""The review page stays small: what is sent, what stands in the document, suggestions page by page where many are."""

from __future__ import annotations

from pathlib import Path

import pytest

from campaigns.reviewing.papers import paper, titles
from tests.browser.conftest import Visit
from tests.browser.house import House, until

FINDINGS, PAGES = 180, 12
SENT = """() => performance.getEntriesByType("resource").concat(performance.getEntriesByType("navigation"))
  .filter(one => !one.name.includes("/image/")).reduce((sum, one) => sum + one.encodedBodySize, 0)"""


@pytest.fixture(scope="module")
def long(house: House) -> str:
    """The id of a letter with so many findings that they are shown page by page."""
    lines = [title for _, title in titles(Path(house.data), FINDINGS, seed=11)]
    return house.hand_in(paper(lines, PAGES), "application/pdf", "A long letter")


def test_many_findings_are_shown_page_by_page(visit: Visit, house: House, long: str) -> None:
    """At most 150 KB are sent, the document stays small, and a turned page brings its own suggestions, one chosen."""
    with visit("coder") as seen:
        page = seen.page
        page.goto(f"{house.root}/work/review/{long}?page=2", wait_until="networkidle")
        page.wait_for_selector(".s.on")
        assert page.evaluate(SENT) <= 150_000
        assert page.evaluate("document.querySelectorAll('*').length") < 2500
        total = int(page.get_attribute("#head progress", "max"))
        assert total > 150 and page.locator(".s").count() < 60
        before = set(page.locator(".s").evaluate_all("all => all.map(one => one.id)"))
        page.keyboard.press("n")
        page.wait_for_selector("#pane[data-page='3']")
        page.wait_for_selector(".s.on")
        after = set(page.locator(".s").evaluate_all("all => all.map(one => one.id)"))
        assert after - before and before - after
        assert page.locator(".thumbs [aria-current]").get_attribute("data-page") == "3"


def test_a_decision_sends_what_it_changed(visit: Visit, house: House, long: str) -> None:
    """The answer to a decision holds its card, the count of its page, the head and the claim; not the other cards."""
    with visit("coder") as seen:
        page = seen.page
        page.goto(f"{house.root}/work/review/{long}?page=5", wait_until="networkidle")
        page.wait_for_selector(".s.on")
        target = page.locator(".s.on").get_attribute("id")
        with page.expect_response(lambda answer: "/decide" in answer.url) as told:
            page.keyboard.press("a")
        body = told.value.text()
        assert f'id="{target}"' in body and body.count('class="s"') < 8 and 'id="list"' not in body
        assert 'id="count-5"' in body and 'id="head"' in body and 'id="claim"' in body
        assert len(body) < 40_000
        until(page, "id => document.getElementById(id).dataset.state === 'accepted'", target)
