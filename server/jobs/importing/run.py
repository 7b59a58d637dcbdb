"""The job that imports: fetch each file into chunks, then store chunk after chunk, each in one transaction.

A line is a resource that keeps its id: run again, an import changes nothing. What could not be stored is told line by
line in an error file.
"""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import Any

import msgspec

from server.interactions.content import instant
from server.jobs import chunks, later
from server.jobs.deflate import unpack
from server.jobs.importing.asked import Input, read_inputs
from server.jobs.importing.inputs import PER_INPUT, bring
from server.jobs.importing.lines import explain, read_lines, write_lines
from server.jobs.kinds import Work
from server.jobs.outside import Wall
from server.store import Tx

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
            of += int(self.work.step(f"fetch-{number}", partial(bring, self.work, self.request, number, one.url)))
        for number, one in enumerate(inputs):
            self._load(number, one, of)
        return str(self.work.tx_step("manifest", lambda tx: self._finish(tx, inputs)))

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


KIND = later.kind("import", lambda work, found: Import(work, found).run())
