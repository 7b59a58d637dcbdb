"""Bulk export: everything once, as it stood at the moment that the manifest tells."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from typing import Any

import pytest

LATER = {"prefer": "respond-async", "accept": "application/fhir+json"}


async def export(house: Any, url: str = "$export", **more: Any) -> dict[str, Any]:
    """Run an export to its end; the manifest."""
    status = await kick_off(house, url, **more)
    await house.work()
    done = await house.client.get(status)
    assert done.status_code == 200, done.text
    assert done.headers["content-type"] == "application/json"
    return dict(done.json())


async def kick_off(house: Any, url: str = "$export", body: Any = None, **headers: str) -> str:
    method = "POST" if body else "GET"
    response = await house.client.request(method, url, headers=LATER | headers, json=body)
    assert response.status_code == 202, response.text
    return str(response.headers["content-location"])


async def lines(house: Any, manifest: dict[str, Any], section: str = "output") -> list[dict[str, Any]]:
    """Every line of a section; the counts of the manifest are held."""
    found = []
    for file in manifest[section]:
        answer = await house.client.get(file["url"])
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/fhir+ndjson"
        texts = [json.loads(line) for line in answer.text.splitlines()]
        assert len(texts) == file["count"]
        assert {text["resourceType"] for text in texts} == {file["type"]}
        found += texts
    return found


def names(found: list[dict[str, Any]]) -> list[str]:
    return sorted(f"{one['resourceType']}/{one['id']}" for one in found)


async def put(house: Any, kind: str, name: str, **more: Any) -> None:
    answer = await house.client.put(f"{kind}/{name}", json={"resourceType": kind, "id": name, **more})
    assert answer.status_code in (200, 201), answer.text


def observation(patient: str, code: str = "8480-6") -> dict[str, Any]:
    coding = {"system": "http://loinc.org", "code": code}
    return {"status": "final", "code": {"coding": [coding]}, "subject": {"reference": f"Patient/{patient}"}}


@pytest.fixture
async def filled(house: Any) -> Any:
    """Three patients, two observations of each, one practitioner, a group of two."""
    for name in ("a", "b", "c"):
        await put(house, "Patient", name, gender="female" if name == "a" else "male", birthDate="1980-01-01")
        await put(house, "Observation", f"{name}1", **observation(name))
        await put(house, "Observation", f"{name}2", **observation(name, "8462-4"))
    await put(house, "Practitioner", "p")
    members = [{"entity": {"reference": f"Patient/{name}"}} for name in ("a", "b")]
    members.append({"entity": {"reference": "Patient/c"}, "inactive": True})  # type: ignore[dict-item]
    await put(house, "Group", "g", type="person", actual=True, member=members)
    return house


async def test_a_system_export_has_everything_once(filled: Any) -> None:
    """The manifest is that of the specification, and each resource stands in the files as it is stored."""
    manifest = await export(filled)
    assert set(manifest) == {"transactionTime", "request", "requiresAccessToken", "output", "error"}
    assert manifest["request"] == "http://test/fhir/$export"
    found = await lines(filled, manifest)
    assert len(found) == 11
    assert max(Counter(names(found)).values()) == 1
    stored = (await filled.client.get("Observation/a1")).json()
    assert stored in found


async def test_a_patient_export_has_the_compartments_only(filled: Any) -> None:
    """Patient/$export has the patients and what is theirs; the practitioner is nobody's."""
    kinds = Counter(
        name.partition("/")[0] for name in names(await lines(filled, await export(filled, "Patient/$export")))
    )
    assert kinds == {"Patient": 3, "Observation": 6, "Group": 1}


