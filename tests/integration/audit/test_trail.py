"""The audit trail: what is asked leaves its events, which are chained, signed and told as BALP asks."""

from __future__ import annotations

import base64
import json
import random
import shutil
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from campaigns.auditing.balp import problems
from campaigns.auditing.tampering import KINDS, tamper
from fhir_profiles.errors import FhirError
from fhir_profiles.validate import check
from server.app import create_app
from server.audit.chain import events_of
from server.audit.checkpoints import FILE
from server.audit.event import Event, decode
from server.audit.place import directory
from server.audit.render import render
from server.audit.verify import verify
from server.settings import Settings
from server.store import open_store


class World:
    """An open server over each engine, and its trail."""

    def __init__(self, app: Any, http: httpx.AsyncClient, settings: Settings) -> None:
        self.app, self.http, self.settings = app, http, settings
        self.store = app.state.fhir.store
        self.trail = app.state.trail

    def events(self) -> list[Event]:
        """All events, after what waits was chained."""
        self.trail.chain()
        return [decode(data) for _, data in events_of(self.store)]

    def of(self, answer: httpx.Response) -> list[Event]:
        """The events of one request."""
        name = answer.headers["x-request-id"]
        return [event for event in self.events() if event.request == name]


@pytest.fixture
async def world(database_url: str, tmp_path: Path) -> AsyncIterator[World]:
    """Two patients with an observation each."""
    settings = Settings(
        database=database_url, data=tmp_path / "var", open=True, coding="off", audit_checkpoint_events=1
    )
    app = create_app(settings)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test/fhir/") as http:
        for name in "AB":
            await http.put(f"Patient/{name}", json={"resourceType": "Patient", "id": name, "name": [{"family": name}]})
            await http.put(f"Observation/{name}1", json=observation(name))
        yield World(app, http, settings)
    app.state.fhir.store.close()


def observation(patient: str) -> dict[str, Any]:
    """An Observation of a patient."""
    return {
        "resourceType": "Observation", "id": f"{patient}1", "status": "final", "code": {"text": "x"},
        "subject": {"reference": f"Patient/{patient}"},
    }  # fmt: skip


@pytest.mark.check("OPS-11")
async def test_ops_11_every_access_leaves_its_events(world: World) -> None:
    """OPS-11: events equal interactions, denied ones too; a search of two patients tells of each; BALP holds."""
    http = world.http
    entries = [
        {"request": {"method": "GET", "url": "Patient/A"}},
        {"request": {"method": "GET", "url": "Patient/none"}},
        {"request": {"method": "PUT", "url": "Patient/C"}, "resource": {"resourceType": "Patient", "id": "C"}},
    ]
    asked = [
        (await http.get("Patient/A"), [("read", 0, ("A",))]),
        (await http.get("Observation/A1/_history/1"), [("vread", 0, ("A",))]),
        (await http.get("Observation?code=x"), [("search-type", 0, ())]),
        (await http.get("Observation"), [("search-type", 0, ("A", "B"))]),
        (await http.get("Observation?patient=B"), [("search-type", 0, ("B",))]),
        (await http.get("Patient/none"), [("read", 4, ("none",))]),
        (await http.get("Nothing/1"), [("read", 4, ())]),
        (await http.get("Patient/A/_history"), [("history-instance", 0, ("A",))]),
        (await http.get("Patient/A/$everything"), [("operation", 0, ("A",))]),
        (await http.delete("Observation/B1"), [("delete", 0, ("B",))]),
        (await http.delete("Observation/B1"), [("delete", 0, ("B",))]),
        (await http.put("Patient/A", json={"resourceType": "Patient"}), [("update", 4, ("A",))]),
        (await http.post("Patient", json={"resourceType": "Patient"}), [("create", 0, None)]),
        (await http.get("metadata"), [("capabilities", 0, ())]),
        (
            await http.post("", json={"resourceType": "Bundle", "type": "batch", "entry": entries}),
            [("batch", 0, ()), ("read", 0, ("A",)), ("read", 4, ("none",)), ("update", 0, ("C",))],
        ),
        (
            await http.post("", json={"resourceType": "Bundle", "type": "transaction", "entry": entries[:1]}),
            [("transaction", 0, ()), ("read", 0, ("A",))],
        ),
    ]
    for answer, expected in asked:
        found = [(e.code, outcome(e), e.patients) for e in world.of(answer)]
        wanted = [(c, o, found[0][2] if p is None else p) for c, o, p in expected]
        assert Counter(found) == Counter(wanted), answer.url
    for seq, data in events_of(world.store):
        for told in render(seq, decode(data)):
            assert problems(told) == []
            assert [p for p in check(told) if p.severity in ("error", "fatal")] == []


def outcome(event: Event) -> int:
    """The outcome that an event tells."""
    return int(next(iter(render(1, event)))["outcome"])


@pytest.mark.check("OPS-13")
async def test_ops_13_the_query_is_kept_and_not_logged(world: World, capfd: pytest.CaptureFixture[str]) -> None:
    """OPS-13: what was asked is in entity.query as base64; the log has none of it."""
    answer = await world.http.post("Patient/_search", data={"name": "Zebrowski"})
    [event] = world.of(answer)
    assert b"Zebrowski" in base64.b64decode(event.query)
    assert "Zebrowski" not in "".join(capfd.readouterr())


