"""The job of `$reindex`: batch after batch, each in the transaction that records it; taken up again where it was."""

from __future__ import annotations

from typing import Any

from fhir_profiles import json
from fhir_profiles.errors import Problem, operation_outcome
from server.interactions.fhir import Fhir
from server.jobs import later
from server.jobs.kinds import Kind, Work
from server.search.reindex import Place, count, finish, index_batch, types_to_do
from server.store import Tx


def run(work: Work) -> str:
    """Index what the request names again; how it ended."""
    found = later.take(work)
    path = found.asked.path
    wanted = path[:1] if len(path) > 1 else ()
    store = work.fhir.store
    types = work.step("types", lambda: types_to_do(store, wanted))
    of = int(work.step("count", lambda: count(store, types)))
    done = 0
    for name in types:
        done = _type(work, name, done, of, found.asked.base_url)

    def close(tx: Tx) -> str:
        if not wanted:
            finish(tx)
        told = Problem("information", "informational", f"{done} resources were indexed again.")
        later.finish(tx, work.id, json.encode(operation_outcome([told])), work.settings)
        return "done"

    return str(work.tx_step("close", close))


def _type(work: Work, name: str, done: int, of: int, base_url: str) -> int:
    """Do one type; how many are done in all."""
    place: Place | None = Place(name)
    number = 0
    while place is not None:
        at, number = place, number + 1

        def batch(tx: Tx, at: Place = at) -> dict[str, Any] | None:
            after = index_batch(tx, work.fhir.indexing, at, base_url)
            if after is not None:
                work.note_progress(tx, done + after.done, of)
            return None if after is None else {"after": after.after, "done": after.done}

        told = work.tx_step(f"{name}-{number}", batch)
        place = None if told is None else Place(name, told["after"], told["done"])
    return done + at.done


def _given_up(fhir: Fhir, tx: Tx, job: str) -> None:
    later.given_up(tx, job, fhir.settings)


KIND = Kind("reindex", later.traced("reindex", run), given_up=_given_up)
"""Its request is kept with `later`, whose status URL tells of it."""
