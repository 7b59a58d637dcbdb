"""The job that takes many claims in: it fetches them, cuts them into chunks and queues a job for each chunk.

The chunks may be worked on by several workers at once; whoever finishes the last one writes the manifest.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import Any

import msgspec

from server.jobs import chunks, later
from server.jobs.claiming import bulk_chunk
from server.jobs.claiming.bulk_asked import MEASURE, Bulk, read_bulk
from server.jobs.claiming.bulk_plan import PLAN, Piece, Plan
from server.jobs.claiming.desk import desk_of
from server.jobs.importing.inputs import bring
from server.jobs.kinds import Work
from server.jobs.outside import Wall
from server.store import Tx


def _run(work: Work, found: later.Later) -> str:
    """Bring the claims in and queue their chunks; how it ended."""
    asked = read_bulk(found.asked, Wall(work.settings.inner_hosts))
    for number, url in enumerate(asked.urls):
        work.step(f"fetch-{number}", partial(bring, work, found.asked, number, url, MEASURE))
    rests: dict[str, Any] = work.step("rests", lambda: _rests(work, asked))

    def queue(tx: Tx) -> str:
        pieces = _pieces(tx, work.id, len(asked.urls))
        plan = Plan(rests["fingerprint"], rests["on"], asked.responses, asked.urls, pieces)
        chunks.write_part(tx, work.id, PLAN, ("plan", "plan", ""), msgspec.json.encode(plan), 1)
        for at in range(len(pieces)):
            work.jobs.enqueue(tx, bulk_chunk.KIND.job(f"{work.id}/{at}"))
        work.note_progress(tx, 0, sum(piece.lines for piece in pieces))
        if not pieces:
            bulk_chunk.finish(work, tx, work.id, plan)
        return "queued"

    return str(work.tx_step("queue", queue))


def _rests(work: Work, asked: Bulk) -> dict[str, Any]:
    """What every chunk must rest on: the rules and tables of this moment, and one day."""
    on = asked.on or datetime.now(UTC).date().isoformat()
    return {"fingerprint": desk_of(work).scrub().stamp.fingerprint, "on": on}


def _pieces(tx: Tx, job: str, inputs: int) -> list[Piece]:
    pieces = []
    for number in range(inputs):
        first = 1
        sql = "SELECT n, lines FROM later_chunk WHERE request = ? AND section = 'input' AND file = ? ORDER BY n"
        for n, lines in tx.query(sql, (job, str(number))):
            pieces.append(Piece(n, number, first, lines))
            first += lines
    return pieces


KIND = later.kind("claim_bulk", _run)
