"""What the audit costs a read, by each of the roads that were weighed: `python -m campaigns.auditing.cost`.

CPU of the whole process, threads too, for each read of stored bytes through the ASGI application.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from pathlib import Path
from typing import Any

from server.access.caller import server_as
from server.app import create_app
from server.audit.event import by, encode, line_of
from server.audit.spool import Spool
from server.settings import Settings

READS = 20_000


def scope(path: str, method: str = "GET") -> dict[str, Any]:
    """A request as the protocol hands it to the application."""
    headers = [(b"host", b"localhost"), (b"content-type", b"application/fhir+json")]
    return {
        "type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": b"",
        "headers": headers, "scheme": "http", "client": ("127.0.0.1", 5), "server": ("127.0.0.1", 80),
        "http_version": "1.1", "root_path": "",
    }  # fmt: skip


async def reads(app: Any, count: int) -> float:
    """CPU seconds for so many reads."""

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(_: Any) -> None:
        return None

    begin = time.process_time()
    for _ in range(count):
        await app(scope("/fhir/Patient/a"), receive, send)
    return time.process_time() - begin


def measure() -> None:
    """Print microseconds of CPU for each."""
    with tempfile.TemporaryDirectory() as folder:
        made = Settings(database=f"sqlite:///{folder}/a.db", data=Path(folder), open=True, coding="off")
        app = create_app(made)
        store = app.state.fhir.store
        name = [{"family": "x" * 1500}]
        body = json.dumps({"resourceType": "Patient", "id": "a", "name": name}).encode()
        from server.interactions.exchange import Request

        caller = server_as("cost")
        app.state.fhir.handle_sync(Request(method="PUT", path=("Patient", "a"), body=body, caller=caller))
        shell, trail = app._shell, app.state.trail
        asyncio.run(reads(app, 500))
        trail.chain()
        shell._trail = None
        bare = min(asyncio.run(reads(app, READS)) for _ in range(3)) / READS
        shell._trail = trail
        spooled = []
        for _ in range(3):
            begin = time.process_time()
            asyncio.run(reads(app, READS))
            trail.chain()
            spooled.append((time.process_time() - begin) / READS)
        event = by(caller, "read", 200, ("Patient", "a", 0), ("a",), method="GET")
        spool = Spool(Path(folder))
        begin = time.process_time()
        for _ in range(READS):
            spool.write(encode(event) + b"\n")
        written = (time.process_time() - begin) / READS

        async def grouped() -> None:
            for _ in range(READS // 100):
                await asyncio.gather(*(store.write(lambda tx: tx.audit(line_of(event))) for _ in range(100)))

        begin = time.process_time()
        asyncio.run(grouped())
        group = (time.process_time() - begin) / READS
        store.close()
    print(f"read without audit {bare * 1e6:.1f} us; with spool, chained too {min(spooled) * 1e6:.1f} us")
    print(f"write() alone {written * 1e6:.1f} us; group commit of 100 at a time {group * 1e6:.1f} us each")


if __name__ == "__main__":
    measure()