async def test_a_group_export_has_its_active_members(filled: Any) -> None:
    """Group/[id]/$export follows the members; `patient` narrows it down."""
    found = names(await lines(filled, await export(filled, "Group/g/$export?_type=Patient,Observation")))
    assert found == [f"Observation/{n}" for n in ("a1", "a2", "b1", "b2")] + ["Patient/a", "Patient/b"]
    named = {"name": "patient", "valueReference": {"reference": "Patient/b"}}
    types = {"name": "_type", "valueString": "Patient"}
    body = {"resourceType": "Parameters", "parameter": [named, types]}
    assert names(await lines(filled, await export(filled, "Group/g/$export", body=body))) == ["Patient/b"]


async def test_filters_of_one_type_are_alternatives_and_give_each_resource_once(filled: Any) -> None:
    """Two filters that both find a resource do not double it."""
    url = "$export?_typeFilter=Observation?code=8480-6,Observation?subject=Patient/a&_type=Observation,Practitioner"
    found = names(await lines(filled, await export(filled, url)))
    assert found == ["Observation/a1", "Observation/a2", "Observation/b1", "Observation/c1", "Practitioner/p"]


async def test_elements_cut_and_tag(filled: Any) -> None:
    """With _elements only those and the mandatory ones are there, and the tag says so."""
    found = await lines(filled, await export(filled, "$export?_type=Patient&_elements=Patient.gender"))
    assert all(set(one) == {"resourceType", "id", "meta", "gender"} for one in found)
    assert all(one["meta"]["tag"][0]["code"] == "SUBSETTED" for one in found)


async def test_since_has_what_was_changed_and_what_was_deleted(filled: Any) -> None:
    """The transactionTime of one export is the _since of the next: nothing is missed, nothing comes again."""
    first = await export(filled)
    await put(filled, "Patient", "d")
    await put(filled, "Patient", "a", gender="unknown")
    await filled.client.delete("Observation/a1")
    second = await export(filled, f"$export?_since={first['transactionTime']}")
    assert names(await lines(filled, second)) == ["Patient/a", "Patient/d"]
    [bundle] = await lines(filled, second, "deleted")
    assert [entry["request"] for entry in bundle["entry"]] == [{"method": "DELETE", "url": "Observation/a1"}]
    third = await export(filled, f"$export?_since={second['transactionTime']}")
    assert (third["output"], third["deleted"]) == ([], [])


async def test_writes_while_it_runs_do_not_change_what_it_holds(filled: Any) -> None:
    """Each resource stands in the files as it was at transactionTime, whatever was changed or deleted since."""
    before = {f"{one['resourceType']}/{one['id']}": one for one in await lines(filled, await export(filled))}
    status = await kick_off(filled)
    [(job, _)] = filled.queued()
    steps = filled.steps()
    call = filled.parts.fhir.handle_sync
    from server.access.caller import ANYBODY
    from server.interactions.exchange import Request

    def write(method: str, url: str, body: Any = None) -> None:
        path = tuple(url.split("/"))
        call(
            Request(
                caller=ANYBODY,
                method=method,
                path=path,
                body=json.dumps(body).encode() if body else b"",
                base_url="http://test",
            )
        )

    def disturb(step: str) -> None:
        if step == "count":
            write("PUT", "Patient/a", {"resourceType": "Patient", "id": "a", "gender": "other"})
            write("DELETE", "Observation/a1")
            write("DELETE", "Practitioner/p")
            write("PUT", "Patient/new", {"resourceType": "Patient", "id": "new"})
        if step == "changed":
            write("PUT", "Patient/b", {"resourceType": "Patient", "id": "b", "gender": "other"})
            write("DELETE", "Observation/c1")

    steps.before = disturb
    await filled.store.run(filled.run, job, steps)
    found = {
        f"{one['resourceType']}/{one['id']}": one
        for one in await lines(filled, (await filled.client.get(status)).json())
    }
    assert found == before


