"""What every page of the workbench shares: signing in, roles, navigation, help, themes."""

from __future__ import annotations

import httpx
import pytest

from server.access.roles import read_roles
from server.http.work.rooms import ROOMS, allowed
from tests.browser.conftest import Visit
from tests.browser.house import ROLES, SMALL, House


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_start_reads_well(visit: Visit, house: House, scheme: str) -> None:
    """The start has no accessibility violation, fits a phone and complains of nothing."""
    for size in (None, SMALL):
        with visit("coder", scheme=scheme, size=size) as seen:
            seen.page.goto(f"{house.root}/work")
            assert seen.page.inner_text("h1") == "Today"
            assert seen.violations() == [] and not seen.wider()
            if size is None:
                seen.picture(f"home-{scheme}")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_before_it_read_well(visit: Visit, house: House, scheme: str) -> None:
    """Signing in, one's apps, what the server can do, and a refusal: no violation, nothing wider than a phone."""
    for size in (None, SMALL):
        with visit("admin", scheme=scheme, size=size) as seen:
            for path in ("auth/sign-in", "auth/manage", "auth/admin", "fhir/metadata?_format=html"):
                seen.page.goto(f"{house.root}/{path}")
                assert seen.violations() == [], path
                assert not seen.wider(), path
        with visit("coder", scheme=scheme, size=size) as seen:
            seen.page.goto(f"{house.root}/work/admin/people")
            assert seen.page.inner_text("h1") == "Not allowed" and seen.violations() == []
            seen.complaints.clear()  # the browser tells of the 403 itself


def test_help_shows_keys_and_takes_others(visit: Visit, house: House) -> None:
    """`?` lists the keys; another key can be chosen, is kept, and can be taken back."""
    with visit("coder") as seen:
        seen.page.goto(f"{house.root}/work")
        seen.page.keyboard.press("?")
        seen.page.get_by_role("button", name="Show this list: ?. Change").click()
        seen.page.keyboard.press("h")
        assert seen.page.get_by_role("button", name="Show this list: h. Change").is_visible()
        assert seen.violations() == []
        seen.page.get_by_role("button", name="Close").click()
        seen.page.reload()
        seen.page.keyboard.press("?")
        assert not seen.page.locator("#help").is_visible()
        seen.page.keyboard.press("h")
        seen.page.get_by_role("button", name="Back to how they were").click()
        assert seen.page.get_by_role("button", name="Show this list: ?. Change").is_visible()


def test_nobody_enters_without_signing_in(house: House) -> None:
    """A page leads to signing in and back; a script is told 401; a form that is not ours is refused."""
    page = httpx.get(f"{house.root}/work")
    assert page.status_code == 303 and page.headers["location"] == "/auth/sign-in?then=%2Fwork"
    assert httpx.get(f"{house.root}/work", headers={"sec-fetch-mode": "cors"}).status_code == 401
    for away in ("//evil.example", "https://evil.example/", "/work/../auth/admin", "/fhir/Patient"):
        shown = httpx.get(f"{house.root}/auth/sign-in", params={"then": away})
        assert shown.status_code == 200 and 'name="then"' not in shown.text


def test_pages_have_the_strictest_policy(house: House) -> None:
    """Every page forbids whatever is not its own: no inline script or style, no frame, nothing kept."""
    answer = httpx.get(f"{house.root}/work", cookies={"fhirwright": house.tokens["coder"]})
    policy = answer.headers["content-security-policy"]
    assert answer.status_code == 200 and "unsafe" not in policy and "default-src 'none'" in policy
    assert answer.headers["cache-control"] == "no-store" and "style=" not in answer.text


@pytest.mark.parametrize("role", ROLES)
def test_each_role_sees_its_pages(house: House, role: str) -> None:
    """The navigation shows what a role may see; every other page is refused with 403."""
    may = allowed(read_roles(), [role])
    with httpx.Client(base_url=house.root, cookies={"fhirwright": house.tokens[role]}, timeout=60) as http:
        start = http.get("/work").text
        for room in ROOMS:
            if room.group:
                assert (f'href="{room.path}"' in start) == (room.name in may), room.name


def test_patients_have_no_workbench(house: House) -> None:
    """Whoever has no role at user level is told so, without a token being made."""
    answer = httpx.get(f"{house.root}/work", cookies={"fhirwright": house.tokens["patient"]})
    assert answer.status_code == 403 and "Not for this account" in answer.text
