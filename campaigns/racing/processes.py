"""Processes with a server each, which start every round of a race together."""

from __future__ import annotations

import asyncio
import multiprocessing
import time
from collections import Counter
from collections.abc import Sequence
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from typing import Any, Self

from campaigns.racing.judging import TURNED_AWAY, wrongs
from campaigns.racing.rounds import ACTS, Done
from server.interactions.fhir import Fhir
from server.settings import Settings
from server.store import Store, open_store

_SECONDS = 120


def _serve(url: str, who: int, barrier: Barrier, pipe: Connection) -> None:
    """One process: does what it is told to, at the same moment as the others."""
    store = open_store(url, create=False)
    fhir = Fhir(store, Settings())

    async def rounds() -> None:
        while (told := pipe.recv()) is not None:
            kind, number = told
            barrier.wait(_SECONDS)
            pipe.send(await ACTS[kind](fhir, number, who))

    try:
        asyncio.run(rounds())
    finally:
        store.close()


class Race:
    """Several processes over one database, and what came of their rounds."""

    def __init__(self, url: str, processes: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._barrier = context.Barrier(processes)  # kept: who opens it does so by name
        self.store: Store = open_store(url, create=False)
        self.rounds: Counter[str] = Counter()
        self.requests: Counter[str] = Counter()
        self.turned_away: Counter[str] = Counter()
        self.seconds: Counter[str] = Counter()
        self.wrong: list[str] = []
        self._pipes: list[Connection] = []
        self._processes: list[Any] = []
        for who in range(processes):
            ours, theirs = context.Pipe()
            process = context.Process(target=_serve, args=(url, who, self._barrier, theirs), daemon=True)
            process.start()
            self._pipes.append(ours)
            self._processes.append(process)

    def __enter__(self) -> Self:
        """The race, with its processes running."""
        return self

    def run(self, kinds: Sequence[str], rounds: int) -> None:
        """Run so many rounds of each kind, and judge every one."""
        for number in range(rounds):
            for at, kind in enumerate(kinds):
                self._round(kind, number * len(kinds) + at)

    def _round(self, kind: str, number: int) -> None:
        began = time.monotonic()
        for pipe in self._pipes:
            pipe.send((kind, number))
        answers: list[Done] = []
        for pipe in self._pipes:
            if not pipe.poll(_SECONDS):
                raise TimeoutError(f"a round of {kind} did not end")
            answers += pipe.recv()
        self.seconds[kind] += time.monotonic() - began  # type: ignore[assignment]
        self.rounds[kind] += 1
        self.requests[kind] += len(answers)
        self.turned_away[kind] += sum(done.status in TURNED_AWAY for done in answers)
        self.wrong += [f"{kind} {number}: {text}" for text in wrongs(self.store, kind, number, answers)]

    def __exit__(self, *_: object) -> None:
        """End the processes."""
        for pipe in self._pipes:
            pipe.send(None)
        for process in self._processes:
            process.join(30)
        self.store.close()
