"""A process that works on chunks: rules and tables are opened once, and it ends with the one that began the run."""

from __future__ import annotations

import gc
import os
import signal
import threading
from multiprocessing import parent_process
from typing import Any

from claims.answer.scrub import Scrub
from claims.learn.score import Scorer
from claims.run.chunk import work
from claims.run.counts import Counts
from claims.run.cut import Chunk
from claims.run.job import Job

_held: list[tuple[Job, Scrub, Scorer | None] | Exception] = []


def begin(job: Job) -> None:
    """Open rules and tables; Polars takes one thread, for there is a process for each core."""
    os.environ["POLARS_MAX_THREADS"] = "1"
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the one who began the run hears it, and ends this process
    threading.Thread(target=_follow, daemon=True).start()
    try:
        scrub = Scrub.open(job.data, job.mine)
        _ = scrub.stamp.fingerprint
        _held[:] = [(job, scrub, scorer_of(job))]
    except Exception as error:
        _held[:] = [error]  # told to the one who asks for work: a process that ends here would look like one killed
    gc.collect()
    gc.freeze()  # rules and tables never change: collections need not look at them again
    gc.disable()


def tell() -> dict[str, Any]:
    """What the work rests on."""
    return about(*_opened()[1:])


def scorer_of(job: Job) -> Scorer | None:
    """The model of a run, open."""
    return None if job.model is None else Scorer.open(job.model)


def about(scrub: Scrub, scorer: Scorer | None) -> dict[str, Any]:
    """What a run rests on: as the stamp has it, the hash of the model, and what each rule says."""
    sentences = {rule.id: (rule.severity, rule.sentence) for rule in scrub.edits.rules}
    model = {} if scorer is None else {"model": scorer.model.digest}
    return {**scrub.stamp.told(), **model, "sentences": sentences}


def do(chunk: Chunk) -> Counts:
    """Work on a chunk and write what comes of it."""
    job, scrub, scorer = _opened()
    counts = work(scrub, job.file, chunk, job.out, job.on, responses=job.responses, scorer=scorer)
    gc.collect()
    return counts


def _opened() -> tuple[Job, Scrub, Scorer | None]:
    if isinstance(held := _held[0], Exception):
        raise held
    return held


def _follow() -> None:
    """End with the process that began the run, however that ends."""
    if (parent := parent_process()) is not None:
        parent.join()
        os._exit(1)
