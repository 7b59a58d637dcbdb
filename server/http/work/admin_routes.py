"""The pages of those who look after the server: people, loaded tables, jobs; and the audit search.

https://hl7.org/fhir/R4/auditevent.html
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from fhir_profiles.errors import Category, FhirError

from .admin_told import accounts_of, events_of, jobs_of, releases_of
from .desk import RefusedError
from .reception import Reception
from .shown import page, part
from .toasts import refused, told

STATES = ("failed", "requested", "in-progress", "cancelled", "completed")
FILTERS = ("date", "agent", "patient", "entity", "action", "outcome")


def admin_routes(router: APIRouter, reception: Reception) -> None:
    """Everything below /work/admin."""
    _people(router, reception)
    _jobs(router, reception)

    @router.get("/work/admin/loaded")
    async def loaded(request: Request) -> Response:
        desk = await reception.desk(request, "loaded")
        return page(desk, "admin_loaded.html", room="loaded", releases=await releases_of(desk))

    @router.get("/work/admin/audit")
    async def audit(request: Request) -> Response:
        desk = await reception.desk(request, "audit")
        asked = {name: request.query_params.get(name, "").strip()[:200] for name in FILTERS}
        events, why = await events_of(desk, asked)
        return page(desk, "admin_audit.html", room="audit", asked=asked, events=events, why=why)


def _people(router: APIRouter, reception: Reception) -> None:
    @router.get("/work/admin/people")
    async def people(request: Request) -> Response:
        desk = await reception.desk(request, "people")
        accounts, roles = accounts_of(await desk.read("$accounts"))
        return page(desk, "admin_people.html", room="people", accounts=accounts, roles=roles)

    @router.post("/work/admin/people")
    async def changed(request: Request) -> Response:
        desk, form = await reception.posted(request, "people", "change")
        parameters: list[dict[str, Any]] = [{"name": "name", "valueString": form.one("name")}]
        parameters += [{"name": "role", "valueCode": role} for role in form.all("role")]
        if form.one("disabled"):
            parameters.append({"name": "disabled", "valueBoolean": form.one("disabled") == "true"})
        body = {"resourceType": "Parameters", "parameter": parameters}
        answer = await desk.send("POST", "$accounts", body=body)
        accounts, roles = accounts_of(answer.json() if answer.ok else await desk.read("$accounts"))
        shown = part(desk, "admin_people_rows.html", accounts=accounts, roles=roles)
        return told(shown, "Changed.") if answer.ok else refused(shown, answer.told(), answer.status)


def _jobs(router: APIRouter, reception: Reception) -> None:
    @router.get("/work/admin/jobs")
    async def jobs(request: Request) -> Response:
        desk = await reception.desk(request, "jobs")
        state = request.query_params.get("state", "failed")
        state = state if state in STATES else "failed"
        rows = await jobs_of(desk, state)
        swapped = "x-fhirwright-swap" in request.headers
        template = "admin_jobs_rows.html" if swapped else "admin_jobs.html"
        return (part if swapped else page)(desk, template, room="jobs", state=state, states=STATES, rows=rows)

    @router.post("/work/admin/jobs/{id}/{what}")
    async def again(request: Request, id: str, what: str) -> Response:
        desk, form = await reception.posted(request, "jobs", "retry")
        if what not in ("retry", "cancel"):
            raise FhirError.of(Category.NOT_FOUND, "not-found", "There is no such act.")
        answer = await desk.send("POST", f"Task/{id}/${what}")
        state = form.one("state") if form.one("state") in STATES else "failed"
        shown = part(desk, "admin_jobs_rows.html", state=state, rows=await jobs_of(desk, state))
        if not answer.ok:
            return refused(shown, RefusedError(answer).answer.told(), answer.status)
        return told(shown, "Taken back." if what == "cancel" else "Running again.")
