"""A real server with its worker: what is answered later, exported, told by websocket and by hook, through processes."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.sync.client import connect

from tests.support.clock import until

ROOT = Path(__file__).parents[3]
BACKPORT = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/"


class Live:
    """`fhirwright serve` with its worker."""

    def __init__(self, database: str, data: Path) -> None:
        self.log = data.parent / "serve.log"
        environment = {
            **os.environ,
            "FHIRWRIGHT_DATABASE": database,
            "FHIRWRIGHT_DATA": str(data),
            "FHIRWRIGHT_LOG_FORMAT": "json",
            "FHIRWRIGHT_CODING": "off",
            "FHIRWRIGHT_INNER_HOSTS": '["127.0.0.1"]',
            "FHIRWRIGHT_WORKER_DOCUMENTS": "1",
            "FHIRWRIGHT_SUBSCRIPTION_BACK_OFF_SECONDS": "0.1",
        }
        command = [sys.executable, "-m", "server.cli", "serve", "--open", "--port", "0"]
        with self.log.open("wb") as stderr:
            self.process = subprocess.Popen(command, stderr=stderr, env=environment, cwd=ROOT)
        found = self.wait(lambda: re.search(r"listens on (http://\S+/fhir)", self.log.read_text()))
        self.base = found[1]
        self.wait(self._answers)
        self.wait(lambda: "worker.ready" in self.log.read_text())
        self.client = httpx.Client(base_url=self.base + "/", timeout=120)

    def _answers(self) -> bool:
        try:
            return httpx.get(self.base.removesuffix("/fhir") + "/healthz", timeout=60).status_code == 200
        except httpx.HTTPError:
            return False

    def wait(self, happened: Callable[[], Any]) -> Any:
        def looked() -> Any:
            assert self.process.poll() is None, self.log.read_text()
            return happened()

        return until(looked)

    def done(self, status: str) -> httpx.Response:
        def answered() -> httpx.Response | None:
            answer = self.client.get(status)
            return answer if answer.status_code != 202 else None

        return self.wait(answered)  # type: ignore[no-any-return]

    def stop(self) -> None:
        self.client.close()
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(120)
        finally:
            self.process.kill()


@pytest.fixture
def live(database_url: str, tmp_path: Path, furnish: Callable[[Path], Path]) -> Iterator[Live]:
    """The server of one test, over each database."""
    made = Live(database_url, furnish(tmp_path / "data"))
    yield made
    made.stop()


def topical(kind: str, endpoint: str = "") -> dict[str, Any]:
    content = [{"url": f"{BACKPORT}backport-payload-content", "valueCode": "id-only"}]
    channel = {"type": kind, "payload": "application/fhir+json", "_payload": {"extension": content}}
    return {
        "resourceType": "Subscription",
        "status": "requested",
        "reason": "test",
        "criteria": "https://fhirwright.dev/fhir/SubscriptionTopic/Patient",
        "channel": channel | ({"endpoint": endpoint} if endpoint else {}),
    }


def test_everything_that_comes_later_comes(live: Live, endpoint: Any) -> None:
    """A search, an export, a hook and a websocket, with one worker process that nobody has to start."""
    hook = live.client.post("Subscription", json=topical("rest-hook", endpoint.url)).json()["id"]
    socket = live.client.post("Subscription", json=topical("websocket")).json()["id"]
    plain = topical("websocket") | {"criteria": "Patient?gender=female"}
    del plain["channel"]["_payload"], plain["channel"]["payload"]
    ping = live.client.post("Subscription", json=plain).json()["id"]
    for name in (hook, socket, ping):
        live.wait(lambda name=name: live.client.get(f"Subscription/{name}").json()["status"] == "active")
    token = live.client.get(f"Subscription/{socket}/$get-ws-binding-token").json()["parameter"][0]["valueString"]
    url = live.base.replace("http", "ws", 1) + "/$subscriptions"
    with connect(url) as ws:
        ws.send(f"bind-with-token {token}")
        handshake = json.loads(ws.recv(timeout=120))
        assert handshake["entry"][0]["resource"]["parameter"][3] == {"name": "type", "valueCode": "handshake"}
        ws.send(f"bind {ping}")
        assert ws.recv(timeout=120) == f"bound {ping}"
        body = {"resourceType": "Patient", "id": "a", "gender": "female"}
        assert live.client.put("Patient/a", json=body).status_code == 201
        told = sorted((str(ws.recv(timeout=120)) for _ in range(2)), key=len)
        assert told[0] == f"ping {ping}"
        assert json.loads(told[1])["entry"][1]["fullUrl"].endswith("/Patient/a")
    with connect(url) as ws:
        ws.send("bind-with-token wrong")
        with pytest.raises(Exception, match="1008"):
            ws.recv(timeout=120)
    live.wait(lambda: len(endpoint.taken) >= 2)
    assert endpoint.kinds() == ["handshake", "event-notification"]
    later = {"prefer": "respond-async"}
    found = live.done(live.client.get("Patient?gender=female", headers=later).headers["content-location"]).json()
    assert found["entry"][0]["resource"]["total"] == 1
    manifest = live.done(live.client.get("$export?_type=Patient", headers=later).headers["content-location"]).json()
    assert live.client.get(manifest["output"][0]["url"]).text.count("\n") == 1
