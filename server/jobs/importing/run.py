"""The job that imports: fetch each file into chunks, then store chunk after chunk, each in one transaction.

A line is a resource that keeps its id: run again, an import changes nothing. What could not be stored is told line by
line in an error file.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import Any

import msgspec

from fhir_profiles.errors import Category, FhirError
from server.interactions.content import instant
from server.interactions.fhir import Fhir
from server.jobs import chunks, later
from server.jobs.deflate import unpack
from server.jobs.engine import BULK, Interrupted
from server.jobs.importing.asked import Input, our_file, read_inputs
from server.jobs.importing.fetch import fetch
from server.jobs.importing.lines import cut, explain, read_lines, write_lines
from server.jobs.kinds import Kind, Work
from server.jobs.outside import Wall
from server.store import Tx

PER_INPUT = 1_000_000  # numbers of chunks that an input may have
_ERRORS = 1_000_000_000  # the number of a chunk's errors comes so far behind its own
_FILE = "errors"


class Import:
    """One import that runs."""

    def __init__(self, work: Work, found: later.Later) -> None:
        self.work = work
        self.request = found.asked
        self.store = work.fhir.store
        self.base = msgspec.structs.replace(self.request, prefer="return=minimal", content_type="", body=b"")
        self.counts: list[Counter[str]] = []
        self.errors: list[int] = []
        self.done = 0

    def run(self) -> str:
        """Fetch, store, and tell."""
        inputs = read_inputs(self.request, Wall(self.work.settings.inner_hosts))
        of = 0
        for number, one in enumerate(inputs):
            of += int(self.work.step(f"fetch-{number}", partial(self._fetch, number, one)))
        for number, one in enumerate(inputs):
            self._load(number, one, of)
        return str(self.work.tx_step("manifest", lambda tx: self._finish(tx, inputs)))

    def _fetch(self, number: int, one: Input) -> int:
        """Bring a file into the database; how many lines it has. An upload is there since the kick-off."""
        name = str(number)
        if one.url is not None:
            self.store.write_sync(lambda tx: _remove(tx, self.work.id, name))
            self._store_chunks(number, one.url)
        rows = self.store.query(
            "SELECT coalesce(sum(lines), 0) FROM later_chunk WHERE request = ? AND section = 'input' AND file = ?",
            (self.work.id, name),
        )
        return int(rows[0][0])

    def _store_chunks(self, number: int, url: str) -> None:
        settings = self.work.settings
        ours = our_file(url, self.request.base_url)
        if ours is None:
            parts = asyncio.run(fetch(Wall(settings.inner_hosts), url, settings.import_bytes, settings.data))
        else:
            parts = self._own(*ours)
        for at, lines in enumerate(cut(parts, settings.max_body_bytes)):
            self.store.write_sync(
                lambda tx, at=at, lines=lines: chunks.write_chunk(  # type: ignore[misc]
                    tx, self.work.id, number * PER_INPUT + at, ("input", str(number), ""), lines
                )
            )

    def _own(self, job: str, name: str) -> Iterator[bytes]:
        """A file that an export of ours wrote for the same client."""
        found = later.find(self.store, job)
        if found is None or found.who != self.request.who:
            raise FhirError.of(Category.NOT_FOUND, "not-found", "There is no such exported file.")
        for part in chunks.chunks_of(self.store, job, "output", name):
            yield unpack(chunks.read_chunk(self.store, job, part.n))

    def _load(self, number: int, one: Input, of: int) -> None:
        """Store the resources of a file."""
        counts: Counter[str] = Counter()
        failed, first = 0, 1
        for part in chunks.chunks_of(self.store, self.work.id, "input", str(number)):
            told = self._load_chunk(part.n, first, one, of)
            counts.update(told["counts"])
            failed += told["failed"]
            first += told["lines"]
            self.done += told["lines"]
        self.counts.append(counts)
        self.errors.append(failed)

    def _load_chunk(self, n: int, first: int, one: Input, of: int) -> dict[str, Any]:
        def prepare() -> tuple[int, list[Any]]:
            lines = unpack(chunks.read_chunk(self.store, self.work.id, n)).split(b"\n")[:-1]
            return len(lines), read_lines(self.work.fhir, lines, first, self.base, one.type)

        def write(tx: Tx, prepared: tuple[int, list[Any]]) -> dict[str, Any]:
            size, lines = prepared
            loaded = write_lines(tx, lines)
            if loaded.errors:
                told = [explain(number, problems) for number, problems in loaded.errors]
                file = ("error", f"{_FILE}.{n // PER_INPUT + 1}", "OperationOutcome")
                chunks.write_chunk(tx, self.work.id, _ERRORS + n, file, told)
            self.work.note_progress(tx, self.done + size, of)
            return {"counts": loaded.counts, "failed": len(loaded.errors), "lines": size}

        told: dict[str, Any] = self.work.tx_step(f"load-{n}", write, prepare)
        return told

    def _finish(self, tx: Tx, inputs: list[Input]) -> str:
        base = self.request.base_url
        output, errors = [], []
        for number, one in enumerate(inputs):
            named = {"inputUrl": one.url} if one.url else {}
            output += [{"type": kind, "count": count, **named} for kind, count in sorted(self.counts[number].items())]
            if self.errors[number]:
                url = f"{base}/$file/{self.work.id}/error/{_FILE}.{number + 1}.ndjson"
                errors.append({"type": "OperationOutcome", "count": self.errors[number], "url": url, **named})
        manifest = {
            "transactionTime": instant(tx.now).decode(),
            "request": f"{base}/$import",
            "requiresAccessToken": not self.work.settings.open,
            "output": output,
            "error": errors,
        }
        tx.execute("DELETE FROM later_chunk WHERE request = ? AND section = 'input'", (self.work.id,))
        later.finish(tx, self.work.id, msgspec.json.encode(manifest), self.work.settings)
        return "done"


def _remove(tx: Tx, request: str, name: str) -> None:
    tx.execute("DELETE FROM later_chunk WHERE request = ? AND section = 'input' AND file = ?", (request, name))


def run(work: Work) -> str:
    """Run an import; how it ended."""
    found = later.find(work.fhir.store, work.id)
    if found is None:
        raise Interrupted
    try:
        return Import(work, found).run()
    except FhirError as error:
        problem = error
        work.tx_step("refused", lambda tx: later.fail(tx, work.id, problem, work.settings))
        return "failed"


def _given_up(fhir: Fhir, tx: Tx, job_id: str) -> None:
    later.given_up(tx, job_id, fhir.settings)


KIND = Kind("import", run, BULK, _given_up)
