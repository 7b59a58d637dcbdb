"""A rolling upgrade under load: old and new version on one database, one process after the other exchanged.

`make campaign NAME=upgrade`. The new version is this source with one more migration (a table and a column, both added),
made in a folder of its own; a third version takes something away, which the old one must refuse. Writes and documents
go on all the while, at whichever API answers. Writes docs/results/upgrade.md.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx

from campaigns.furnishing import furnish
from campaigns.kill import database
from campaigns.killing.client import HEADERS, waiting
from campaigns.killing.documents import make
from campaigns.killing.processes import DONE_SECONDS, Process

REPORT = Path("docs/results/upgrade.md")
SOURCE = Path(__file__).parent.parent
PACKAGES = ("server", "fhir_profiles", "terminology", "extractors", "claims")
_ADDS = '''"""What the next version adds."""

import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = "{before}"
{contracts}

def upgrade() -> None:
    """Add."""
    op.create_table("next_{revision}", sa.Column("id", sa.Text(), primary_key=True))
    op.add_column("resource", sa.Column("next_{revision}", sa.Text(), nullable=True))
'''


@dataclass
class Told:
    """What the clients saw."""

    writes: dict[str, int] = field(default_factory=dict)  # Patient id → version that was acknowledged last
    documents: list[str] = field(default_factory=list)
    answers: Counter[str] = field(default_factory=Counter)
    longest: float = 0.0


class Clients:
    """Threads that write and send documents at any API of the list, and go on at another when one does not answer."""

    def __init__(self, told: Told, bases: list[str]) -> None:
        self.told, self.bases = told, bases
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._write, args=(n,)) for n in range(3)]
        self._threads.append(threading.Thread(target=self._send))

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End, after the request that each is at."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _write(self, lane: int) -> None:
        with httpx.Client(headers=HEADERS, timeout=30) as client:
            for turn in range(10**9):
                if self._stop.is_set():
                    return
                name = f"p{lane}-{turn % 40}"
                body = {"resourceType": "Patient", "id": name, "name": [{"family": f"Turn{turn}"}]}
                if (version := self._put(client, f"Patient/{name}", body, turn)) is not None:
                    self.told.writes[name] = version
                time.sleep(0.02)

    def _send(self) -> None:
        with httpx.Client(headers=HEADERS, timeout=30) as client:
            for turn, document in enumerate(make(400, 5)):
                while self._put(client, f"DocumentReference/{document.id}", document.body, turn) is None:
                    if self._stop.is_set():
                        return
                self.told.documents.append(document.id)
                if self._stop.wait(0.3):
                    return

    def _put(self, client: httpx.Client, path: str, body: object, turn: int) -> int | None:
        """The version that a PUT made; None when this API did not take it."""
        base = self.bases[turn % len(self.bases)]
        began = time.monotonic()
        try:
            if isinstance(body, bytes):
                answer = client.put(f"{base}/{path}", content=body)
            else:
                answer = client.put(f"{base}/{path}", json=body)
        except httpx.TransportError as error:
            kind = type(error).__name__
            time.sleep(0.1)
            answer = None
        with self._lock:
            self.told.longest = max(self.told.longest, time.monotonic() - began)
            self.told.answers[kind if answer is None else str(answer.status_code)] += 1
        if answer is None or answer.status_code not in (200, 201):
            return None
        return int(answer.headers["etag"].strip('W/"'))


def next_version(folder: Path, before: Path, *, contracts: bool) -> Path:
    """The source at `before` with one migration more."""
    for package in PACKAGES:
        shutil.copytree(before / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    place = folder / "server/store/migrate.py"
    code = place.read_text()
    head = re.search(r'^HEAD = "(\d{4})"', code, re.MULTILINE)
    assert head is not None
    revision = f"{int(head[1]) + 1:04}"
    place.write_text(code.replace(head[0], f'HEAD = "{revision}"'))
    text = _ADDS.format(revision=revision, before=head[1], contracts="contracts = True\n" if contracts else "")
    (folder / f"server/store/migrations/versions/{revision}_next.py").write_text(text)
    return folder


def run(url: str, folder: Path, seconds: float) -> tuple[Told, dict[str, object]]:
    """The upgrade; what clients saw, and what was found at the end."""
    data = folder / "data"
    newer = next_version(folder / "newer", SOURCE, contracts=False)
    narrower = next_version(folder / "narrower", newer, contracts=True)
    ports = _ports(2)
    environment = {
        **os.environ, "FHIRWRIGHT_DATABASE": url, "FHIRWRIGHT_DATA": str(data), "FHIRWRIGHT_WORKER_DOCUMENTS": "1",
        "FHIRWRIGHT_LOG_FORMAT": "json", "FHIRWRIGHT_LOG_REQUESTS": "problems", "PYTHONDONTWRITEBYTECODE": "1",
    }  # fmt: skip

    def api(which: int, place: Path) -> Process:
        words = ["serve", "--no-worker", "--open", "--port", str(ports[which])]
        return _ready(Process(words, environment, ports[which], place))

    def worker(slot: int, place: Path) -> Process:
        return _ready(Process(["worker", "--slot", str(slot)], environment, None, place))

    told = Told()
    found: dict[str, object] = {}
    with ExitStack() as ends:
        one, two = api(0, SOURCE), api(1, SOURCE)
        first, second = worker(0, SOURCE), worker(1, SOURCE)
        running = {"one": one, "two": two, "first": first, "second": second}
        ends.callback(lambda: [process.stop() for process in running.values()])
        clients = Clients(told, [f"http://127.0.0.1:{port}/fhir" for port in ports])
        clients.start()
        ends.callback(clients.stop)
        time.sleep(seconds)
        began = time.monotonic()
        _command(newer, environment, "migrate")
        found["migration, seconds under load"] = round(time.monotonic() - began, 1)
        time.sleep(seconds)
        for name, again in (("first", lambda: worker(0, newer)), ("two", lambda: api(1, newer))):
            running[name].stop()
            running[name] = again()
            time.sleep(seconds)
        for name, again in (("second", lambda: worker(1, SOURCE)), ("one", lambda: api(0, SOURCE))):
            running[name].stop()  # the old version starts again on the newer schema: a machine that was restarted
            running[name] = again()
        time.sleep(seconds)
        for name, again in (("second", lambda: worker(1, newer)), ("one", lambda: api(0, newer))):
            running[name].stop()
            running[name] = again()
        time.sleep(seconds)
        clients.stop()
        found["documents that were not coded"] = _wait(url)
        found.update(_compare(f"http://127.0.0.1:{ports[0]}/fhir", told))
        for process in running.values():
            process.stop()
        _command(narrower, environment, "migrate")
        refused = _try(SOURCE, environment, "serve", "--no-worker", "--open", "--port", str(ports[0]))
        found["the old version after a schema that takes away"] = refused
    return told, found


def _compare(base: str, told: Told) -> dict[str, object]:
    lost = doubled = 0
    with httpx.Client(timeout=30) as client:
        for name, version in told.writes.items():
            answer = client.get(f"{base}/Patient/{name}")
            stands = int(answer.headers.get("etag", 'W/"0"').strip('W/"'))
            lost += stands < version
        for name in told.documents:
            answer = client.get(f"{base}/DocumentReference/{name}")
            lost += answer.status_code != 200
            tasks = client.get(f"{base}/Task?focus=DocumentReference/{name}&_summary=count").json()["total"]
            doubled += tasks != 1
    return {"acknowledged and lost": lost, "documents without exactly one Task": doubled}


def _wait(url: str) -> int:
    deadline = time.monotonic() + DONE_SECONDS
    while (left := waiting(url)) and time.monotonic() < deadline:
        time.sleep(0.5)
    return left


def _ready(process: Process, seconds: float = 180) -> Process:
    until = time.monotonic() + seconds
    while not process.ready.wait(0.2):
        if not process.alive or time.monotonic() > until:
            raise RuntimeError("".join(process.log) or "A process did not come up.")
    return process


def _command(place: Path, environment: dict[str, str], *words: str) -> None:
    subprocess.run([sys.executable, "-m", "server.cli", *words], cwd=place, env=environment, check=True)


def _try(place: Path, environment: dict[str, str], *words: str) -> str:
    command = [sys.executable, "-m", "server.cli", *words]
    try:
        done = subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, timeout=60)
    except subprocess.TimeoutExpired:
        return "started, which it must not"
    return f"exit {done.returncode}: {done.stderr.strip().splitlines()[-1]}"


def _ports(count: int) -> list[int]:
    taken = [socket.socket() for _ in range(count)]
    for one in taken:
        one.bind(("127.0.0.1", 0))
    ports = [int(one.getsockname()[1]) for one in taken]
    for one in taken:
        one.close()
    return ports


def page(command: str, engine: str, told: Told, found: dict[str, object]) -> str:
    """The results as Markdown."""
    lines = [
        "# Rolling upgrade", "", f"{datetime.now(UTC):%Y-%m-%d}, `{command}`, {engine}", "",
        "Two APIs and two workers of the old version; the schema is migrated by the new one under load; then process",
        "after process is exchanged, and two of the old version are started again in between.", "",
        "| | |", "|---|---|",
        f"| writes acknowledged (Patients, newest versions) | {len(told.writes)} |",
        f"| documents acknowledged | {len(told.documents)} |",
        f"| answers | {', '.join(f'{n} × {kind}' for kind, n in sorted(told.answers.items()))} |",
        f"| longest request, seconds | {told.longest:.1f} |",
        *(f"| {name} | {value} |" for name, value in found.items()), "",
        "`ConnectError` and its like are requests at an API that was just stopped; its client went to the other one.",
        "",
    ]  # fmt: skip
    return "\n".join(lines)


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--engine", choices=("sqlite", "postgresql"), default="postgresql")
    parser.add_argument("--seconds", type=float, default=10, help="between two steps")
    parser.add_argument("--data", type=Path, default=Path("var"), help="data directory with a terminology")
    parser.add_argument("--report", type=Path, default=REPORT)
    given = parser.parse_args()
    import terminology

    terminology.build(given.data)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        furnish(folder / "data", given.data)
        with database(given.engine, folder) as url:
            told, found = run(url, folder, given.seconds)
    command = "python -m campaigns.upgrade " + " ".join(sys.argv[1:])
    given.report.write_text(page(command.strip(), given.engine, told, found))
    print(given.report.read_text())
    sound = not any(found[name] for name in ("documents that were not coded", "acknowledged and lost"))
    sound = sound and found["documents without exactly one Task"] == 0 and "exit 0" not in str(found)
    return 0 if sound and not any(kind.startswith("5") and kind != "503" for kind in told.answers) else 1


if __name__ == "__main__":
    sys.exit(main())
