"""Load for an HTTP server: wrk when it is installed, else an asyncio client of our own."""

from __future__ import annotations

import asyncio
import itertools
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Sent:
    """One request."""

    method: str
    path: str
    body: bytes = b""
    token: str = ""

    def on_wire(self, host: str) -> bytes:
        """The request as it is sent."""
        head = f"{self.method} {self.path} HTTP/1.1\r\nHost: {host}\r\nAccept: application/fhir+json\r\n"
        if self.token:
            head += f"Authorization: Bearer {self.token}\r\n"
        if self.body:
            head += f"Content-Type: application/fhir+json\r\nContent-Length: {len(self.body)}\r\n"
        return head.encode() + b"\r\n" + self.body


@dataclass(frozen=True)
class Load:
    """One kind of request: these in turn, over and over."""

    sent: tuple[Sent, ...]


@dataclass(frozen=True)
class Result:
    """What the client saw: requests answered, those that were not 2xx, the time, and latencies in ms."""

    requests: int
    failed: int
    seconds: float
    p50: float = 0.0
    p99: float = 0.0


def tool() -> str:
    """What makes the load on this machine."""
    return "wrk" if shutil.which("wrk") else "asyncio"


def drive(base: str, load: Load, seconds: float, connections: int) -> Result:
    """Send one kind of request over and over for some seconds."""
    if tool() == "wrk":
        return _drive_wrk(base, load, seconds, connections)
    return asyncio.run(_drive_asyncio(base, load, seconds, connections))


_SCRIPT = """
local requests, at = {{}}, 0
for length in io.lines("{lengths}") do requests[#requests + 1] = tonumber(length) end
local file = io.open("{requests}", "rb")
for i, length in ipairs(requests) do requests[i] = file:read(length) end
file:close()
function request()
  at = at % #requests + 1
  return requests[at]
end
function done(summary, latency, _)
  io.write(string.format("p50=%d p99=%d\\n", latency:percentile(50), latency:percentile(99)))
end
"""


def _drive_wrk(base: str, load: Load, seconds: float, connections: int) -> Result:
    with tempfile.TemporaryDirectory() as folder:
        requests, lengths, script = (Path(folder) / name for name in ("requests", "lengths", "script.lua"))
        written = [one.on_wire(urlsplit(base).netloc) for one in load.sent]
        requests.write_bytes(b"".join(written))
        lengths.write_text("\n".join(str(len(one)) for one in written))
        script.write_text(_SCRIPT.format(requests=requests, lengths=lengths))
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds:g}s", "-s", str(script), base]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    done = re.search(r"(\d+) requests in ([\d.]+)(m?s)", said)
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)", said)
    if not done:
        raise RuntimeError(f"wrk said: {said}")
    took = float(done[2]) / (1000 if done[3] == "ms" else 1)
    waits = re.search(r"p50=(\d+) p99=(\d+)", said)
    p50, p99 = (int(us) / 1000 for us in waits.groups()) if waits else (0.0, 0.0)
    return Result(int(done[1]), int(failed[1]) if failed else 0, took, p50, p99)


async def _drive_asyncio(base: str, load: Load, seconds: float, connections: int) -> Result:
    address = urlsplit(base)
    turn = itertools.cycle([one.on_wire(address.netloc) for one in load.sent])
    start = time.perf_counter()
    end = start + seconds
    workers = [_worker(address.hostname or "", address.port or 80, turn, end) for _ in range(connections)]
    found = await asyncio.gather(*workers)
    took = time.perf_counter() - start
    waits = sorted(wait for each, _ in found for wait in each) or [0.0]
    p50, p99 = (waits[len(waits) * share // 100] * 1e3 for share in (50, 99))
    return Result(sum(len(each) for each, _ in found), sum(failed for _, failed in found), took, p50, p99)


async def _worker(host: str, port: int, turn: Iterator[bytes], end: float) -> tuple[list[float], int]:
    """One connection that asks again as soon as it is answered: its waits, and the answers that were not 2xx."""
    reader, writer = await asyncio.open_connection(host, port)
    waits: list[float] = []
    failed = 0
    while (start := time.perf_counter()) < end:
        writer.write(next(turn))
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
        if length:
            await reader.readexactly(int(length[1]))
        waits.append(time.perf_counter() - start)
        failed += not head.startswith(b"HTTP/1.1 2")
    writer.close()
    return waits, failed
