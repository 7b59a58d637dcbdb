"""The pages for developers: API console, resources with history, terminology."""

from __future__ import annotations

import pytest

from tests.browser.conftest import Visit
from tests.browser.house import SMALL, House, resource


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_read_well(visit: Visit, house: House, scheme: str) -> None:
    """No accessibility violation, no complaint, nothing wider than a phone, in light and dark."""
    with house.fhir() as http:
        resource(http, "Patient", "viewed", name=[{"family": "Quill"}])
        resource(http, "Patient", "viewed", name=[{"family": "Quill"}], birthDate="1961-02-11")
    for size in (None, SMALL):
        with visit("clinician", scheme=scheme, size=size) as seen:
            for path in (
                "console", "resource?of=Patient/viewed", "resource?of=Patient/viewed&version=2&against=1",
                "terminology?text=kidney%20stone", "terminology?code=E11",
            ):  # fmt: skip
                seen.page.goto(f"{house.root}/work/{path}")
                assert seen.violations() == [], path
                assert not seen.wider(), path
                if scheme == "light" and size is None and path in ("console", "terminology?code=E11"):
                    seen.picture(path.partition("?")[0])


def test_the_console_asks_with_ones_own_rights(visit: Visit, house: House) -> None:
    """What a role may read is answered, with references that lead on; what it may not is refused as for any client."""
    with house.fhir() as http:
        resource(http, "Patient", "asked", name=[{"family": "Reed"}])
        resource(http, "Condition", "asked", subject={"reference": "Patient/asked"}, code={"text": "gout"})
    with visit("coder") as seen:
        page = seen.page
        page.goto(f"{house.root}/work/console?path=Condition/asked")
        page.get_by_role("button", name="Send").click()
        page.wait_for_selector("#answer .badge.good")
        page.locator("#answer a", has_text="Patient/asked").click()
        page.wait_for_url("**/work/resource?of=Patient/asked")
        assert "Reed" in page.inner_text("pre")
        page.goto(f"{house.root}/work/console?path=AuditEvent")
        page.get_by_role("button", name="Send").click()
        page.wait_for_selector("#answer .badge.bad")
        assert "403" in page.inner_text("#answer h2")


def test_versions_are_compared(visit: Visit, house: House) -> None:
    """The viewer tells the versions, and the lines that one of them changed."""
    with house.fhir() as http:
        resource(http, "Patient", "changed", gender="female")
        resource(http, "Patient", "changed", gender="male")
    with visit("clinician") as seen:
        seen.page.goto(f"{house.root}/work/resource?of=Patient/changed")
        seen.page.locator("summary", has_text="2 versions").click()
        seen.page.get_by_role("link", name="Version 2 with the one before").click()
        assert '+  "gender": "male"' in seen.page.inner_text(".diff")
        assert '-  "gender": "female"' in seen.page.inner_text(".diff")


def test_terminology_goes_up_and_down(visit: Visit, house: House) -> None:
    """Words find codes; a code tells its notes, what stands above it and below."""
    with visit("coder") as seen:
        page = seen.page
        page.goto(f"{house.root}/work/terminology")
        page.get_by_label("Words or a code").fill("kidney stone")
        page.wait_for_selector("#found a")
        assert "N20.0" in page.inner_text("#found")
        page.goto(f"{house.root}/work/terminology?code=E11.6")
        assert "E11.65" in page.inner_text("#found")
        page.locator("#found p a").first.click()
        page.wait_for_url("**code=E11")
        assert "Excludes 1" in page.inner_text("#found")