async def test_events_are_read_and_searched(world: World) -> None:
    """AuditEvents are found by what they are about, who did it, when, from where and how it ended, page by page."""
    http = world.http
    await http.get("Observation")
    world.trail.chain()

    async def found(query: str) -> list[dict[str, Any]]:
        bundle = (await http.get(f"AuditEvent?{query}")).json()
        return [entry["resource"] for entry in bundle.get("entry", [])]

    assert {one["action"] for one in await found("patient=Patient/A")} == {"U", "E"}
    assert len(await found("entity=Observation/A1")) == 1
    assert {one["subtype"][0]["code"] for one in await found("subtype=update")} == {"update"}
    assert len(await found("action=U&_count=100")) == 4
    assert await found("outcome=8") == []
    assert await found("date=lt2020") == []
    assert len(await found("date=gt2020&type=rest&agent=anonymous&_count=3")) == 3
    assert await found("address=10.9.9.9") == []
    bundle = (await http.get("AuditEvent?subtype=update&_count=3")).json()
    rest = (await http.get(bundle["link"][1]["url"])).json()
    assert [len(part["entry"]) for part in (bundle, rest)] == [3, 1]
    one = bundle["entry"][0]["resource"]
    assert (await http.get(f"AuditEvent/{one['id']}")).json() == one
    assert (await http.get("AuditEvent/999999-0")).status_code == 404


async def test_what_a_client_hands_in_is_chained_and_never_changed(world: World) -> None:
    """A client may add its own AuditEvents; nobody changes or deletes any."""
    given = {
        "resourceType": "AuditEvent", "recorded": "2024-01-01T00:00:00Z", "source": {"observer": {"display": "app"}},
        "type": {"system": "http://dicom.nema.org/resources/ontology/DCM", "code": "110100"},
        "agent": [{"requestor": True}],
    }  # fmt: skip
    made = await world.http.post("AuditEvent", json=given)
    assert made.status_code == 201
    path = made.headers["location"].partition("/fhir/")[2].partition("/_history")[0]
    assert (await world.http.get(path)).json()["recorded"] == given["recorded"]
    assert (await world.http.put(path, json={**given, "id": path[11:]})).status_code == 405
    assert (await world.http.delete(path)).status_code == 405


@pytest.mark.check("OPS-16")
async def test_ops_16_the_database_refuses_to_change_the_trail(world: World) -> None:
    """OPS-16: UPDATE and DELETE of audit tables fail, also for the owner."""
    for table, column in (("audit_event", "seq"), ("audit_key", "block")):
        for statement in (f"DELETE FROM {table}", f"UPDATE {table} SET {column} = {column} + 1000"):
            with pytest.raises(FhirError):
                world.store.write_sync(lambda tx, statement=statement: tx.execute(statement))
    assert world.events()


@pytest.mark.parametrize("again", [False, True], ids=["clumsy", "hashed-again"])
@pytest.mark.parametrize("kind", KINDS)
async def test_tampering_is_located(world: World, tmp_path: Path, kind: str, again: bool) -> None:
    """What was deleted, edited, inserted, reordered or cut off is told, at its place."""
    if world.store.dialect != "sqlite":
        pytest.skip("the file is meddled with")
    for _ in range(5):
        await world.http.get("Patient/A")
        await world.http.get("Observation")
    path, text = close(world)
    for seed in range(5):
        shutil.copy(path, copy := tmp_path / f"copy{seed}.db")
        first, last = tamper(copy, kind, random.Random(seed), again=again)
        store = open_store(f"sqlite:///{copy}", create=False)
        report = verify(store, text)
        store.close()
        assert any(one.seq <= last + 1 and one.to >= first for one in report.findings), (kind, first, report.findings)


def close(world: World) -> tuple[Path, str]:
    """End the server; the database and the checkpoints."""
    folder = directory(world.store, world.settings)
    world.events()
    world.store.close()
    text = (folder / FILE).read_text()
    path = Path(world.settings.database_url.removeprefix("sqlite:///"))
    store = open_store(world.settings.database_url, create=False)
    report = verify(store, text)
    store.close()
    assert report.whole and report.signed == report.events, report.findings
    return path, text


async def test_checkpoints_that_are_missing_or_forged_are_told(world: World) -> None:
    """A file of checkpoints that was cut, or bears another signature, is not believed."""
    await world.http.get("Patient/A")
    world.trail.chain()
    folder = directory(world.store, world.settings)
    world.store.close()
    lines = (folder / FILE).read_text().splitlines()
    forged = json.dumps({**json.loads(lines[0]), "hash": "00" * 32})
    store = open_store(world.settings.database_url, create=False)
    for text in ("\n".join(lines[:-1]), forged):
        assert any(one.kind == "checkpoint" for one in verify(store, text).findings)
    assert any(one.kind == "checkpoint" for one in verify(store, "\n".join(lines), signer="x").findings)
    store.close()


async def test_metrics_tell_how_far_the_trail_is_signed(world: World) -> None:
    """/metrics has the length of the chain, what is unsigned, what waits in the spool, the age of the checkpoint."""

    async def told() -> dict[str, float]:
        text = (await world.http.get("http://test/metrics")).text
        lines = [line.split(" ") for line in text.splitlines() if line.startswith("fhirwright_audit_")]
        return {name: float(value) for name, value in lines if "_bucket" not in name}

    await world.http.get("Patient/A")
    world.trail.chain()
    world.trail._checkpoints.advance(last=True)
    found = await told()
    assert found["fhirwright_audit_chain_length"] == len(world.events())
    assert found["fhirwright_audit_checkpoint_age_seconds"] < 60
    assert found["fhirwright_audit_unsigned_events"] == 0
    (world.trail._folder / "0.spool").write_bytes(b"x" * 1000)  # of a process that died, and is torn
    assert (await told())["fhirwright_audit_spool_bytes"] >= 1000
