"""Shadow mode over HTTP: what the machine suggests of a document cannot be seen by any road until it is finished."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from fhir_profiles import json
from fhir_profiles.systems import HCPCS, ICD10CM, REVIEW_TAG, TASK_CODE
from server.access.roles import read_roles
from server.auth import keep
from server.auth.endpoints import Endpoints
from server.auth.jwks import KeySets
from server.auth.signing import Keys
from server.http.work.session import Launches
from server.jobs.cache import ContentCache
from server.jobs.outside import Wall
from server.jobs.pipeline import Coding
from server.jobs.tasks import Run, requested, run_of, task_id
from server.review.gather import claim_of
from server.review.unaided_task import CODE, comparison_id, comparison_of
from tests.integration.work.conftest import NORTH, House, hidden, results_of, words
from tests.integration.work.test_guards import GETS
from tests.support.steps import AtOnce

SECRETS = ("E11.65", "E78.5", "G47.30", "J18.9", "J1885", "why ", "some-rule")
"""Codes and reasons of the machine that nobody else tells."""
_DOCUMENT = re.compile(r"DocumentReference/([A-Za-z0-9\-.]+)")
SERVICE = (HCPCS, "G0439")
ROLES = ("coder", "blind", "auditor", "biller", "clinician", "admin")
FHIR = (
    "Task/{task}", "Task/{task}/_history", "Task?focus=DocumentReference/{id}", "Task?_include=*", "Claim/{claim}",
    "Claim/{claim}/_history", "Claim/{claim}/$x12", "Provenance?entity=DocumentReference/{id}", "Condition",
    "Procedure?_revinclude=*", "Condition?subject=Patient/p", "Patient/p/$everything", "Patient/p/Condition",
    "_history", "Condition/_history", "Patient?_has:Condition:subject:code=E11.65", "Bundle", "Basic", "Observation",
    "MedicationStatement", "DocumentReference/{id}/$code", "DocumentReference/{id}/$page-words?page=1",
    "DocumentReference/{id}?_pretty=true", "$figures?of=quality", "Condition/{condition}",
    "Condition/{condition}/_history", "Condition/{condition}/_history/1", "Task/{comparison}", "AuditEvent",
)  # fmt: skip


class Stages:
    """Children that make of each document what the machine of all tests does."""

    def __init__(self, cache: ContentCache) -> None:
        self._cache = cache

    def run(self, stage: str, *arguments: Any, progress: Callable[[str], None]) -> str:
        if stage == "code":
            self._cache.put("bundle", json.encode(results_of(json.decode(arguments[1])["id"], 100)))
        return "bundle" if stage == "code" else "pages"


class Office:
    """The house with a worker that works when it is told to, and FHIR by everybody's own token."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.fhir, self.people, self.do, self.put, self.claim = (
            house.fhir, house.people, house.do, house.put, house.claim,
        )  # fmt: skip

    def work_on(self, id: str) -> None:
        """Code a document as the worker does."""
        coding = Coding(self.fhir.settings, self.fhir, self.house.app.state.parts.intake, Stages(None))  # type: ignore[arg-type]
        coding.children = Stages(coding._cache)  # type: ignore[assignment]
        coding._steps = AtOnce(coding._write)  # type: ignore[assignment]
        run = run_of(self.do("GET", f"Task/{task_id(id)}"))
        assert run is not None and coding.run(run.document, run.version, run.attempt) == "completed"

    def hand_in(self, id: str, **more: Any) -> None:
        """A document, coded."""
        attachment = {"contentType": "text/plain", "title": f"Letter {id}", "data": "eA=="}
        document = {"resourceType": "DocumentReference", "id": id, "status": "current", **more}
        self.put(document | {"subject": {"reference": "Patient/p"}, "content": [{"attachment": attachment}]})
        self.put(requested(Run(id, 1, 1), "-", "2026-03-13T08:41:00Z", {"reference": "Patient/p"}, None))
        self.work_on(id)

    @cache  # noqa: B019 - as long as the house stands
    def client(self, name: str) -> httpx.AsyncClient:
        """FHIR with all that somebody's roles give."""
        store = self.fhir.store
        found = keep.person(store, name)
        assert found is not None
        launches = Launches(store, Endpoints(store, Keys(store), KeySets(Wall(()))), read_roles())
        base = "http://localhost/fhir"
        token = launches.of(self.people[name].session, found, base).token
        transport = httpx.ASGITransport(self.house.app, client=("192.0.2.7", 1))
        return httpx.AsyncClient(transport=transport, base_url=base, headers={"authorization": f"Bearer {token}"})

    async def fhir_of(self, name: str, method: str, path: str, body: Any = None) -> httpx.Response:
        """What somebody's own request is answered."""
        content = json.encode(body) if body is not None else None
        headers = {"content-type": "application/fhir+json"} if body is not None else {}
        return await self.client(name).request(method, f"/{path}", content=content, headers=headers)


