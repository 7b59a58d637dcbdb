"""Work in processes of this machine: each opens once what the work needs, and one that is ended is replaced."""

from __future__ import annotations

import os
import signal
import threading
from multiprocessing import parent_process

from claims.run.processes import Pools
from fhir_profiles.errors import FhirError
from server.bulk.work import Chunk, Done, Work, Worker, done

_held: list[tuple[Work, Worker] | FhirError] = []


class BulkProcesses(Pools[Chunk, "Done | FhirError"]):
    """`count` of them."""

    def __init__(self, count: int, work: Work) -> None:
        super().__init__(count, "server.bulk.processes", _begin, work, _do)


def _begin(work: Work) -> None:
    os.environ["POLARS_MAX_THREADS"] = "1"
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the one who began the run hears it, and ends this process
    threading.Thread(target=_follow, daemon=True).start()
    try:
        _held[:] = [(work, work.open())]
    except FhirError as error:
        _held[:] = [error]  # told to the one who asks for work: a process that ends here would look like one killed


def _do(chunk: Chunk) -> Done | FhirError:
    if isinstance(held := _held[0], FhirError):
        return held
    work, worker = held
    return done(worker, work, chunk)


def _follow() -> None:
    """End with the process that began the run, however that ends."""
    if (parent := parent_process()) is not None:
        parent.join()
        os._exit(1)
