"""Runs in MLflow, against a server of ours that speaks its REST API."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, ClassVar

import pytest

from fhir_profiles.errors import Category, FhirError
from server.learning.registry import Version
from server.learning.tracking import API, follow, log_run


class Tracking(BaseHTTPRequestHandler):
    """Answers as MLflow's tracking server does, keeps what it is told, and remembers what it was sent."""

    sent: ClassVar[list[tuple[str, dict]]] = []
    versions: ClassVar[list[dict]] = []
    aliases: ClassVar[dict[str, str]] = {}
    made: ClassVar[set[str]] = set()

    def do_GET(self) -> None:
        """What was made; 404 for what was not."""
        path = self.path.removeprefix(API).partition("?")[0]
        if path == "/model-versions/search":
            self._answer(200, {"model_versions": self.versions} if self.versions else {})
        elif path == "/registered-models/get" and "model" in self.made:
            told = {"aliases": [{"alias": a, "version": v} for a, v in self.aliases.items()]} if self.aliases else {}
            self._answer(200, {"registered_model": {"name": "fhirwright", **told}})
        else:
            self._answer(404, {"error_code": "RESOURCE_DOES_NOT_EXIST"})

    def do_POST(self) -> None:
        """Keep the body, and answer with ids."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        path = self.path.removeprefix(API)
        self.sent.append((path, body))
        if path == "/registered-models/create":
            self.made.add("model")
        elif path == "/model-versions/create":
            self.versions.append({"version": str(len(self.versions) + 1), "tags": body["tags"]})
        elif path == "/registered-models/alias":
            self.aliases[body["alias"]] = body["version"]
        elif path == "/model-versions/set-tag":
            tags = self.versions[int(body["version"]) - 1]["tags"]
            next(tag for tag in tags if tag["key"] == body["key"])["value"] = body["value"]
        number = {"version": str(len(self.versions))}
        self._answer(200, {"experiment_id": "7", "run": {"info": {"run_id": "r1"}}, "model_version": number})

    def do_DELETE(self) -> None:
        """Take an alias away; only a body says which, as in MLflow."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"] or 0)) or "{}")
        self._answer(200 if self.aliases.pop(body.get("alias", ""), "") else 400, {})

    def log_message(self, *_: object) -> None:
        """Silence."""

    def _answer(self, status: int, body: dict) -> None:
        raw = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    @classmethod
    def told(cls) -> tuple[dict[str, str], dict[str, str]]:
        """The state of each version by its tags, and the version of each alias."""
        tags = [{tag["key"]: tag["value"] for tag in one["tags"]} for one in cls.versions]
        named = {alias: tags[int(number) - 1]["version"] for alias, number in cls.aliases.items()}
        return {one["version"]: one["state"] for one in tags}, named


@pytest.fixture
def address() -> Iterator[str]:
    """The address of the tracking server."""
    Tracking.sent, Tracking.versions, Tracking.aliases, Tracking.made = [], [], {}, set()
    server = HTTPServer(("127.0.0.1", 0), Tracking)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_run_is_made_filled_and_finished(address: str) -> None:
    """The experiment is made, every number of the report becomes a metric under its path, the run ends."""
    report = {"codes": {"exact": {"f1": 0.64}}, "failed": ["x"], "whole": True, "n": float("nan")}
    assert log_run(address, "eval", 5, {"split": "dev"}, report) == "r1"
    paths = [path for path, _ in Tracking.sent]
    assert paths == ["/experiments/create", "/runs/create", "/runs/log-batch", "/runs/log-batch", "/runs/update"]
    assert Tracking.sent[1][1]["experiment_id"] == "7"
    assert Tracking.sent[2][1]["params"] == [{"key": "split", "value": "dev"}]
    assert [(m["key"], m["value"]) for m in Tracking.sent[3][1]["metrics"]] == [("codes.exact.f1", 0.64)]
    assert Tracking.sent[4][1]["status"] == "FINISHED"


def test_a_server_that_cannot_be_reached_is_told() -> None:
    """The error is one for a person, of category UNAVAILABLE."""
    with pytest.raises(FhirError) as told:
        log_run("http://127.0.0.1:9", "eval", 5, {}, {})
    assert told.value.category is Category.UNAVAILABLE


def test_the_registered_model_says_what_became_of_each_version(address: str) -> None:
    """Each measured version is there once, its tag says its state, the aliases who codes and who is tried: also after
    a server was away, after a promotion and after a roll-back to the package."""

    def follows(champion: str, **states: Any) -> tuple[dict[str, str], dict[str, str]]:
        report = {"report": {"gain": {"f1": 0.2}}, "snapshot": "ab"}
        follow(address, [Version(name, 5, state, report) for name, state in states.items()], champion)
        return Tracking.told()

    states: dict[str, Any] = {"v2": "ready", "v1": "refused"}
    assert follows("package", v3="candidate", **states) == (states, {"challenger": "v2"})
    assert [one["run_id"] for path, one in Tracking.sent if path == "/model-versions/create"] == ["r1", "r1"]
    assert follows("v2", v2="champion", v1="refused") == ({"v1": "refused", "v2": "champion"}, {"champion": "v2"})
    Tracking.sent.clear()
    assert follows("v2", v2="champion", v1="refused")[1] == {"champion": "v2"}
    assert Tracking.sent == []
    assert follows("package", v2="retired", v1="refused") == ({"v1": "refused", "v2": "retired"}, {})
    assert len(Tracking.versions) == 2
    with pytest.raises(FhirError):
        follow("http://127.0.0.1:9", [], "package")