@pytest.fixture(scope="module")
def office(house: House) -> Office:
    """A site whose documents of one custodian are coded unaided, with one that is not."""
    made = Office(house)
    house.fhir.store.write_sync(lambda tx: house.let_in(tx, "blind", "unaided-coder"))
    for id in ("u", "v", "w"):
        made.hand_in(id, custodian={"reference": NORTH})
    return made


def _found(id: str) -> dict[str, str]:
    bundle = results_of(id, 100)
    condition = next(e["resource"]["id"] for e in bundle["entry"] if e["resource"]["resourceType"] == "Condition")
    claim = claim_of(f"DocumentReference/{id}").partition("/")[2]
    return {"id": id, "task": task_id(id), "claim": claim, "condition": condition, "comparison": comparison_id(id)}


async def _add(office: Office, name: str, id: str, *codes: tuple[str, str]) -> None:
    for system, code in codes:
        page = await office.people[name].get(f"/work/review/{id}")
        claim = re.search(r'data-claim="([^"]*)"', page.text)
        assert claim is not None
        sent = {"kind": "add", "system": system, "code": code, "claim": claim[1]}
        done = await office.people[name].post(f"/work/review/{id}/decide", **sent)
        assert "x-refused" not in done.headers, done.headers.get("x-toast")


async def _end(office: Office, name: str, id: str) -> httpx.Response:
    version = office.claim(id)["meta"]["versionId"]
    return await office.people[name].post(f"/work/review/{id}/finish", claim=version)


async def _finish(office: Office, name: str, id: str) -> None:
    done = await _end(office, name, id)
    assert "x-refused" not in done.headers, done.headers["x-toast"]


@pytest.mark.parametrize("name", ROLES)
async def test_no_road_leads_to_what_the_machine_suggests(office: Office, name: str) -> None:
    """No page and no FHIR request of anybody's token tells a code, a reason or a rule of the machine."""
    for path in GETS if name in ("coder", "blind") else ():
        if path.startswith(("/work/terminology", "/work/admin")):
            continue
        path = re.sub(r"(?<=/(?:review|second)/)[a-z]+", "u", path.replace("/a/", "/u/"))
        told = (await office.people[name].get(path)).text
        assert _secrets(told) == [], path
    for path in ("queue?text=Letter%20u", "upload/stages?of=u", "upload?of=u", "review/u/tab/compared",
                 "review/u/tab/trail", "review/u/tab/fhir", "resource?of=" + claim_of("DocumentReference/u"),
                 "second?which=coded", "review/u/trail.csv"):  # fmt: skip
        assert _secrets((await office.people[name].get(f"/work/{path}")).text) == [], path
    for path in FHIR:
        answer = await office.fhir_of(name, "GET", path.format(**_found("u")))
        assert _of_document(answer, "u") == [], path
        if "$code" in path:
            assert answer.status_code == 409, answer.text


def _secrets(text: str) -> list[str]:
    return [one for one in SECRETS if one in text]


def _of_document(answer: httpx.Response, id: str) -> list[str]:
    """The secrets in what an answer tells of a document: of other documents they are told."""
    told = answer.json() if "json" in answer.headers.get("content-type", "") else {}
    parts = told.get("entry") or [] if told.get("resourceType") == "Bundle" else [answer.text]
    texts = [one if isinstance(one, str) else json.encode(one).decode() for one in parts]
    return [secret for text in texts if {id} >= {*_DOCUMENT.findall(text)} for secret in _secrets(text)]


