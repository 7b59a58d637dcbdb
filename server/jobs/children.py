"""Killable processes that read and code documents: a hang, a crash or a full heap ends one document only."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any, Literal

import msgspec

from extractors.pages.limits import Limits
from server.telemetry import spans

MiB = 1024 * 1024
THREADS = {"OMP_THREAD_LIMIT": "1", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}

FAULT = "Coding ended in an error of the server ({kind}). Retry; if it fails again, report it."


class Failure(Exception):
    """A document that ends here. `code` is from http://hl7.org/fhir/issue-type; `text` says what to do, without PHI."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


class Overdue(Failure):
    """The document's time was over while its process was still at work, so that the process must be ended."""


class Crashed(Exception):
    """The process ended before it answered; trying once more is sensible."""


@dataclass(frozen=True)
class Bounds:
    """What one document may cost and where its stages find their data."""

    data: str
    seconds: float
    document_bytes: int
    memory_bytes: int
    cache_bytes: int
    engine: Literal["compiled", "medspacy"] = "compiled"
    limits: Limits = field(default_factory=Limits)  # of reading; the only way by which settings reach the pages
    second: str = "off"  # reader of doubtful lines


class Call(msgspec.Struct, array_like=True):
    """A stage to run: its name in `server.jobs.stages`, its arguments, and the version of the model that codes."""

    stage: str
    arguments: list[Any]
    model: str = ""


class Reply(msgspec.Struct, array_like=True):
    """`kind` is ready, stage (progress), done (value), failed (code and text for a person).

    `parts` tells what the time went to: name, begin and end in nanoseconds since 1970, and seconds of processor time.
    """

    kind: str
    value: Any = None
    parts: list[tuple[str, int, int, float]] = []


class Child:
    """One process; `call` runs one stage in it."""

    def __init__(self, bounds: Bounds, key: bytes = b"") -> None:
        ours, theirs = socket.socketpair()
        told = (str(theirs.fileno()), str(os.getpid()), msgspec.json.encode(bounds).decode())
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-m", "server.jobs.child", *told],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
            env={**os.environ, **THREADS},
            start_new_session=True,
        )
        theirs.close()
        self._pipe = Connection(ours.detach())
        with contextlib.suppress(OSError):  # a child that is gone already is noticed with its first call
            self._pipe.send_bytes(key)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the process is still there."""
        return self._process.poll() is None

    def call(self, call: Call, deadline: float, progress: Callable[[str], None]) -> Any:
        """The stage's value; raises `Failure`, or `Crashed` when the process ended. `deadline` is monotonic time."""
        try:
            self._pipe.send_bytes(msgspec.msgpack.encode(call))
            while self._pipe.poll(max(0.0, deadline - time.monotonic())):
                reply = msgspec.msgpack.decode(self._pipe.recv_bytes(), type=Reply)
                for part, began, ended, cpu in reply.parts:
                    spans.past("child.part", began, ended, fhirwright__stage=part, fhirwright__cpu_seconds=cpu)
                if reply.kind == "done":
                    return reply.value
                if reply.kind == "failed":
                    raise Failure(*reply.value)
                if reply.kind == "stage":
                    progress(reply.value)
        except (EOFError, OSError):
            raise Crashed from None
        raise Overdue(
            "too-costly", "The document took longer than allowed. Send it in parts, or raise document_seconds."
        )

    def kill(self) -> None:
        """End the process and its group."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._pipe.close()


class Children:
    """At most `size` processes, kept warm between documents, replaced when one had to be ended."""

    def __init__(self, bounds: Bounds, size: int, key: bytes = b"") -> None:
        self.bounds = bounds
        self._model: Callable[[], str] = str
        self._key = key
        self._room = threading.BoundedSemaphore(size)
        self._lock = threading.Lock()
        self._idle: list[Child] = []
        self._busy: set[Child] = set()

    def follow(self, model: Callable[[], str]) -> None:
        """Ask before each stage which version of the model codes, so that another one codes the next document."""
        self._model = model

    def warm(self) -> None:
        """Start one process ahead of the first document."""
        with self._lock:
            if not self._idle:
                self._idle.append(Child(self.bounds, self._key))

    @contextlib.contextmanager
    def _child(self) -> Iterator[Child]:
        with self._room:
            with self._lock:
                while self._idle and not self._idle[-1].alive:
                    self._idle.pop().kill()
                child = self._idle.pop() if self._idle else Child(self.bounds, self._key)
                self._busy.add(child)
            sound = False
            try:
                yield child
                sound = True
            except Failure as failure:
                sound = not isinstance(failure, Overdue)
                raise
            finally:
                with self._lock:
                    self._busy.discard(child)
                    if sound:
                        self._idle.append(child)
                if not sound:
                    child.kill()

    def run(self, stage: str, *arguments: Any, progress: Callable[[str], None] = lambda _: None) -> Any:
        """The value of `stage(*arguments)` in a process of its own, twice tried; raises `Failure`."""
        deadline = time.monotonic() + self.bounds.seconds
        for _ in range(2):
            with contextlib.suppress(Crashed), self._child() as child, spans.span("child") as span:
                span.set(fhirwright__stage=stage)
                return child.call(Call(stage, list(arguments), self._model()), deadline, progress)
        raise Failure(
            "too-costly",
            "Reading the document ended its process twice, most likely for want of memory. "
            "Send it in parts or at less resolution, or raise document_memory_bytes.",
        )

    def close(self) -> None:
        """End all processes."""
        with self._lock:
            for child in [*self._idle, *self._busy]:
                child.kill()
            self._idle.clear()
