"""Kill workers at random while subscribers are told and exports run; no event may be lost, no order broken.

`make campaign NAME=deliver` kills 60 times on SQLite and again on PostgreSQL and writes docs/results/deliver.md. The
endpoint fails one request in ten. Every version must arrive at each subscriber, those of one resource in order, and
each export must hold what the history says stood at its transactionTime.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import sys
import tempfile
import threading
import time
from collections import defaultdict
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx

from campaigns.furnishing import furnish
from campaigns.kill import database
from campaigns.killing.command import asked, called
from campaigns.killing.processes import Fleet

REPORT = Path("docs/results/deliver.md")
RESOURCES = 40
SUBSCRIBERS = 3
WAIT_SECONDS = 600.0
ENVIRONMENT = {
    "FHIRWRIGHT_INNER_HOSTS": '["127.0.0.1"]',
    "FHIRWRIGHT_CODING": "off",
    "FHIRWRIGHT_SUBSCRIPTION_BACK_OFF_SECONDS": "0.05",
    "FHIRWRIGHT_EXPORTS_AT_ONCE": "100",
    "FHIRWRIGHT_LATER_RUNNING": "100",
    "FHIRWRIGHT_MAX_COUNT": "25",
}


@dataclass
class Result:
    """What one run came to."""

    engine: str
    kills: int = 0
    versions: int = 0
    arrivals: int = 0
    exports: int = 0
    seconds: float = 0.0
    lost: int = 0
    disordered: int = 0
    wrong_exports: int = 0

    @property
    def sound(self) -> bool:
        """Whether every promise was kept."""
        return self.lost + self.disordered + self.wrong_exports == 0


@dataclass
class Endpoint:
    """Keeps what each subscriber was told, in order: path → (resource, version)."""

    dice: random.Random
    told: dict[str, list[tuple[str, int]]] = field(default_factory=lambda: defaultdict(list))
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, path: str, body: bytes) -> bool:
        """Whether it is taken: one in ten is not."""
        resource = json.loads(body)
        with self.lock:
            if self.dice.random() < 0.1:
                return False
            who = path.split("/")[1]
            self.told[who].append((resource["id"], int(resource["meta"]["versionId"])))
        return True


def serve(endpoint: Endpoint) -> ThreadingHTTPServer:
    """The endpoint on a port of the system's choice."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            self.send_response(200 if endpoint.take(self.path, body) else 500)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: Any) -> None:
            """A worker that was killed leaves a connection behind."""

    server = Quiet(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


class Run:
    """One engine: a server, two workers, writers and subscribers."""

    def __init__(self, engine: str, url: str, data: Path, kills: int, seed: int) -> None:
        self.result = Result(engine)
        self.kills = kills
        self.dice = random.Random(seed)
        self.endpoint = Endpoint(random.Random(seed + 1))
        self.url, self.data = url, data
        self.written: dict[str, int] = {}
        self.exports: list[str] = []
        self.stop = threading.Event()

    def go(self) -> Result:
        """Write, kill, export, wait, judge."""
        began = time.monotonic()
        server = serve(self.endpoint)
        with Fleet(self.url, self.data) as fleet, httpx.Client(base_url=fleet.base_url, timeout=60) as client:
            self._subscribe(client, server.server_address[1])
            writer = threading.Thread(target=self._write, args=(fleet.base_url,))
            writer.start()
            while self.result.kills < self.kills:
                victim = self.dice.choice([name for name in fleet.names if name.startswith("worker")])
                fleet.wait_ready(victim)
                if self.result.kills % 5 == 0:
                    self._export(client)
                time.sleep(self.dice.uniform(0.05, 1.5))
                fleet.kill(victim)
                self.result.kills += 1
            self.stop.set()
            writer.join()
            for name in fleet.names:
                fleet.wait_ready(name)
            self._wait_told()
            self._judge_deliveries()
            for status in self.exports:
                self._judge_export(client, status)
        server.shutdown()
        self.result.seconds = time.monotonic() - began
        return self.result

    def _subscribe(self, client: httpx.Client, port: int) -> None:
        for number in range(SUBSCRIBERS):
            endpoint = f"http://127.0.0.1:{port}/s{number}"
            channel = {"type": "rest-hook", "endpoint": endpoint, "payload": "application/fhir+json"}
            body = {"resourceType": "Subscription", "status": "requested", "reason": "campaign"}
            answer = client.post("Subscription", json=body | {"criteria": "Basic?", "channel": channel})
            answer.raise_for_status()
            while client.get(f"Subscription/{answer.json()['id']}").json()["status"] != "active":
                time.sleep(0.1)

    def _write(self, base_url: str) -> None:
        """Change the resources again and again, some of them in one transaction."""
        dice = random.Random(7)
        with httpx.Client(base_url=base_url, timeout=60) as client:
            number = 0
            while not self.stop.is_set():
                number += 1
                names = dice.sample(range(RESOURCES), dice.choice((1, 1, 3)))
                entries = [
                    {
                        "resource": {"resourceType": "Basic", "id": f"r{n}", "code": {"text": str(number)}},
                        "request": {"method": "PUT", "url": f"Basic/r{n}"},
                    }
                    for n in names
                ]
                bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
                client.post("", json=bundle).raise_for_status()
                for n in names:
                    self.written[f"r{n}"] = self.written.get(f"r{n}", 0) + 1
                time.sleep(0.05)

    def _export(self, client: httpx.Client) -> None:
        answer = client.get("$export?_type=Basic", headers={"prefer": "respond-async"})
        answer.raise_for_status()
        self.exports.append(answer.headers["content-location"])

    def _wait_told(self) -> None:
        deadline = time.monotonic() + WAIT_SECONDS
        while self._missing() and time.monotonic() < deadline:
            time.sleep(0.5)

    def _missing(self) -> int:
        wanted = {(name, version) for name, versions in self.written.items() for version in range(1, versions + 1)}
        with self.endpoint.lock:
            return sum(len(wanted - set(self.endpoint.told[f"s{n}"])) for n in range(SUBSCRIBERS))

    def _judge_deliveries(self) -> None:
        result = self.result
        result.versions = sum(self.written.values())
        result.arrivals = sum(map(len, self.endpoint.told.values()))
        result.lost = self._missing()
        for told in self.endpoint.told.values():
            newest: dict[str, int] = {}
            for name, version in told:
                if version > newest.get(name, 0) + 1:  # one that is told again is no disorder, one that is skipped is
                    result.disordered += 1
                newest[name] = max(version, newest.get(name, 0))

    def _judge_export(self, client: httpx.Client, status: str) -> None:
        """What an export holds is what the history says stood at its moment."""
        deadline = time.monotonic() + WAIT_SECONDS
        while (answer := client.get(status)).status_code == 202 and time.monotonic() < deadline:
            time.sleep(0.5)
        self.result.exports += 1
        if answer.status_code != 200:
            self.result.wrong_exports += 1
            return
        manifest = answer.json()
        lines = [line for file in manifest["output"] for line in client.get(file["url"]).text.splitlines()]
        found = sorted((one["id"], one["meta"]["versionId"]) for one in map(json.loads, lines))
        self.result.wrong_exports += found != self._stood(client, manifest["transactionTime"])

    def _stood(self, client: httpx.Client, moment: str) -> list[tuple[str, str]]:
        stood = []
        for name, versions in self.written.items():
            for version in range(versions, 0, -1):
                meta = self._meta(client, name, version)
                if meta["lastUpdated"] <= moment:
                    stood.append((name, meta["versionId"]))
                    break
        return sorted(stood)

    def _meta(self, client: httpx.Client, name: str, version: int) -> dict[str, str]:
        key = (name, version)
        if key not in self._known:
            self._known[key] = client.get(f"Basic/{name}/_history/{version}").json()["meta"]
        return self._known[key]

    _known: dict[tuple[str, int], dict[str, str]] = {}  # noqa: RUF012 - replaced for each run


def campaign(engines: list[str], kills: int, seed: int, terminology: Path) -> list[Result]:
    """One run on each engine."""
    os.environ.update(ENVIRONMENT)
    results = []
    with ExitStack() as stack:
        base = Path(tempfile.mkdtemp(prefix="fhirwright-deliver-"))
        stack.callback(shutil.rmtree, base, ignore_errors=True)
        base.chmod(0o755)
        for engine in engines:
            data = furnish((folder := base / engine) / "data", terminology)
            Run._known = {}
            with database(engine, folder) as url:
                results.append(Run(engine, url, data, kills, seed).go())
            print(_line(results[-1]), flush=True)
    return results


def _line(r: Result) -> str:
    again = r.arrivals - r.versions * SUBSCRIBERS
    return (
        f"| {r.engine} | {r.kills} | {r.versions} | {SUBSCRIBERS} | {again} | {r.exports} "
        f"| {r.lost} | {r.disordered} | {r.wrong_exports} | {r.seconds:.0f} s |"
    )


def page(command: str, results: list[Result]) -> str:
    """The result page."""
    names = (
        "database", "kills", "versions", "subscribers", "told again", "exports", "lost", "out of order",
        "wrong exports", "took",
    )  # fmt: skip
    return "\n".join(
        [
            "# kill -9 during deliveries and exports",
            "",
            f"{datetime.now(UTC):%Y-%m-%d}, `{command}`",
            "",
            "Two workers are killed at random with SIGKILL and started again while resources are changed, three",
            "subscribers are told of every version and exports run. The endpoint fails one request in ten. Each",
            "version must arrive at least once and those of a resource in order; each export must hold exactly what",
            "the history says stood at its transactionTime.",
            "",
            "| " + " | ".join(names) + " |",
            "|" + "---|" * len(names),
            *map(_line, results),
            "",
        ]
    )


def main() -> int:
    """The command line."""
    given = asked(__doc__, 60, REPORT, {})
    import terminology

    terminology.build(given.data)
    results = campaign(given.engine, given.kills, given.seed, given.data)
    given.report.write_text(page(called("deliver"), results))
    return 0 if all(result.sound for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
