"""What a headless Chromium sees of the review page: transfer, paints, long tasks, and how long a decision takes.

https://www.w3.org/TR/resource-timing-2/, https://www.w3.org/TR/longtasks-1/
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from campaigns.reviewing.house import House

WATCH = """
window.longest = 0;
new PerformanceObserver(seen => {
  for (const one of seen.getEntries()) window.longest = Math.max(window.longest, one.duration);
}).observe({type: "longtask", buffered: true});
new PerformanceObserver(seen => { for (const one of seen.getEntries()) (window.painted ??= []).push(one.startTime); })
  .observe({type: "paint", buffered: true});
addEventListener("load", () => {
  const image = performance.getEntriesByType("resource").find(one => /\\/image\\/\\d+$/.test(one.name));
  if (image) requestAnimationFrame(() => requestAnimationFrame(now => { window.drawn = now; }));
});
"""
"""What is begun before a page's own scripts; `drawn` is the second frame after all that the page names has come."""

TRANSFER = """() => performance.getEntriesByType("resource").concat(performance.getEntriesByType("navigation"))
  .filter(one => !one.name.includes("/image/")).map(one => [new URL(one.name).pathname, one.encodedBodySize])"""

DECIDED = "() => performance.getEntriesByName('decision').map(one => one.duration)"
UNDECIDED = """() => document.querySelectorAll(".s[data-state=suggested][id^='Condition/']").length"""


@dataclass
class Opening:
    """A page that was opened: milliseconds from the navigation, bytes as they were sent."""

    drawn: float
    html: float
    transfer: int
    page: int
    nodes: int
    longest: float
    cpu: float


@dataclass
class Decisions:
    """Decisions by keyboard: milliseconds from the key to the claim being placed, of each kind."""

    taken: dict[str, list[float]] = field(default_factory=dict)
    cpu: float = 0.0
    longest: float = 0.0

    @property
    def every(self) -> list[float]:
        """Of all kinds."""
        return [one for many in self.taken.values() for one in many]


@contextmanager
def window(browser: Any, house: House) -> Iterator[Any]:
    """A coder's page in a new window, whose cache is empty."""
    context = browser.new_context(viewport={"width": 1280, "height": 860})
    context.add_cookies([house.cookie("coder")])
    page = context.new_page()
    page.add_init_script(WATCH)
    try:
        yield page
    finally:
        context.close()


def opened(page: Any, house: House, id: str, query: str = "") -> Opening:
    """Open a review and wait until its page of the document is drawn."""
    cpu = house.cpu()
    page.goto(f"{house.root}/work/review/{id}{query}")
    page.wait_for_selector(".s.on")
    page.wait_for_function("() => window.drawn > 0")
    html = page.evaluate("performance.getEntriesByType('navigation')[0].responseEnd")
    sizes = page.evaluate(TRANSFER)
    return Opening(
        drawn=page.evaluate("window.drawn"),
        html=html,
        transfer=sum(size for _, size in sizes),
        page=max(size for name, size in sizes if name.endswith(id)),
        nodes=page.evaluate("document.querySelectorAll('*').length"),
        longest=page.evaluate("window.longest"),
        cpu=house.cpu() - cpu,
    )


def turned(page: Any, house: House, many: int) -> tuple[list[float], float]:
    """Milliseconds of turning so many pages by keyboard, until the image is there; seconds of CPU of the server."""
    cpu, taken = house.cpu(), []
    for _ in range(many):
        before = int(page.get_attribute("#pane", "data-page"))
        taken.append(
            page.evaluate(
                """async before => {
                  const began = performance.now();
                  document.dispatchEvent(new KeyboardEvent("keydown", {key: "n", bubbles: true}));
                  while (document.getElementById("pane").dataset.page === String(before))
                    await new Promise(requestAnimationFrame);
                  const image = new Image();
                  image.src = document.querySelector(".sheet image").href.baseVal;
                  await image.decode();
                  await new Promise(requestAnimationFrame);
                  return performance.now() - began;
                }""",
                before,
            )
        )
    return taken, house.cpu() - cpu


def decided(page: Any, house: House, rounds: int, codes: Sequence[str]) -> Decisions:
    """Accept, reject, undo and replace, so many rounds; each waits until the one before is placed."""
    made, cpu = Decisions(), house.cpu()
    for number in range(rounds):
        _choose(page)
        _timed(page, made, "accept", lambda: page.keyboard.press("a"))
        _choose(page)
        _timed(page, made, "reject", lambda: _reject(page))
        _timed(page, made, "undo", lambda: page.keyboard.press("u"))
        spent = house.cpu()
        _look_for(page, codes[number])
        cpu += house.cpu() - spent  # the search is not the decision
        _timed(page, made, "replace", lambda: page.keyboard.press("Enter"))
        if page.evaluate(UNDECIDED) < 3 and page.locator("#list > .hint").count():  # others stand on other pages
            page.keyboard.press("n")
            page.wait_for_timeout(600)
    made.cpu = house.cpu() - cpu
    made.longest = page.evaluate("window.longest")
    return made


def _timed(page: Any, made: Decisions, kind: str, act: Callable[[], None]) -> None:
    before = len(page.evaluate(DECIDED))
    act()
    page.wait_for_function("before => performance.getEntriesByName('decision').length > before", arg=before)
    refused = page.locator(".toast.bad")
    if refused.count():
        raise RuntimeError(refused.first.inner_text())
    made.taken.setdefault(kind, []).append(page.evaluate(DECIDED)[-1])


def _choose(page: Any) -> None:
    """Go to the next diagnosis that is undecided."""
    page.evaluate("() => document.querySelector(\".s[data-state=suggested][id^='Condition/']\")?.click()")
    page.wait_for_load_state("networkidle")


def _reject(page: Any) -> None:
    page.keyboard.press("r")
    page.wait_for_selector("#reject[open]")
    page.keyboard.press("5")


def _look_for(page: Any, code: str) -> None:
    """Search for a code, and stand ready to take it."""
    page.keyboard.press("e")
    page.wait_for_selector("#search[open]")
    page.fill("#search-text", code)
    page.wait_for_selector(f"[data-take='{code}']")
    page.focus(f"[data-take='{code}']")
