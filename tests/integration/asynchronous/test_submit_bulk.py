"""`Claim/$submit-bulk`: many claims in chunks, the same output however often a worker dies."""

from __future__ import annotations

import base64
import io
import json
import random
from typing import Any

import polars as pl
import pytest

from campaigns.claiming.making import claim
from claims.answer.scrub import Scrub
from claims.run.chunk import made
from claims.run.cut import Chunk
from claims.work import task_id
from server.jobs.importing.lines import Measure

Json = dict[str, Any]
NDJSON = {"content-type": "application/fhir+ndjson"}
ON = "2026-10-01"


def claims(count: int) -> bytes:
    """So many claims; every fourth has a charge below zero."""
    dice = random.Random(7)
    found = [claim(dice, number) for number in range(count)]
    for one in found[::4]:
        one["item"][0]["net"]["value"] = -5
    return b"".join(json.dumps(one).encode() + b"\n" for one in found)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks of ten lines."""
    for place in ("server.jobs.claiming.bulk.MEASURE", "server.operations.submit_bulk.MEASURE"):
        monkeypatch.setattr(place, Measure(1_000_000, 10))


async def kick_off(house: Any, body: bytes, query: str = f"on={ON}") -> str:
    answer = await house.client.post(f"Claim/$submit-bulk?{query}", content=body, headers=NDJSON)
    assert answer.status_code == 202, answer.text
    return str(answer.headers["content-location"])


async def work(house: Any) -> None:
    """Every job, and every job that these queue."""
    while house.queued():
        await house.work()


async def outcome(house: Any, status: str) -> Json:
    await work(house)
    done = await house.client.get(status)
    assert done.status_code == 200, done.text
    return dict(done.json())


async def files(house: Any, manifest: Json) -> dict[str, bytes]:
    """Every file by the end of its URL."""
    listed = [*manifest["output"], *manifest["error"]]
    found = {}
    for one in listed:
        answer = await house.client.get(one["url"])
        assert answer.status_code == 200
        found[one["url"].rpartition("/")[2]] = answer.content
    return found


async def test_what_comes_out_is_what_the_kernel_makes(house: Any) -> None:
    """Findings and prices as Parquet, ClaimResponses as NDJSON: byte for byte those of the bulk run, chunk by chunk."""
    body = claims(25)
    manifest = await outcome(house, await kick_off(house, body))
    found = await files(house, manifest)
    scrub = Scrub.open(house.settings.data)
    lines = body.splitlines(keepends=True)
    answers = b""
    for at in range(3):
        part = b"".join(lines[10 * at : 10 * at + 10])
        expected = made(scrub, part, Chunk(at, 10 * at + 1, 10, 0, len(part)), ON)
        assert found[f"findings.{at:06}.parquet"] == expected.files["findings"]
        assert found[f"prices.{at:06}.parquet"] == expected.files["prices"]
        answers += expected.files["responses"]
    assert found["ClaimResponse.ndjson"] == answers and answers.count(b"\n") == 25
    frame = pl.concat(pl.read_parquet(io.BytesIO(found[f"findings.{at:06}.parquet"])) for at in range(3))
    assert set(frame.filter(rule="CHG-002")["line"]) == set(range(1, 26, 4))
    summary = manifest["summary"]
    assert (summary["counts"]["claims"], summary["counts"]["rejected"], summary["on"]) == (25, 0, ON)
    assert "CHG-002" in {one["rule"] for one in summary["by_rule"]} and summary["not_run"]
    [told] = [one for one in manifest["output"] if one["type"] == "ClaimResponse"]
    assert told["count"] == 25
    answer = await house.client.get(manifest["output"][-1]["url"])
    assert answer.headers["content-type"] == "application/vnd.apache.parquet"


async def test_lines_that_are_no_claims_are_told_by_number(house: Any) -> None:
    """Each is an OperationOutcome with the number of the line in its file; the others are answered."""
    lines = claims(12).splitlines()
    body = b"\n".join([*lines[:3], b"{nonsense", b"", *lines[3:], b'{"resourceType": "Patient"}'])
    manifest = await outcome(house, await kick_off(house, body))
    [file] = manifest["error"]
    told = [
        json.loads(line)["issue"][0]["diagnostics"]
        for line in (await files(house, manifest))["rejected.1.ndjson"].splitlines()
    ]
    assert file["count"] == 2 and [text.partition(":")[0] for text in told] == ["Line 4", "Line 15"]
    assert manifest["summary"]["counts"]["claims"] == 12


class Killed(Exception):
    """What a worker that dies looks like."""


async def test_a_killed_run_comes_to_the_same(house: Any) -> None:
    """However often the workers die, every file is byte for byte that of a run without kills."""
    body = claims(45)
    calm = await outcome(house, await kick_off(house, body))
    status = await kick_off(house, body)
    dice, deaths = random.Random(3), 0
    kept: dict[str, Any] = {}
    while house.queued():
        job, _ = dice.choice(house.queued())
        steps = kept.setdefault(job, house.steps())

        def kill(_: str) -> None:
            nonlocal deaths
            if dice.random() < 0.6:
                deaths += 1
                raise Killed

        steps.before = kill
        try:
            await house.store.run(house.run, job, steps)
        except Killed:
            continue
    assert deaths > 5
    killed = (await house.client.get(status)).json()
    assert await files(house, killed) == await files(house, calm)
    assert killed["summary"] == calm["summary"]
    left = house.store.query("SELECT DISTINCT section FROM later_chunk ORDER BY section")
    assert [row[0] for row in left] == ["output"]


async def test_progress_counts_lines_and_a_delete_ends_it(house: Any) -> None:
    """The status tells how many lines are done; DELETE takes the chunks back that wait, and forgets the files."""
    status = await kick_off(house, claims(30))
    await house.work()
    [first, *_] = house.queued()
    await house.store.run(house.run, first[0])
    assert (await house.client.get(status)).headers["x-progress"] == "10 of 30 (33 %)"
    assert (await house.client.delete(status)).status_code == 202
    assert set(await house.work()) == {"cancelled"}
    assert house.store.query("SELECT count(*) FROM later_chunk") == [(0,)]


async def test_a_binary_and_several_files_are_read(house: Any) -> None:
    """Claims that were uploaded as Binary are named by their URL; line numbers count within each file."""
    for name, body in (("one", claims(3)), ("two", b"{nonsense\n" + claims(2))):
        data = base64.b64encode(body).decode()
        resource = {"resourceType": "Binary", "id": name, "contentType": "application/fhir+ndjson", "data": data}
        assert (await house.client.put(f"Binary/{name}", json=resource)).status_code == 201
    parameters = [{"name": "url", "valueUrl": f"http://test/fhir/Binary/{name}"} for name in ("one", "two")]
    asked = {"resourceType": "Parameters", "parameter": [*parameters, {"name": "responses", "valueBoolean": False}]}
    answer = await house.client.post("Claim/$submit-bulk", json=asked)
    assert answer.status_code == 202, answer.text
    manifest = await outcome(house, answer.headers["content-location"])
    assert manifest["summary"]["counts"]["claims"] == 5
    assert {one["type"] for one in manifest["output"]} == {"findings", "prices"}
    found = await files(house, manifest)
    assert b"Line 1:" in found["rejected.2.ndjson"]


async def test_failed_claims_that_are_stored_become_tasks(house: Any) -> None:
    """A claim of the file that this server holds and that fails has a Task; others have none."""
    body = claims(5)
    stored = json.loads(body.splitlines()[0])
    for item in stored["item"]:
        item["quantity"]["system"] = "urn:units"
    assert (await house.client.put(f"Claim/{stored['id']}", json=stored)).status_code == 201
    await outcome(house, await kick_off(house, body))
    assert (await house.client.get("Task?_summary=count")).json()["total"] == 1
    task = (await house.client.get(f"Task/{task_id(stored['id'])}")).json()
    assert task["status"] == "requested" and "output" not in task


async def test_tables_that_change_meanwhile_end_it(house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """All chunks rest on the same rules and tables; where that is no longer possible the status says so."""
    status = await kick_off(house, claims(15))
    await house.work()
    schema = "UPDATE later_chunk SET body = ?, size = ? WHERE section = 'plan'"
    import msgspec

    from server.jobs.claiming.bulk_plan import read_plan
    from server.jobs.deflate import pack

    [(job,)] = house.store.query("SELECT id FROM later")
    plan = msgspec.structs.replace(read_plan(house.store, job), fingerprint="of yesterday")
    text = msgspec.json.encode(plan)
    house.store.write_sync(lambda tx: tx.execute(schema, (pack(text), len(text))))
    assert "failed" in await house.work()
    answer = await house.client.get(status)
    assert answer.status_code == 409 and "loaded" in answer.json()["issue"][0]["diagnostics"]


@pytest.mark.parametrize(
    "asked",
    [
        {"resourceType": "Parameters"},
        {"resourceType": "Parameters", "parameter": [{"name": "url", "valueUrl": "http://10.0.0.1/x"}]},
        {
            "resourceType": "Parameters",
            "parameter": [{"name": "on", "valueDate": "soon"}, {"name": "url", "valueUrl": "Binary/x"}],
        },
        {"resourceType": "Parameters", "parameter": [{"name": "what", "valueString": "x"}]},
    ],
)
async def test_what_is_not_understood_is_refused_at_once(house: Any, asked: Json) -> None:
    """No file, one that may not be reached, a day that is none, an unknown parameter: no job."""
    answer = await house.client.post("Claim/$submit-bulk", json=asked)
    assert answer.status_code in (400, 422) and house.queued() == []


async def test_an_empty_file_has_an_empty_answer(house: Any) -> None:
    """No claims: nothing is rejected, and the counts are zero."""
    manifest = await outcome(house, await kick_off(house, b"\n"))
    assert manifest["error"] == [] and manifest["summary"]["counts"]["claims"] == 0