async def test_a_killed_export_goes_on_without_losing_or_doubling(filled: Any) -> None:
    """However often it dies between two steps, the files are those of an export that did not."""
    whole = sorted(map(str, await lines(filled, await export(filled))))
    status = await kick_off(filled)
    [(job, _)] = filled.queued()
    steps = filled.steps()
    count = 0

    class Killed(Exception):
        pass

    def kill(_: str) -> None:
        nonlocal count
        count += 1
        if count % 3:
            raise Killed

    steps.before = kill
    while True:
        try:
            await filled.store.run(filled.run, job, steps)
            break
        except Killed:
            continue
    assert sorted(map(str, await lines(filled, (await filled.client.get(status)).json()))) == whole


@pytest.mark.parametrize("more_settings", [{"export_lines": 2, "max_count": 2, "default_count": 2}])
async def test_files_have_so_many_lines(filled: Any) -> None:
    """A type with more resources than the setting allows has several files."""
    manifest = await export(filled, "$export?_type=Observation")
    assert [file["count"] for file in manifest["output"]] == [2, 2, 2]
    assert len(await lines(filled, manifest)) == 6


async def test_files_are_given_packed_and_in_ranges(filled: Any) -> None:
    """gzip comes as it is stored; a Range is answered with 206, one behind the end with 416."""
    [file] = (await export(filled, "$export?_type=Patient"))["output"]
    plain = await filled.client.get(file["url"], headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    async with filled.client.stream("GET", file["url"], headers={"accept-encoding": "gzip"}) as packed:
        assert packed.headers["content-encoding"] == "gzip"
        raw = b"".join([part async for part in packed.aiter_raw()])
    assert gzip.decompress(raw) == plain.content
    part = await filled.client.get(file["url"], headers={"range": "bytes=5-9"})
    assert (part.status_code, part.content) == (206, plain.content[5:10])
    assert part.headers["content-range"] == f"bytes 5-9/{len(plain.content)}"
    last = await filled.client.get(file["url"], headers={"range": "bytes=-4"})
    assert last.content == plain.content[-4:]
    assert (await filled.client.get(file["url"], headers={"range": "bytes=999999-"})).status_code == 416
    head = await filled.client.head(file["url"])
    assert (head.status_code, head.content) == (200, b"")


async def test_delete_ends_it_and_its_files(filled: Any) -> None:
    """After DELETE neither the status nor a file is there."""
    status = await kick_off(filled)
    await filled.work()
    [first, *_] = (await filled.client.get(status)).json()["output"]
    assert (await filled.client.delete(status)).status_code == 202
    assert (await filled.client.get(status)).status_code == 404
    assert (await filled.client.get(first["url"])).status_code == 404


@pytest.mark.parametrize("more_settings", [{"exports_at_once": 1}])
async def test_so_many_exports_at_once(filled: Any) -> None:
    """One more is answered with 429 and the time to wait."""
    await kick_off(filled)
    refused = await filled.client.get("$export", headers=LATER)
    assert (refused.status_code, int(refused.headers["retry-after"]) > 0) == (429, True)


@pytest.mark.parametrize(
    ("url", "status"),
    [
        ("$export?_type=Nothing", 400),
        ("$export?_since=yesterday", 400),
        ("$export?_outputFormat=text/csv", 400),
        ("$export?_typeFilter=Patient?nonsense=1", 400),
        ("$export?unknown=1", 400),
        ("$export?patient=Patient/a", 400),
        ("Patient/$export?_type=Practitioner", 400),
        ("Group/none/$export", 404),
    ],
)
async def test_what_cannot_be_exported_is_refused_at_once(house: Any, url: str, status: int) -> None:
    """A kick-off that the job could not follow is no 202."""
    assert (await house.client.get(url, headers=LATER)).status_code == status
    assert (await house.client.get("$export")).status_code == 400


async def test_lenient_tells_what_was_ignored(filled: Any) -> None:
    """With handling=lenient the export goes on and its error file says what it left out."""
    lenient = {"prefer": "respond-async, handling=lenient"}
    manifest = await export(filled, "$export?unknown=1&_type=Patient", **lenient)
    assert len(await lines(filled, manifest)) == 3
    [outcome] = await lines(filled, manifest, "error")
    assert outcome["issue"][0]["severity"] == "warning"
