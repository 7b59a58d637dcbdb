"""The pages in a real browser, as people see them."""

from __future__ import annotations

import re
import shutil
import time
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pyotp
import pytest

from tests.integration.auth.browser import KEY, PASSWORD
from tests.integration.auth.conftest import CHALLENGE, REDIRECT, Site

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")

WRONG = """() => [
  ...[...document.querySelectorAll('input:not([type=hidden])')].filter(one => !one.labels.length).map(one => 'no label: ' + one.name),
  ...[...document.querySelectorAll('[id]')].filter((one, n, all) => all.some((other, m) => m < n && other.id === one.id)).map(one => 'twice: ' + one.id),
  ...(document.documentElement.lang ? [] : ['no language']),
  ...(document.querySelectorAll('h1').length === 1 ? [] : ['not one h1']),
  ...(document.querySelectorAll('main').length === 1 ? [] : ['not one main']),
  ...[...document.querySelectorAll('fieldset')].filter(one => !one.querySelector('legend')).map(() => 'fieldset without legend'),
  ...[...document.querySelectorAll('button, a')].filter(one => !one.textContent.trim()).map(() => 'nothing to read'),
  ...[...document.querySelectorAll('[aria-labelledby], [aria-describedby]')].flatMap(one =>
    [one.getAttribute('aria-labelledby'), one.getAttribute('aria-describedby')]).filter(id => id && !document.getElementById(id)),
  ...(document.documentElement.scrollWidth > document.documentElement.clientWidth ? ['wider than the window'] : []),
  ...(getComputedStyle(document.body).maxWidth === 'none' ? ['no style'] : []),
]"""  # noqa: E501 - a line for each rule


@pytest.mark.check("AUTHZ-17", "AUTHZ-19", "OPS-05")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_person_uses_the_pages(site: Site, scheme: str) -> None:
    """Sign in, pick a patient, untick Observation, agree: the app gets its code; every page reads well, no rule broken.

    AUTHZ-17, AUTHZ-19, OPS-05: nothing of a page is held back by its own policy, without scripts and on a phone.
    """
    base = site.base
    asked = {
        "response_type": "code", "client_id": "public", "redirect_uri": REDIRECT, "state": "st", "aud": f"{base}/fhir",
        "scope": "launch/patient patient/*.rs offline_access", "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }  # fmt: skip
    complaints: list[str] = []
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        context = browser.new_context(color_scheme=scheme, viewport={"width": 360, "height": 740})
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.route("https://app.example/**", lambda route: route.fulfill(status=200, body="back at the app"))

        def looked_at(heading: str) -> None:
            assert page.inner_text("h1") == heading
            page.wait_for_load_state("load")  # with its style
            assert page.evaluate(WRONG) == []

        page.goto(f"{base}/auth/authorize?{urlencode(asked)}")
        looked_at("Sign in")
        page.get_by_label("Name").fill("bob")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_label("Code of your authenticator app").fill(_next_code())
        page.get_by_role("button", name="Sign in").click()
        looked_at("Choose a patient")
        page.get_by_role("button", name="Quill").click()
        looked_at("A page asks for access")
        page.get_by_label("Measurements, laboratory results").uncheck()
        page.get_by_role("button", name="Agree", exact=True).click()
        page.wait_for_url("https://app.example/**")
        found = parse_qs(urlsplit(page.url).query)
        assert found["state"] == ["st"] and found["code"]
        page.goto(f"{base}/auth/manage")
        looked_at("Apps that have access")
        page.get_by_role("button", name="Sign out").click()
        looked_at("Signed out")
        browser.close()
    assert complaints == []


def _next_code() -> str:
    """A code that was not used yet: of the step after the present one in the second run."""
    _used.append(1)
    return pyotp.TOTP(KEY).at(int(time.time()) + 30 * (len(_used) - 1))


_used: list[int] = []


def test_colours_can_be_told_apart() -> None:
    """Text stands out from its ground by 4.5 to 1, edges by 3 to 1, in light and in dark (WCAG 2.2 AA)."""
    css = (Path(__file__).parents[3] / "server/http/pages/auth/auth.css").read_text()
    schemes = [dict(re.findall(r"--([\w-]+): (#\w+)", block)) for block in re.findall(r":root \{([^}]*)\}", css)]
    assert len(schemes) == 2
    for one in schemes:
        for text, ground, least in (
            ("text", "ground", 4.5), ("text", "soft", 4.5), ("faint", "ground", 4.5), ("faint", "soft", 4.5),
            ("link", "ground", 4.5), ("on-link", "link", 4.5), ("wrong", "ground", 4.5), ("edge", "ground", 3),
        ):  # fmt: skip
            assert _contrast(one[text], one[ground]) >= least, (text, ground)


def _contrast(one: str, other: str) -> float:
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    parts = [int(digits[n : n + 2], 16) / 255 for n in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
