"""Killable child processes that parse foreign bytes: started fresh, kept warm, never left behind.

A child that hangs, crashes or grows ends as `Died`; its caller goes on. A child is its own process group, so that
what it started (a tesseract binary) goes with it.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from extractors.pages import wire

MAX_PAGES = 400  # a child is replaced after this many: engines leak
REPLY_CAP = 256 * 1024 * 1024
THREADS = {"OMP_THREAD_LIMIT": "1", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}


class Died(Exception):
    """The child ended before it answered; `why` is `time`, `wall` or `crash`."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Child:
    """One child process and the pipe to it."""

    def __init__(self) -> None:
        self.owner = os.getpid()
        self.asked = 0
        self.holds: tuple[str, int] = ("", 0)
        """The name of the document that it has open, and its pages, where whoever opened it said so."""

        self._process = subprocess.Popen(
            [sys.executable, "-m", "extractors.pages.child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **THREADS},
            start_new_session=True,
            bufsize=0,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._in, self._out = self._process.stdin.fileno(), self._process.stdout.fileno()
        os.set_blocking(self._in, False)
        os.set_blocking(self._out, False)

    @property
    def pid(self) -> int:
        """The process id, which is the process group's too."""
        return self._process.pid

    def ask(self, message: wire.Request, wall: float) -> wire.Reply:
        """Send a request and wait at most `wall` seconds for its reply; raises `Died`."""
        self.asked += 1
        if isinstance(message, wire.Open):
            self.holds = ("", 0)
        deadline = time.monotonic() + wall
        body = msgspec.msgpack.encode(message)
        try:
            self._write(memoryview(len(body).to_bytes(4, "big") + body), deadline)
            size = int.from_bytes(self._read(4, deadline), "big")
            if size > REPLY_CAP:
                raise Died("crash")
            return wire.parse_reply(self._read(size, deadline))
        except (OSError, msgspec.MsgspecError):
            raise Died(self._why()) from None

    def _write(self, view: memoryview, deadline: float) -> None:
        while view:
            self._wait(self._in, select.POLLOUT, deadline)
            view = view[os.write(self._in, view[:65536]) :]

    def _read(self, size: int, deadline: float) -> bytes:
        parts = bytearray()
        while len(parts) < size:
            self._wait(self._out, select.POLLIN, deadline)
            part = os.read(self._out, min(size - len(parts), 1 << 20))
            if not part:
                raise Died(self._why())
            parts += part
        return bytes(parts)

    def _wait(self, fd: int, event: int, deadline: float) -> None:
        poll = select.poll()
        poll.register(fd, event)
        if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
            raise Died("wall")

    def _why(self) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            code = self._process.wait(2)
            return "time" if code in (-signal.SIGPROF, -signal.SIGXCPU) else "crash"
        return "crash"

    def kill(self) -> None:
        """End the child and all it started."""
        if self.owner == os.getpid():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                assert pipe is not None
                pipe.close()


_idle: list[Child] = []
_lock = threading.Lock()
_room = threading.BoundedSemaphore(os.cpu_count() or 1)


@contextlib.contextmanager
def seat() -> Iterator[None]:
    """Wait for one of as many seats as there are cores."""
    with _room:
        yield


def take() -> Child:
    """A warm child, or a new one."""
    with _lock:
        while _idle:
            child = _idle.pop()
            if child.owner == os.getpid() and child.asked < MAX_PAGES and child._process.poll() is None:
                return child
            child.kill()
    return Child()


def holding(mark: str) -> Child | None:
    """A warm child that has a document open, if there is one."""
    with _lock:
        for child in _idle:
            if child.holds[0] == mark and child.asked < MAX_PAGES and child._process.poll() is None:
                _idle.remove(child)
                return child
    return None


def give_back(child: Child) -> None:
    """Keep a healthy child for the next document."""
    with _lock:
        _idle.append(child)


def at_work() -> float:
    """Processor seconds that idle children have used so far."""
    tick = os.sysconf("SC_CLK_TCK")
    used = 0
    for child in _idle:
        with contextlib.suppress(OSError):
            used += sum(map(int, Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()[11:15]))
    return used / tick


@atexit.register
def close() -> None:
    """End all idle children; those at work end with their caller, whose death they watch."""
    with _lock:
        while _idle:
            _idle.pop().kill()
