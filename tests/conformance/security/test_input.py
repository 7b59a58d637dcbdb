"""Input that means harm: the checks INPUT-* and those of headers, over HTTP, each named by its id."""

from __future__ import annotations

import asyncio
import gzip
import json
import resource
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from server.app import create_app
from server.settings import Settings
from tests.support.clock import not_waiting, within

XML = {"content-type": "application/fhir+xml"}
JSON = {"content-type": "application/fhir+json"}
PATIENT = '<Patient xmlns="http://hl7.org/fhir"><gender value="{}"/></Patient>'


@pytest.fixture
async def http(database_url: str, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an open server on each engine."""
    settings = Settings(
        database=database_url, data=tmp_path / "var", open=True, log_requests="problems", coding="off",
        max_body_bytes=2 * 1024 * 1024, max_bundle_entries=1000, base_url="https://fhir.example/fhir",
    )  # fmt: skip
    app = create_app(settings)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test/fhir/") as client:
        yield client
    app.state.fhir.store.close()


def patient(**more: Any) -> dict[str, Any]:
    """A Patient."""
    return {"resourceType": "Patient", **more}


@pytest.mark.check("INPUT-01", "INPUT-02")
@pytest.mark.parametrize(
    "prolog",
    [
        '<!DOCTYPE p [<!ENTITY x SYSTEM "file:///etc/passwd">]>', '<!DOCTYPE p SYSTEM "http://127.0.0.1:9/x.dtd">',
        '<!DOCTYPE p [<!ENTITY % x SYSTEM "http://127.0.0.1:9/x"> %x;]>',
        '<!DOCTYPE p [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY x "&b;&b;&b;&b;&b;&b;">]>',
    ],
    ids=["INPUT-01-file", "INPUT-01-http", "INPUT-01-parameter", "INPUT-02-entities"],
)  # fmt: skip
async def test_entities_are_refused(http: httpx.AsyncClient, prolog: str) -> None:
    """A document type is 400 at once, whatever it holds, and nothing of it comes back."""
    with within(10):
        answer = await http.post("Patient", content=prolog + PATIENT.format("&x;"), headers=XML)
    assert answer.status_code == 400
    assert "root:" not in answer.text


@pytest.mark.check("INPUT-02")
async def test_input_02_a_long_attribute_costs_little(
    http: httpx.AsyncClient, sqlite_template: Path, tmp_path: Path
) -> None:
    """INPUT-02: an attribute of megabytes is refused by its size; where bodies may be large, by what it is of."""
    answer = await http.post("Patient", content=PATIENT.format("x" * 3_000_000), headers=XML)
    assert answer.status_code == 413
    database = f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'large.db')}"
    app = create_app(Settings(database=database, open=True, coding="off", log_requests="problems"))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test/fhir/") as large:
        await large.post("Patient", content=PATIENT.format("male"), headers=XML)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for body in (
            PATIENT.format("x" * 10_000_000),
            f'<Patient xmlns="http://hl7.org/fhir">{"<contained>" * 100_000}',
        ):
            with within(10):
                answer = await large.post("Patient", content=body, headers=XML)
            assert answer.status_code == 400
            assert len(answer.content) < 2000
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 120 * 1024, "the body three times at most"
    app.state.fhir.store.close()


HARM = [
    "<script>alert(1)</script>", "<p onclick='alert(1)'>x</p>", "<a href='javascript:alert(1)'>x</a>",
    "<a href='data:text/html,x'>x</a>", "<iframe src='https://evil.example'/>", "<svg onload='x'/>",
    "<style>p{}</style>", "<form action='x'/>", "<object data='x'/>", "<img src='x' onerror='alert(1)'/>",
    "<img src='https://evil.example/x.png'/>", "<p style='background:url(https://evil.example/x)'>x</p>",
    "<a href='java&#9;script:alert(1)'>x</a>", "<meta http-equiv='refresh' content='0;url=https://evil.example'/>",
]  # fmt: skip


@pytest.mark.check("INPUT-03")
@pytest.mark.parametrize("harm", HARM)
@pytest.mark.parametrize("form", ["json", "xml"])
async def test_input_03_narratives_hold_nothing_active(http: httpx.AsyncClient, harm: str, form: str) -> None:
    """INPUT-03: a narrative that could act is refused, or what is stored has nothing of it."""
    div = f'<div xmlns="http://www.w3.org/1999/xhtml">{harm}</div>'
    if form == "json":
        body: Any = json.dumps(patient(text={"status": "generated", "div": div}))
    else:
        text = f'<text><status value="generated"/>{div}</text>'
        body = f'<Patient xmlns="http://hl7.org/fhir">{text}</Patient>'
    answer = await http.post("Patient", content=body, headers=JSON if form == "json" else XML)
    if answer.status_code == 201:
        stored = (await http.get(answer.headers["location"].split("/fhir/")[1])).text.lower()
        assert not any(word in stored for word in ("script", "onclick", "onload", "data:text", "iframe", "<style"))
    else:
        assert answer.status_code in (400, 422)


@pytest.mark.check("INPUT-04")
async def test_input_04_files_are_not_run(http: httpx.AsyncClient) -> None:
    """INPUT-04: a stored page comes as a file to be saved, and its type is not guessed."""
    for kind in ("text/html", "image/svg+xml"):
        page = {"content-type": kind}
        made = await http.post("Binary", content=b"<svg onload='alert(1)'/>", headers=page)
        answer = await http.get(
            made.headers["location"].split("/fhir/")[1].split("/_history")[0], headers={"accept": kind}
        )
        disposition, policy = (
            answer.headers.get(name, "") for name in ("content-disposition", "content-security-policy")
        )
        assert disposition.startswith("attachment") or "sandbox" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.check("INPUT-06")
async def test_input_06_large_bundles_are_refused(http: httpx.AsyncClient) -> None:
    """INPUT-06: too many entries, and a body that never says how long it is, are 413."""
    entry = {"resource": patient(), "request": {"method": "POST", "url": "Patient"}}
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [entry] * 1001}
    assert (await http.post("", json=bundle, headers=JSON)).status_code == 413

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(10_000):
            yield b" " * 65536

    assert (await http.post("Patient", content=endless(), headers=JSON)).status_code == 413


@pytest.mark.check("INPUT-08")
@pytest.mark.parametrize(
    "url", ["Patient?name=a%00b", "Patient/a%00b", "Patient?_id=%00", "Patient?_sort=%00", "a%00b"]
)
async def test_input_08_nul_is_refused(http: httpx.AsyncClient, url: str) -> None:
    """INPUT-08: a NUL byte anywhere is a clear refusal or finds nothing, never a failure."""
    assert (await http.get(url)).status_code in (200, 400, 404, 422)
    for text in ("a\0b", "\0"):
        answer = await http.post("Patient", json=patient(name=[{"family": text}]), headers=JSON)
        assert answer.status_code in (400, 422)


@pytest.mark.check("INPUT-10")
@pytest.mark.parametrize(
    "value", ["'", '"', "%", "_", "\\", "a';--", "1 OR 1=1", "') UNION SELECT 1--", "$.x", "${jndi:x}"]
)
async def test_input_10_values_are_values(http: httpx.AsyncClient, value: str) -> None:
    """INPUT-10: what looks like SQL is looked for as text, by every kind of parameter, or refused."""
    await http.post("Patient", json=patient(name=[{"family": "Smith"}]), headers=JSON)
    for name in ("name", "name:exact", "name:contains", "identifier", "birthdate", "_id", "_sort", "_elements", "link"):
        answer = await http.get("Patient", params={name: value})
        assert answer.status_code in (200, 400), name
        assert "sqlite" not in answer.text.lower() and "psycopg" not in answer.text.lower()
        if answer.status_code == 200 and name in ("name", "name:exact", "name:contains", "identifier", "_id"):
            assert not [one for one in answer.json().get("entry", []) if one["search"]["mode"] == "match"]


@pytest.mark.check("INPUT-10")
async def test_input_10_no_value_makes_the_database_wait(http: httpx.AsyncClient) -> None:
    """INPUT-10: what would make an engine sleep or work is text in a composite, a modifier, a sort and a token too."""
    for text in ("'; SELECT pg_sleep(90)--", "' OR pg_sleep(90) IS NULL--", "'||randomblob(1000000000)||'"):
        for query in (
            {"code-value-quantity": f"{text}$gt5"}, {"name:exact": text}, {f"name:{text}": "a"}, {"_sort": text},
            {"_elements": text}, {"_has:Observation:patient:code": text}, {"identifier": f"{text}|{text}"},
        ):  # fmt: skip
            kind = "Observation" if "code-value-quantity" in query else "Patient"
            with not_waiting():
                answer = await http.get(kind, params=query)
            assert answer.status_code in (200, 400), query


HOPS = "link:Patient." * 20


@pytest.mark.check("INPUT-13")
@pytest.mark.parametrize(
    "query",
    [
        f"Patient?{HOPS}name=x", f"Patient?_has:Patient:link:{'_has:Patient:link:' * 20}name=x",
        f"Patient?_id={','.join(['a'] * 5000)}", f"Patient?_sort={','.join(['name', 'birthdate'] * 5)}",
        f"Patient?{'&'.join(['name=a'] * 500)}", f"Patient?_filter={'(name eq a) and ' * 300}(name eq b)",
    ],
    ids=["hops", "has", "values", "keys", "parameters", "filter"],
)  # fmt: skip
async def test_input_13_searches_have_limits(http: httpx.AsyncClient, query: str) -> None:
    """INPUT-13: too many values, hops, keys, parameters or tests are refused as too costly, quickly."""
    with within(10):
        answer = await http.get(query)
    assert answer.status_code == 413 and answer.json()["issue"][0]["code"] == "too-costly"


@pytest.mark.check("INPUT-13")
async def test_input_13_includes_end(http: httpx.AsyncClient) -> None:
    """INPUT-13: a circle of references brings each once, and no page is larger than the largest."""
    for n in range(12):
        link = [{"other": {"reference": f"Patient/c{(n + 1) % 12 if n < 11 else 11}"}, "type": "seealso"}]
        assert (await http.put(f"Patient/c{n}", json=patient(id=f"c{n}", link=link), headers=JSON)).status_code == 201
    circle = patient(id="c11", link=[{"other": {"reference": "Patient/c0"}, "type": "seealso"}])
    await http.put("Patient/c11", json=circle, headers=JSON)
    for query in ("_include:iterate=Patient:link", "_revinclude:iterate=*", "_include:iterate=*&_revinclude:iterate=*"):
        with within(10):
            told = (await http.get(f"Patient?_id=c0&{query}&_count=1000000")).json()
        names = [one["resource"]["id"] for one in told["entry"] if one["search"]["mode"] != "outcome"]
        assert 1 < len(names) == len(set(names)) <= 13


@pytest.mark.check("INPUT-14")
async def test_input_14_the_server_says_version_and_time(http: httpx.AsyncClient) -> None:
    """INPUT-14: what a client says of id, version and time of a new resource does not hold."""
    meta = {"versionId": "99", "lastUpdated": "1999-01-01T00:00:00Z"}
    answer = await http.post("Patient", json=patient(id="mine", meta=meta), headers=JSON)
    told = answer.json()
    assert told["id"] != "mine" and told["meta"]["versionId"] == "1"
    assert not told["meta"]["lastUpdated"].startswith("1999")
    headers = JSON | {"x-provenance": "{}", "x-forwarded-user": "admin", "x-http-method-override": "DELETE"}
    again = (await http.put(f"Patient/{told['id']}", json=patient(id=told["id"], meta=meta), headers=headers)).json()
    assert (again["id"], again["meta"]["versionId"]) == (told["id"], "1"), "nothing that counts has changed"
    changed = patient(id=told["id"], active=True, meta=meta)
    again = (await http.put(f"Patient/{told['id']}", json=changed, headers=headers)).json()
    assert again["meta"]["versionId"] == "2" and again["meta"]["lastUpdated"] >= told["meta"]["lastUpdated"]
    other = await http.put(f"Patient/{told['id']}", json=changed | {"id": "another"}, headers=JSON)
    assert other.status_code == 400
    first = (await http.get(f"Patient/{told['id']}/_history/1")).json()
    assert "active" not in first and first["meta"] == told["meta"]


@pytest.mark.check("INPUT-16")
@pytest.mark.parametrize(
    "kind",
    ["text/plain", "multipart/form-data; boundary=x", "application/fhir+json; charset=utf-7", "application/x-yaml"],
)
async def test_input_16_types_that_lie_are_refused(http: httpx.AsyncClient, kind: str) -> None:
    """INPUT-16: a body in a form that is not FHIR's, or JSON that is said to be XML, is 400 or 415."""
    body = json.dumps(patient())
    assert (await http.post("Patient", content=body, headers={"content-type": kind})).status_code in (400, 415)
    assert (await http.post("Patient", content=body, headers=XML)).status_code == 400
    wide = body.encode("utf-16")
    assert (await http.post("Patient", content=wide, headers=JSON)).status_code == 400


@pytest.mark.check("INPUT-21")
async def test_input_21_packed_bodies_are_measured_unpacked(http: httpx.AsyncClient) -> None:
    """INPUT-21: a small body that unpacks to a large one is 413."""
    packed = gzip.compress(b" " * 200_000_000)
    with within(10):
        answer = await http.post("Patient", content=packed, headers=JSON | {"content-encoding": "gzip"})
    assert answer.status_code == 413


@pytest.mark.check("INPUT-24")
@pytest.mark.parametrize(
    "path", ["Binary/..%2f..%2fetc%2fpasswd", "Binary/%2e%2e%2f%2e%2e", "$file/../../x/output/a.ndjson"]
)
async def test_input_24_paths_lead_nowhere(http: httpx.AsyncClient, path: str) -> None:
    """INPUT-24: dots and slashes in ids and names of files are no paths."""
    assert (await http.get(path)).status_code in (400, 404)


@pytest.mark.check("INPUT-26")
async def test_input_26_links_are_of_the_configured_base(http: httpx.AsyncClient) -> None:
    """INPUT-26: what a request says of its host is in no link."""
    evil = {"x-forwarded-host": "evil.example", "x-forwarded-proto": "ftp"}
    made = await http.post("Patient", json=patient(), headers=JSON | evil)
    for answer in (made, await http.get("Patient", headers=evil), await http.get("metadata", headers=evil)):
        assert "evil.example" not in answer.text + str(answer.headers)
    assert made.headers["location"].startswith("https://fhir.example/fhir/Patient/")
    asked = await http.get("$export", headers=evil | {"prefer": "respond-async"})
    assert asked.headers["content-location"].startswith("https://fhir.example/fhir/")
    refused = await http.get("Patient", headers={"host": "evil.example"})
    assert refused.status_code == 421, "an open server is not what a name of the web leads to"
    assert "evil.example" not in refused.text


@pytest.mark.check("INPUT-30")
async def test_input_30_one_of_many_writers_wins(http: httpx.AsyncClient) -> None:
    """INPUT-30: of writers that name the same version exactly one gets through; a stale one is 412."""
    await http.put("Patient/p", json=patient(id="p"), headers=JSON)
    calls = [
        http.put("Patient/p", json=patient(id="p", language=f"x-{n}"), headers=JSON | {"if-match": 'W/"1"'})
        for n in range(10)
    ]
    found = sorted(answer.status_code for answer in await asyncio.gather(*calls))
    assert found == [200] + [412] * 9


@pytest.mark.check("INPUT-32")
async def test_input_32_answers_are_not_kept(http: httpx.AsyncClient) -> None:
    """INPUT-32: no cache may keep an answer, and it depends on who asks."""
    await http.put("Patient/p", json=patient(id="p"), headers=JSON)
    for path in ("Patient/p", "Patient", "Patient/p/_history", "Patient/none"):
        headers = (await http.get(path)).headers
        assert "no-store" in headers["cache-control"] and "authorization" in headers["vary"]
        assert headers["x-content-type-options"] == "nosniff"
