"""Processes of this machine that work on chunks; where one is ended from outside, others take its place."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context, resource_tracker
from types import TracebackType
from typing import Any, Generic, Protocol, Self, TypeVar

from claims.run.counts import Counts
from claims.run.cut import Chunk
from claims.run.job import Job
from fhir_profiles.errors import Category, FhirError

_LOSSES = 8
"""How often a chunk may lose the process that works on it: then it may be what ends them."""


class Numbered(Protocol):
    """A piece of work: what goes to a process, by its number among the others."""

    @property
    def number(self) -> int:
        """Its place, from 0."""


Work = TypeVar("Work", bound=Numbered)
Value = TypeVar("Value")
Told = TypeVar("Told")
Running = dict[Future[Value], tuple[Work, int, ProcessPoolExecutor]]


class Pools(Generic[Work, Value]):
    """`count` processes. They come from a server of processes that has imported everything and used none of it.

    Each calls `begin(given)` once and `do(work)` for each piece; `preload` names the module that the server imports.
    A fork of the caller would be quicker still, but threads of Polars do not outlive a fork. Each process is a pool by
    itself: a pool ends all of its processes when one is lost.
    """

    def __init__(
        self, count: int, preload: str, begin: Callable[[Any], None], given: Any, do: Callable[[Work], Value]
    ) -> None:
        self._preload, self._begin, self._given, self._do = preload, begin, given, do
        self.pools = [self._pool() for _ in range(count)]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, _error: object, _trace: TracebackType | None) -> None:
        for pool in self.pools:
            for process in () if kind is None else tuple((pool._processes or {}).values()):
                process.terminate()  # what it was at is done by the run that goes on with this one
            pool.shutdown(wait=False, cancel_futures=True)
        for pool in self.pools:
            pool.shutdown(wait=True)

    def ask(self, function: Callable[[], Told]) -> Told:
        """What the first process answers."""
        for _ in range(_LOSSES):
            try:
                return self.pools[0].submit(function).result()
            except BrokenProcessPool:
                self._replace(0)
        raise _lost()

    def each(self, chunks: Iterator[Work]) -> Iterator[tuple[Work, Value]]:
        """Work on chunks; each as it is done."""
        running: Running[Value, Work] = {}
        losses: Counter[int] = Counter()
        while True:
            self._fill(running, chunks)
            if not running:
                return
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                chunk, at, pool = running.pop(future)
                try:
                    value = future.result()
                except BrokenProcessPool:
                    losses[chunk.number] += 1
                    if losses[chunk.number] > _LOSSES:
                        raise _lost() from None
                    if pool is self.pools[at]:
                        self._replace(at)
                    self._send(running, chunk, at)
                    continue
                yield chunk, value

    def _fill(self, running: Running[Value, Work], chunks: Iterator[Work]) -> None:
        """Give a chunk to each process that has none; none waits for a process, so none is left over at the end."""
        busy = {at for _, at, _ in running.values()}
        for at in range(len(self.pools)):
            if at not in busy and (chunk := next(chunks, None)) is not None:
                self._send(running, chunk, at)

    def _send(self, running: Running[Value, Work], chunk: Work, at: int) -> None:
        try:
            future = self.pools[at].submit(self._do, chunk)
        except BrokenProcessPool:  # it was lost while it had nothing to do
            self._replace(at)
            future = self.pools[at].submit(self._do, chunk)
        running[future] = chunk, at, self.pools[at]

    def _replace(self, at: int) -> None:
        self.pools[at].shutdown(wait=True, cancel_futures=True)
        self.pools[at] = self._pool()

    def _pool(self) -> ProcessPoolExecutor:
        context = get_context("forkserver")
        context.set_forkserver_preload([self._preload])
        pool = ProcessPoolExecutor(1, context, self._begin, (self._given,))
        with deaf():
            pool.submit(_ready)  # it begins now, not with the first chunk
        return pool


@contextmanager
def deaf() -> Iterator[None]:
    """Processes that begin meanwhile never hear Ctrl-C, and so tell no traceback; this one hears it afterwards."""
    resource_tracker.ensure_running()  # beginning later it would lift what is set here
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class Processes(Pools[Chunk, Counts]):
    """`job.processes` that work on claims."""

    def __init__(self, job: Job) -> None:
        super().__init__(job.processes, "claims.run.worker", _begin, job, _do)

    def told(self) -> dict[str, Any]:
        """What the work rests on, as the first process says."""
        return self.ask(_tell)

    def kept(self, chunks: Iterator[Chunk]) -> Iterator[tuple[Chunk, Counts]]:
        """Work on chunks; each as it is done and written."""
        return self.each(chunks)


def _lost() -> FhirError:
    text = "Processes of the run were ended from outside again and again, perhaps for want of memory: "
    return FhirError.of(Category.UNAVAILABLE, "transient", text + "run again with fewer; what is done is kept")


def _begin(job: Job) -> None:
    from claims.run.worker import begin

    begin(job)


def _ready() -> None:
    """Nothing: a process that does it has begun."""


def _tell() -> dict[str, Any]:
    from claims.run.worker import tell

    return tell()


def _do(chunk: Chunk) -> Counts:
    from claims.run.worker import do

    return do(chunk)
