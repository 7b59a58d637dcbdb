"""The pages of those who look after the server, and the audit search."""

from __future__ import annotations

import base64

import pytest

from server.access.roles import read_roles
from server.http.work.rooms import ROOMS, allowed
from tests.browser.conftest import Visit
from tests.browser.house import ROLES, SMALL, House, until

PATHS = ("admin/people", "admin/loaded", "admin/jobs", "admin/jobs?state=completed", "admin/audit")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_read_well(visit: Visit, house: House, scheme: str) -> None:
    """No accessibility violation, no complaint, nothing wider than a phone, in light and dark."""
    for size in (None, SMALL):
        with visit("admin", scheme=scheme, size=size) as seen:
            for path in PATHS:
                seen.page.goto(f"{house.root}/work/{path}")
                assert seen.violations() == [], path
                assert not seen.wider(), path
                if scheme == "light" and size is None and "?" not in path:
                    seen.picture(path.replace("/", "-"))


def test_roles_are_given_and_the_last_admin_stays(visit: Visit, house: House) -> None:
    """A role that is ticked is held from then on; nobody can take the last administrator away."""
    with visit("admin") as seen:
        page = seen.page
        page.goto(f"{house.root}/work/admin/people")
        row = page.locator("tr", has_text="spare Dale")
        row.get_by_label("biller").check()
        row.get_by_role("button", name="Save the roles of spare Dale").click()
        page.wait_for_selector(".toast")
        assert page.locator("tr", has_text="spare Dale").get_by_label("biller").is_checked()
        page.get_by_role("button", name="Close the account of admin Dale").click()
        page.wait_for_selector(".toast.bad")
        assert "Nobody would be left" in page.inner_text(".toast.bad")
        page.locator("tr", has_text="spare Dale").get_by_label("biller").uncheck()
        page.get_by_role("button", name="Save the roles of spare Dale").click()
        until(page, "document.querySelectorAll('.toast:not(.bad)').length > 0")


def test_a_failed_job_is_told_and_run_again(visit: Visit, house: House) -> None:
    """A document that cannot be read stands among the failed jobs with its reason, and can be run again."""
    data = base64.b64encode(b"%PDF-1.7 nothing of a PDF").decode()
    attachment = {"contentType": "application/pdf", "data": data}
    body = {"resourceType": "DocumentReference", "status": "current", "content": [{"attachment": attachment}]}
    with house.fhir() as http:
        id = http.post("/DocumentReference", json=body).json()["id"]
    with visit("admin") as seen:
        page = seen.page
        for _ in range(120):
            page.goto(f"{house.root}/work/admin/jobs")
            if page.locator("tr", has_text=id).count():
                break
            page.wait_for_timeout(500)
        row = page.locator("tr", has_text=id)
        assert row.locator("td").nth(3).inner_text().strip()
        row.get_by_role("button").click()
        page.wait_for_selector(".toast:not(.bad)")
        assert "Running again" in page.inner_text(".toast")


def test_every_page_with_every_role(house: House) -> None:
    """Each page opens for the roles whose grants cover what it needs, and for no other: 200 or 403."""
    import httpx

    for role in ROLES:
        may = allowed(read_roles(), [role])
        with httpx.Client(base_url=house.root, cookies={"fhirwright": house.tokens[role]}, timeout=60) as http:
            for room in ROOMS:
                if "{id}" in room.path or not room.path.startswith("/work"):
                    continue
                assert http.get(room.path).status_code == (200 if room.name in may else 403), (role, room.name)
