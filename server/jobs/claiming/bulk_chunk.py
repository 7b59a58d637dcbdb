"""The job of one chunk of many claims: through the kernel, and every file of it in the transaction that records it."""

from __future__ import annotations

from typing import Any

import msgspec
import orjson

from claims.run.chunk import Made, made
from claims.run.counts import Counts
from claims.run.cut import Chunk
from fhir_profiles.errors import Category, FhirError, Problem
from server.interactions.content import instant
from server.interactions.fhir import Fhir
from server.jobs import chunks, later
from server.jobs.claiming.bulk_plan import Piece, Plan, number, read_plan
from server.jobs.claiming.desk import desk_of
from server.jobs.claiming.follow import Follow
from server.jobs.deflate import unpack
from server.jobs.engine import BULK, Interrupted
from server.jobs.importing.lines import explain
from server.jobs.kinds import Kind, Work
from server.store import Tx

FILES = "$file"
_LEFT = "SELECT coalesce(sum(lines), 0), count(*) FROM later_chunk WHERE request = ? AND section = 'input'"


def run(work: Work) -> str:
    """Do a chunk; how it ended."""
    job, _, place = work.id.partition("/")
    at, store = int(place), work.fhir.store
    if later.take(work, job).state != later.ACCEPTED:
        raise Interrupted
    try:
        plan = read_plan(store, job)

        def prepare() -> Made:
            return _made(work, plan, plan.pieces[at], unpack(chunks.read_chunk(store, job, plan.pieces[at].n)))

        return str(work.tx_step("chunk", lambda tx, made: _keep(work, tx, job, plan, at, made), prepare))
    except LookupError:  # removed meanwhile
        raise Interrupted from None
    except FhirError as error:
        problem = error
        work.tx_step("refused", lambda tx: later.fail(tx, job, problem, work.settings))
        return "failed"


def _made(work: Work, plan: Plan, piece: Piece, body: bytes) -> Made:
    scrub = desk_of(work).scrub()
    if scrub.stamp.fingerprint != plan.fingerprint:
        text = "Rules or tables were loaded while the claims were worked on. Send them again."
        raise FhirError.of(Category.CONFLICT, "business-rule", text)
    chunk = Chunk(piece.n, piece.first, piece.lines, 0, len(body))
    return made(scrub, body, chunk, plan.on, responses=plan.responses)


def _keep(work: Work, tx: Tx, job: str, plan: Plan, at: int, made: Made) -> str:
    tx.lock(f"claims {job}")  # so that one of the chunks sees that it is the last
    found = later.find(tx, job)
    if found is None or found.state != later.ACCEPTED:
        return "removed"
    _write(tx, job, plan, at, made)
    _follow(work.fhir, tx, made.files.get("responses", b""))
    tx.execute("DELETE FROM later_chunk WHERE request = ? AND n = ?", (job, plan.pieces[at].n))
    [(left, pieces)] = tx.query(_LEFT, (job,))
    of = sum(piece.lines for piece in plan.pieces)
    work.jobs.note_progress(tx, job, of - int(left), of)
    if not pieces:
        finish(work, tx, job, plan)
    return "done"


def _write(tx: Tx, job: str, plan: Plan, at: int, made: Made) -> None:
    files = {
        "findings": ("output", f"findings.{at:06}.parquet", "findings"),
        "prices": ("output", f"prices.{at:06}.parquet", "prices"),
        "responses": ("output", "ClaimResponse", "ClaimResponse"),
        "rejected": ("error", f"rejected.{plan.pieces[at].input + 1}", "OperationOutcome"),
        "counts": ("counts", "counts", ""),
    }
    rejected = b"".join(_refusal(line) + b"\n" for line in made.files["rejected"].splitlines())
    content = {**made.files, "rejected": rejected, "counts": msgspec.json.encode(made.counts)}
    for kind, part in content.items():
        if part:
            lines = 1 if kind in ("findings", "prices") else part.count(b"\n")
            chunks.write_part(tx, job, number(at, kind), files[kind], part, lines)


def _refusal(line: bytes) -> bytes:
    told = orjson.loads(line)
    return explain(told["line"], (Problem("error", "invalid", told["error"]),))


def _follow(fhir: Fhir, tx: Tx, responses: bytes) -> None:
    """Keep the Tasks of the claims that this server holds."""
    follow = Follow(fhir)
    told = [orjson.loads(line) for line in responses.splitlines()]
    follow.prefetch(tx, told)
    for response in told:
        follow.follow(tx, {**response, "id": None})  # it is in the file, not in the store


def finish(work: Work, tx: Tx, job: str, plan: Plan) -> None:
    """Write the manifest: every file, and what the claims came to."""
    found = later.find(tx, job)
    if found is None:
        return
    base = found.asked.base_url
    sections: dict[str, list[dict[str, Any]]] = {"output": [], "error": []}
    for file in chunks.files(tx, job):
        if file.section in sections:
            table = file.name.endswith(".parquet")
            url = f"{base}/{FILES}/{job}/{file.section}/{file.name}{'' if table else '.ndjson'}"
            one = {"type": file.type, "url": url, **({} if table else {"count": file.lines})}
            sections[file.section].append(one)
    told = {
        "transactionTime": instant(found.created * 1000).decode(),
        "request": f"{base}/Claim/$submit-bulk",
        "requiresAccessToken": not work.settings.open,
        **{name: sorted(files, key=lambda one: one["url"]) for name, files in sections.items()},
        "summary": {"on": plan.on, **_summary(tx, job), **desk_of(work).scrub().stamp.told()},
    }
    tx.execute("DELETE FROM later_chunk WHERE request = ? AND section IN ('plan', 'counts')", (job,))
    later.finish(tx, job, msgspec.json.encode(told), work.settings)


def _summary(tx: Tx, job: str) -> dict[str, Any]:
    total = Counts()
    for part in chunks.chunks_of(tx, job, "counts", "counts"):
        total.add(msgspec.json.decode(unpack(chunks.read_chunk(tx, job, part.n)), type=Counts))
    counts = msgspec.to_builtins(total)
    del counts["rules"]
    return {
        "counts": counts,
        "by_rule": [{"rule": rule, **msgspec.to_builtins(broken)} for rule, broken in total.top()],
    }


def _given_up(fhir: Fhir, tx: Tx, job_id: str) -> None:
    later.given_up(tx, job_id.partition("/")[0], fhir.settings)


KIND = Kind("claim_bulk_chunk", later.traced("claim_bulk_chunk", run), BULK, _given_up)