async def test_text_is_coded_for_those_alone_who_may_hand_it_in(office: Office) -> None:
    """Whoever codes unaided cannot have the text of the document coded beside it."""
    body = {"resourceType": "Binary", "contentType": "text/plain", "data": "eA=="}
    for name in ("coder", "blind", "auditor", "biller"):
        assert (await office.fhir_of(name, "POST", "DocumentReference/$code", body)).status_code == 403, name


async def test_a_coder_codes_unaided_and_then_sees_both(office: Office) -> None:
    """Nothing is suggested, only the coder's codes are claimed; with the end the comparison is there, for all."""
    page = await office.people["coder"].get("/work/review/u")
    assert "coded unaided" in words(page) and "Nothing is coded yet" in words(page) and 'class="s ' not in page.text
    assert "told when the review is finished" in words(await office.people["coder"].get("/work/review/u/tab/compared"))
    await _add(office, "coder", "u", (ICD10CM, "I10"), (ICD10CM, "M17.11"))
    assert "no%20lines" in (await _end(office, "coder", "u")).headers["x-toast"]
    await _add(office, "coder", "u", SERVICE)
    claim = office.claim("u")
    assert [one["diagnosisCodeableConcept"]["coding"][0]["code"] for one in claim["diagnosis"]] == ["I10", "M17.11"]
    assert len(claim["item"]) == 1 and _secrets(json.encode(claim).decode()) == []
    assert (await office.fhir_of("coder", "GET", f"Task/{comparison_id('u')}")).status_code == 404
    await _finish(office, "coder", "u")
    for name in ("coder", "auditor"):
        told = comparison_of((await office.fhir_of(name, "GET", f"Task/{comparison_id('u')}")).json())
        assert told is not None
        sides = {one.code: one.side for one in told.rows}
        assert sides["I10"] == "both" and sides["M17.11"] == "coder" and sides["E11.65"] == "machine"
        tab = words(await office.people[name].get("/work/review/u/tab/compared"))
        assert "E11.65" in tab and "machine alone" in tab and "coder alone" in tab
    assert office.fhir.store.query("SELECT count(*) FROM unaided_apart WHERE document = 'u'") == [(0,)]
    assert office.claim("u")["diagnosis"] == claim["diagnosis"]


async def test_figures_tell_how_far_they_agree(office: Office) -> None:
    """By code, family, section and band, each number with the Tasks that it is made of."""
    if (await office.fhir_of("coder", "GET", f"Task/{comparison_id('w')}")).status_code == 404:
        await _add(office, "coder", "w", (ICD10CM, "I10"), (ICD10CM, "E78.5"), SERVICE)
        await _finish(office, "coder", "w")
    told = (await office.fhir_of("coder", "GET", "$figures?of=quality")).json()["parameter"]
    figures: dict[str, list[dict[str, Any]]] = {}
    for one in (one for one in told if one["name"] == "figure"):
        parts = {part["name"]: part for part in one["part"]}
        labels = {label["name"]: label["valueString"] for label in parts.get("label", {}).get("part", ())}
        figures.setdefault(parts["name"]["valueCode"], []).append(
            labels | {"value": parts.get("value", {}).get("valueDecimal")}
        )
    assert figures["unaided-documents"][0]["value"] >= 1
    assert 0 < figures["unaided-agreement"][0]["value"] < 1
    by_code = {one["code"]: one["value"] for one in figures["unaided-agreement-by-code"]}
    assert by_code["I10"] == 1 and by_code["E11.65"] == 0
    assert {one["section"] for one in figures["unaided-agreement-by-section"]} >= {"assessment"}
    assert {one["band"] for one in figures["unaided-agreement-by-band"]} >= {"sure", "likely"}
    assert "Circulatory" in {one["chapter"] for one in figures["unaided-agreement-by-chapter"]}
    shown = words(await office.people["coder"].get("/work/figures/quality"))
    assert "Unaided coding agrees" in shown and "E11.65" in shown


