"""`claims run` on a Ray cluster: nodes get rules and tables and the bytes of chunks; everything is written here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from claims.answer.scrub import Scrub
from claims.learn.score import Scorer
from claims.run.chunk import Made, keep, made
from claims.run.counts import Counts
from claims.run.cut import Chunk, read
from claims.run.job import Job
from claims.run.worker import about, scorer_of
from server.bulk.cluster import Cluster


class Sent(msgspec.Struct, frozen=True):
    """A chunk with its bytes."""

    chunk: Chunk
    body: bytes
    on: str
    responses: bool

    @property
    def number(self) -> int:
        """The place of the chunk."""
        return self.chunk.number


class ClaimsCrew(Cluster[Sent, tuple[dict[str, bytes], bytes, Counts]]):
    """Those who work on the claims of a job."""

    def __init__(self, job: Job, address: str) -> None:
        scrub, scorer = Scrub.open(job.data, job.mine), scorer_of(job)
        self.job, self.rests = job, about(scrub, scorer)
        model = None if scorer is None else scorer.model
        super().__init__(address, _opened, (list(scrub.edits.rules), dict(scrub.edits.tables), model))

    def __enter__(self) -> ClaimsCrew:
        return self

    def told(self) -> dict[str, Any]:
        """What the work rests on."""
        return self.rests

    def kept(self, chunks: Iterator[Chunk]) -> Iterator[tuple[Chunk, Counts]]:
        """Work on chunks; each as it is done and written here."""
        job = self.job
        tasks = (Sent(chunk, read(job.file, chunk), job.on, job.responses) for chunk in chunks)
        for task, value in self.each(tasks):
            yield task.chunk, keep(job.out, task.chunk, Made(*value))


def _opened(given: Any) -> Callable[[Sent], tuple[dict[str, bytes], bytes, Counts]]:
    rules, tables, model = given
    scrub = Scrub.over(tables, rules)
    scorer = None if model is None else Scorer(model)

    def do(task: Sent) -> tuple[dict[str, bytes], bytes, Counts]:
        found = made(scrub, task.body, task.chunk, task.on, responses=task.responses, scorer=scorer)
        return found.files, found.marks, found.counts

    return do
