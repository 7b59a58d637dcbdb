"""The pages of figures, as somebody uses them: numbers, their rows, tables, CSV, days, themes, roles."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from fhir_profiles.systems import (
    ADJUDICATION,
    CLAIM_RULE,
    CODING_DECISION,
    CONFIDENCE,
    EDIT_RUN,
    ICD10CM,
    TASK_CODE,
)
from server.access.roles import read_roles
from server.http.work.rooms import allowed
from tests.browser.conftest import Visit
from tests.browser.house import ROLES, SMALL, House, resource

AREAS = ("operations", "quality", "claims", "system")
KINDS = ("accept", "accept", "accept", "reject", "replace", "add")
NOW = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.fixture(scope="module")
def filled(house: House) -> House:
    """A house with a document, decisions and scrubbed claims."""
    house.hand_in(b"ASSESSMENT:\n1. Hypertension\n2. COPD with acute exacerbation\n", "text/plain", "note")
    with house.fhir() as http:
        resource(http, "Patient", "figures", name=[{"family": "Quill"}])
        for n, kind in enumerate(KINDS):
            sure = {"url": CONFIDENCE, "valueDecimal": 0.4 + n / 10}
            coding = {"extension": [sure], "system": ICD10CM, "code": ("I10", "J44.1", "E11.9")[n % 3]}
            resource(http, "Condition", f"fig-{n}", subject={"reference": "Patient/figures"}, code={"coding": [coding]})
            resource(
                http, "Provenance", f"fig-{n}", target=[{"reference": f"Condition/fig-{n}"}], recorded=NOW,
                activity={"coding": [{"system": CODING_DECISION, "code": kind}]},
                agent=[{"who": {"reference": "Practitioner/coder"}}],
            )  # fmt: skip
            _scrub(http, n)
        resource(
            http, "Task", "fig-review", status="ready", intent="order", authoredOn=NOW, lastModified=NOW,
            code={"coding": [{"system": TASK_CODE, "code": "review-document"}]},
        )  # fmt: skip
    return house


def _scrub(http: httpx.Client, n: int) -> None:
    def amount(code: str, value: int) -> dict[str, Any]:
        return {"category": {"coding": [{"system": ADJUDICATION, "code": code}]}, "amount": {"value": value}}

    error = {"code": {"coding": [{"system": CLAIM_RULE, "code": "EL-1"}], "text": "Wrong."}}
    resource(
        http, "ClaimResponse", f"fig-{n}", status="active", use="claim", outcome="complete", created=NOW,
        type={"text": "professional"}, patient={"reference": "Patient/figures"}, insurer={"display": "Payer"},
        request={"reference": f"Claim/fig-{n}"}, extension=[{"url": EDIT_RUN, "valueString": "x"}],
        total=[amount("submitted", 100), amount("eligible", 60)], **({"error": [error]} if n == 0 else {}),
    )  # fmt: skip


@pytest.mark.parametrize("area", AREAS)
def test_the_pages_read_well(visit: Visit, filled: House, area: str) -> None:
    """No violation of accessibility, light, dark or on a phone; nothing wider than the window; a silent console."""
    for scheme, size in (("light", None), ("dark", None), ("light", SMALL)):
        with visit("admin", scheme=scheme, size=size) as seen:
            seen.page.goto(f"{filled.root}/work/figures/{area}")
            assert seen.page.locator(".kpi").count() >= 5
            assert seen.violations() == [] and not seen.wider()
            if size is None:
                seen.picture(f"figures-{area}-{scheme}", full=True)


def test_a_number_leads_to_its_rows_and_they_to_the_resource(visit: Visit, filled: House) -> None:
    """The tile of clean claims opens the answers that it counts; each of them opens as a resource."""
    with visit("auditor") as seen:
        seen.page.goto(f"{filled.root}/work/figures/claims")
        seen.page.locator(".kpi", has_text="Clean claims").get_by_role("link").click()
        assert "ClaimResponse" in seen.page.inner_text("tbody")
        assert seen.page.locator("tbody tr").count() == 5
        assert seen.violations() == []
        shown = str(seen.page.locator("tbody a").first.get_attribute("href"))
        assert shown.startswith("/work/resource?of=ClaimResponse/fig-")
        seen.page.get_by_role("link", name="Back to the figures").click()
        assert seen.page.inner_text("h1") == "Claims"


def test_a_chart_has_a_name_and_a_table_by_keyboard(visit: Visit, filled: House) -> None:
    """Every chart is an image with title and description; Enter opens its table, whose numbers are links."""
    with visit("coder") as seen:
        seen.page.goto(f"{filled.root}/work/figures/quality")
        assert seen.page.get_by_role("img", name="By chapter").count() == 1
        for chart in seen.page.locator("svg.chart").all():
            assert chart.locator("title").count() == chart.locator("desc").count() == 1
        figure = seen.page.locator(".figure", has=seen.page.get_by_role("heading", name="By chapter"))
        figure.locator("summary").focus()
        seen.page.keyboard.press("Enter")
        row = figure.locator("tr", has_text="Circulatory")
        assert row.is_visible() and row.get_by_role("link").first.inner_text() == "1"
        assert seen.violations() == []


def test_other_days_are_chosen_and_kept(visit: Visit, filled: House) -> None:
    """Presets and dates change the days; other areas and the file keep them."""
    with visit("biller") as seen:
        seen.page.goto(f"{filled.root}/work/figures/claims")
        seen.page.get_by_role("link", name="7 days").click()
        since = seen.page.get_by_label("From").input_value()
        assert f"since={since}" in str(seen.page.get_by_role("link", name="CSV").get_attribute("href"))
        seen.page.get_by_label("From").fill("2020-01-01")
        seen.page.get_by_label("to", exact=True).fill("2020-01-31")
        seen.page.get_by_role("button", name="Show").click()
        assert "since=2020-01-01" in seen.page.url and "Nothing in this time." in seen.page.inner_text("main")
        seen.page.get_by_role("link", name="Operations").first.click()
        assert "until=2020-01-31" in seen.page.url


def test_the_file_holds_the_numbers(filled: House) -> None:
    """The CSV of a page is that of `$figures`, for the same person."""
    with httpx.Client(base_url=filled.root, cookies={"fhirwright": filled.tokens["auditor"]}, timeout=60) as http:
        answer = http.get("/work/figures/claims.csv")
    assert answer.headers["content-type"].startswith("text/csv") and "nosniff" in answer.headers.values()
    assert any(line.startswith("clean-claim-rate,,0.8333,") for line in answer.text.splitlines())


@pytest.mark.parametrize("role", ROLES)
def test_who_may_not_see_a_page_is_refused(filled: House, role: str) -> None:
    """Pages, rows and files follow the table of rooms; a strange address is no fault."""
    may = allowed(read_roles(), [role])
    with httpx.Client(base_url=filled.root, cookies={"fhirwright": filled.tokens[role]}, timeout=60) as http:
        for area in AREAS:
            for end in ("", ".csv"):
                expected = 200 if area in may else 403
                assert http.get(f"/work/figures/{area}{end}").status_code == expected, (area, end)
        for odd in ("since=x&until=9999-99-99", "since=0001-01-01", "since=2031-01-01&until=2020-01-01"):
            assert http.get(f"/work/figures/operations?{odd}").status_code in (200, 403)
        assert http.get("/work/figures/operations/rows?figure=nothing&offset=-1").status_code in (403, 404)