async def test_a_role_in_shadow_sees_nothing_suggested_of_any_document(office: Office) -> None:
    """By the filters of its role alone: aided documents are not there, those coded unaided are worked on as ever."""
    blind = office.people["blind"]
    queues = [words(await blind.get(f"/work/queue?state={state}")) for state in ("open", "taken", "done")]
    assert "Letter v unaided" in " ".join(queues) and "A letter" not in " ".join(queues)
    assert "Not coded yet" in words(await blind.get("/work/review/a"))
    for path in (claim_of("DocumentReference/a"), f"Task/{task_id('a')}", f"Condition/{_found('a')['condition']}"):
        assert (await office.fhir_of("blind", "GET", path)).status_code == 404, path
    assert (await office.fhir_of("coder", "GET", claim_of("DocumentReference/a"))).status_code == 200
    assert (await blind.post("/work/queue/take", id="v", over="1")).headers["x-go-to"] == "/work/review/v"
    await _add(office, "blind", "v", (ICD10CM, "E11.65"))
    await blind.post("/work/review/v/decide", kind="undo")
    await _add(office, "blind", "v", (ICD10CM, "I10"), SERVICE)
    await _finish(office, "blind", "v")
    assert "E78.5" in words(await blind.get("/work/review/v/tab/compared"))


async def test_the_mode_of_a_document_is_not_to_be_changed(office: Office) -> None:
    """Neither by its Task nor by another run nor by a comparison of one's own."""
    office.hand_in("x", custodian={"reference": NORTH})
    task = office.do("GET", f"Task/{task_id('x')}")
    plain = {name: value for name, value in task.items() if name != "meta"}
    assert (await office.fhir_of("coder", "PUT", f"Task/{task['id']}", plain)).status_code == 200
    assert (await office.fhir_of("coder", "POST", f"Task/{task['id']}/$retry")).status_code == 200
    office.work_on("x")
    found = await office.fhir_of("coder", "GET", f"Condition/{_found('x')['condition']}")
    again = office.do("GET", f"Task/{task_id('x')}")
    assert found.status_code == 404 and again["meta"]["tag"][0]["code"] == "unaided"
    own = {"resourceType": "Task", "id": comparison_id("x"), "status": "completed", "intent": "order"}
    own["code"] = {"coding": [{"system": TASK_CODE, "code": CODE}]}  # type: ignore[assignment]
    for name in ("coder", "admin"):
        assert (await office.fhir_of(name, "PUT", f"Task/{own['id']}", own)).status_code == 403
    office.do("DELETE", "DocumentReference/x")
    assert office.fhir.store.query("SELECT count(*) FROM unaided_apart WHERE document = 'x'") == [(0,)]
    again = {"resourceType": "DocumentReference", "id": "x", "status": "current", "subject": {"reference": "Patient/p"}}
    attachment = {"contentType": "text/plain", "title": "Letter x", "data": "eA=="}
    office.put(again | {"content": [{"attachment": attachment}]})  # brought back, and not North's any more
    office.put(requested(Run("x", 3, 1), "-", "2026-03-13T08:41:00Z", {"reference": "Patient/p"}, None))
    office.work_on("x")
    assert (await office.fhir_of("coder", "GET", f"Condition/{_found('x')['condition']}")).status_code == 404
    assert office.fhir.store.query("SELECT count(*) FROM unaided_apart WHERE document = 'x'") == [(1,)]


async def test_what_is_not_in_shadow_is_as_ever(office: Office) -> None:
    """A document of another custodian has its suggestions; the tag finds the others, and the queue names them."""
    tag = quote(f"{REVIEW_TAG}|unaided")
    found = office.do("GET", "Task")  # the whole of it, as the server sees it
    assert found["entry"] and (await office.fhir_of("coder", "GET", f"Task?_tag={tag}")).json()["entry"]
    page = words(await office.people["coder"].get("/work/queue?state=done"))
    assert "Letter w unaided" in page
    assert hidden(await office.people["coder"].get("/work/review/a"), "I10")["target"]
