"""Load for an HTTP server: wrk when it is installed, else an asyncio client of our own."""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Load:
    """One kind of request."""

    path: str
    body: bytes = b""

    @property
    def method(self) -> str:
        """POST when there is a body."""
        return "POST" if self.body else "GET"


@dataclass(frozen=True)
class Result:
    """What the client saw: requests answered, those that were not 2xx, and the time."""

    requests: int
    failed: int
    seconds: float


def tool() -> str:
    """What makes the load on this machine."""
    return "wrk" if shutil.which("wrk") else "asyncio"


def drive(base: str, load: Load, seconds: float, connections: int) -> Result:
    """Send one kind of request over and over for some seconds."""
    if tool() == "wrk":
        return _drive_wrk(base, load, seconds, connections)
    return asyncio.run(_drive_asyncio(base, load, seconds, connections))


def _drive_wrk(base: str, load: Load, seconds: float, connections: int) -> Result:
    with tempfile.TemporaryDirectory() as folder:
        body = Path(folder) / "body"
        body.write_bytes(load.body)
        script = Path(folder) / "request.lua"
        script.write_text(
            f'wrk.method = "{load.method}"\n'
            f'local file = io.open("{body}", "rb")\nlocal body = file:read("*all")\nfile:close()\n'
            "if #body > 0 then wrk.body = body end\n"
            'wrk.headers["Content-Type"] = "application/fhir+json"\nwrk.headers["Accept"] = "application/fhir+json"\n'
        )
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds:g}s", "-s", str(script), f"{base}{load.path}"]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    done = re.search(r"(\d+) requests in ([\d.]+)(m?s)", said)
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)", said)
    if not done:
        raise RuntimeError(f"wrk said: {said}")
    took = float(done[2]) / (1000 if done[3] == "ms" else 1)
    return Result(int(done[1]), int(failed[1]) if failed else 0, took)


async def _drive_asyncio(base: str, load: Load, seconds: float, connections: int) -> Result:
    address = urlsplit(base)
    head = f"{load.method} {load.path} HTTP/1.1\r\nHost: {address.netloc}\r\nAccept: application/fhir+json\r\n"
    if load.body:
        head += f"Content-Type: application/fhir+json\r\nContent-Length: {len(load.body)}\r\n"
    request = head.encode() + b"\r\n" + load.body
    start = time.perf_counter()
    end = start + seconds
    workers = [_worker(address.hostname or "", address.port or 80, request, end) for _ in range(connections)]
    counts = await asyncio.gather(*workers)
    return Result(sum(c[0] for c in counts), sum(c[1] for c in counts), time.perf_counter() - start)


async def _worker(host: str, port: int, request: bytes, end: float) -> tuple[int, int]:
    """One connection that asks again as soon as it is answered."""
    reader, writer = await asyncio.open_connection(host, port)
    done = failed = 0
    while time.perf_counter() < end:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
        if length:
            await reader.readexactly(int(length[1]))
        done += 1
        failed += not head.startswith(b"HTTP/1.1 2")
    writer.close()
    return done, failed
