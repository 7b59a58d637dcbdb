"""A closed server in a process of its own, with its worker and two people: one hands documents in, one reviews."""

from __future__ import annotations

import base64
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx

from server.access.roles import read_roles
from server.auth import keep
from server.auth.endpoints import Endpoints
from server.auth.jwks import KeySets
from server.auth.model import Person, Session
from server.auth.secrets import digest, new_token
from server.auth.signing import Keys
from server.http.work.session import Launches
from server.jobs.outside import Wall
from server.settings import Settings
from server.store import Store, open_store

ROLES = ("coder", "clinician")


class House:
    """The server, and the sessions of its people."""

    def __init__(self, data: Path, tables: Path, port: int) -> None:
        (data / "claims").mkdir(parents=True, exist_ok=True)
        for name in ("terminology", "claims/terms"):
            if not (data / name).exists():
                (data / name).symlink_to((tables / name).resolve())
        self.data = data
        self._log = data / "serve.log"
        self.root = f"http://127.0.0.1:{port}"
        command = [sys.executable, "-m", "server.cli", "serve", "--worker", "--port", str(port), "--data", str(data)]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                command, stderr=log, env={**os.environ, "FHIRWRIGHT_WORKER_DOCUMENTS": "1"}
            )
        self._wait()
        self.cookies: dict[str, str] = {}
        store = open_store(Settings(data=data).database_url)
        try:
            store.write_sync(self._people)
            self._token = self._launched(store)
        finally:
            store.close()

    def cookie(self, role: str) -> dict[str, str]:
        """The cookie of somebody's session."""
        return {"name": "fhirwright", "value": self.cookies[role], "url": self.root}

    def cpu(self) -> float:
        """Seconds of CPU that the server has taken, without what it began in other processes."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def hand_in(self, data: bytes, title: str, seconds: float = 900) -> str:
        """The id of a PDF that was handed in and coded."""
        attachment = {"contentType": "application/pdf", "title": title, "data": base64.b64encode(data).decode()}
        body = {"resourceType": "DocumentReference", "status": "current", "content": [{"attachment": attachment}]}
        headers = {"authorization": f"Bearer {self._token}"}
        with httpx.Client(base_url=f"{self.root}/fhir", timeout=120, headers=headers) as http:
            made = http.post("/DocumentReference", json=body).raise_for_status()
            id = str(made.json()["id"])
            until = time.monotonic() + seconds
            while time.monotonic() < until:
                found = http.get("/Task", params={"focus": f"DocumentReference/{id}", "code": "code-document"}).json()
                states = [entry["resource"]["status"] for entry in found.get("entry", ())]
                if states == ["completed"]:
                    return id
                if states == ["failed"]:
                    raise RuntimeError("the document could not be coded")
                time.sleep(0.5)
        raise TimeoutError("the document was not coded in time")

    def stop(self) -> None:
        """End it."""
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(120)

    def _wait(self) -> None:
        for _ in range(1200):
            if re.search(r"listens on http", self._log.read_text()):
                try:
                    if httpx.get(f"{self.root}/readyz", timeout=60).status_code == 200:
                        return
                except httpx.HTTPError:
                    pass
            if self._process.poll() is not None:
                break
            time.sleep(0.1)
        self._process.kill()
        raise RuntimeError(f"the server did not start: {self._log.read_text()}")

    def _people(self, tx: Any) -> None:
        for role in ROLES:
            name = f"{role} Dale"
            keep.put_person(
                tx, Person(id=role, name=name, password="-", roles=(role,), fhir_user=f"Practitioner/{role}")
            )
            token, now = new_token(), keep.now()
            session = Session(hash=digest(token), person=role, began=now, seen=now, csrf=new_token(), idle=36_000_000)
            keep.put_session(tx, session)
            self.cookies[role] = token

    def _launched(self, store: Store) -> str:
        """An access token with all that a clinician may, as the workbench gets it."""
        session, person = keep.session(store, digest(self.cookies["clinician"])), keep.person(store, "clinician")
        assert session is not None and person is not None
        launches = Launches(store, Endpoints(store, Keys(store), KeySets(Wall(()))), read_roles())
        return launches.of(session, person, f"{self.root}/fhir").token
