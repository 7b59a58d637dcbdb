"""The job that exports: pages of searches become chunks of files, each in the transaction that records it.

What is exported is the store as it stood at `transactionTime`. A resource that was not changed since is found by the
walks; for one that was, the version of that moment is taken from the history once the walks are over.
https://hl7.org/fhir/uv/bulkdata/STU2/export.html
"""

from __future__ import annotations

import secrets
from datetime import date
from functools import cached_property
from typing import Any

import msgspec

from fhir_profiles import json
from fhir_profiles.errors import FhirError, Problem, operation_outcome
from server.jobs import chunks, later
from server.jobs.exporting.asked import read_asked, stamp
from server.jobs.exporting.changed import versions_then
from server.jobs.exporting.clean import Cleaning
from server.jobs.exporting.moment import settled_moment
from server.jobs.exporting.pages import Pages, id_of, updated_of
from server.jobs.exporting.walks import Walk, is_inside, members, walks_of, with_elements
from server.jobs.kinds import Work
from server.operations.standins import Seals
from server.store import Tx

FILES = "$file"
_COUNTED = 400  # walks that are counted beforehand, so that progress has an end


class Shown(msgspec.Struct, frozen=True):
    """Lines for a file, the ids that they are stored under, and how many the gate kept back."""

    ids: list[str]
    lines: list[bytes]
    left_out: int


class Export:
    """One export that runs: where it is stands in the records of its steps."""

    def __init__(self, work: Work, found: later.Later) -> None:
        self.work = work
        self.request = found.asked
        self.asked = read_asked(self.request)
        self.pages = Pages(work.fhir, self.request)
        self.n = 0
        self.lines: dict[str, int] = {}
        self.done = 0
        self.of = 0
        self.left_out = 0

    @cached_property
    def patients(self) -> list[str] | None:
        """The patients it is limited to: as the group stood when the export began."""
        found: list[str] | None = self.work.step("patients", lambda: members(self.work.fhir, self.request, self.asked))
        return found

    @cached_property
    def moment(self) -> str:
        """`transactionTime`."""
        return str(self.work.step("moment", lambda: stamp(settled_moment(self.work.fhir.store))))

    @cached_property
    def cleaning(self) -> Cleaning | None:
        """What makes the lines clean, if that is asked for; the key is drawn once and goes with the job, or stays."""
        if not self.asked.deidentified:
            return None
        today = date.fromisoformat(self.moment[:10])
        if self.asked.deidentified == "stable":
            return Cleaning(self.work, self.request, Seals(self.work.settings).stable, today)
        key = str(self.work.step("key", lambda: secrets.token_hex(32)))
        return Cleaning(self.work, self.request, bytes.fromhex(key), today)

    def run(self) -> str:
        """Write every file and the manifest."""
        walks = walks_of(self.asked, self.patients)
        moment = self.moment
        self.of = int(self.work.step("count", lambda: self._count(walks)))
        for number, walk in enumerate(walks):
            self._walk(number, walk)
        self._catch_up(moment)
        if self.asked.since:
            self._deleted(moment)
        if self.asked.problems or self.left_out:
            self._write("problems", ("error", "OperationOutcome", "OperationOutcome"), self._problems)
        return str(self.work.tx_step("manifest", self._finish))

    def _count(self, walks: list[Walk]) -> int:
        if len(walks) > _COUNTED:
            return 0
        return sum(self.pages.count(walk.type, walk.pairs) for walk in walks)

    def _walk(self, number: int, walk: Walk) -> None:
        cursor: str | None = None
        for page in range(10**9):
            told = self._page(f"walk-{number}-{page}", walk, cursor)
            cursor = told["cursor"]
            if cursor is None:
                return

    def _page(self, step: str, walk: Walk, cursor: str | None) -> dict[str, Any]:
        def prepare() -> tuple[Shown, str | None]:
            page = self.pages.search(walk.type, walk.pairs, cursor)
            lines = [line for line in page.resources if self._is_in_time(line)]
            if lines and not walk.first:
                known = self._known(walk.type, [id_of(line) for line in lines])
                lines = [line for line in lines if id_of(line) not in known]
            return self._shown(walk.type, lines), page.cursor

        def write(tx: Tx, prepared: tuple[Shown, str | None]) -> dict[str, Any]:
            shown, after = prepared
            self._put(tx, walk.type, shown)
            return {"lines": len(shown.lines), "left_out": shown.left_out, "cursor": after}

        told: dict[str, Any] = self.work.tx_step(step, write, prepare)
        self._account(walk.type, told)
        return told

    def _shown(self, resource_type: str, lines: list[bytes]) -> Shown:
        """Lines as the files have them, with the ids that they are stored under."""
        ids, shown = [], []
        for line in lines:
            kept: bytes | None = with_elements(self.asked, line, resource_type)
            if kept is not None and self.cleaning is not None:
                kept = self.cleaning.line(kept)
            if kept is not None:
                ids.append(id_of(line))
                shown.append(kept)
        return Shown(ids, shown, len(lines) - len(shown))

    def _put(self, tx: Tx, resource_type: str, shown: Shown) -> None:
        """Add a chunk to the file of the type that is being filled."""
        lines = shown.lines
        self.work.note_progress(tx, self.done + len(lines), max(self.of, self.done + len(lines)))
        if not lines:
            return
        part = self.lines.get(resource_type, 0) // self.work.settings.export_lines + 1
        file = ("output", f"{resource_type}.{part}", resource_type)
        chunks.write_chunk(tx, self.work.id, self.n, file, lines, (min(shown.ids), max(shown.ids)))

    def _account(self, resource_type: str, told: dict[str, Any]) -> None:
        """Count what a step has written, when it runs and when its record is read again."""
        lines = int(told["lines"])
        self.left_out += int(told["left_out"])
        self.lines[resource_type] = self.lines.get(resource_type, 0) + lines
        self.done += lines
        self.n += lines > 0

    def _is_in_time(self, line: bytes) -> bool:
        updated = updated_of(line)
        return updated <= self.moment and (self.asked.until is None or updated < self.asked.until)

    def _known(self, resource_type: str, ids: list[str]) -> set[str]:
        """Those of some ids that are in the files of a type already."""
        found = chunks.ids_around(self.work.fhir.store, self.work.id, resource_type, min(ids), max(ids))
        return {one for one in ids if (self.cleaning.renamed(one) if self.cleaning else one) in found}

    def _catch_up(self, moment: str) -> None:
        """Export what was changed since the moment as it was then, unless a walk had found it before the change."""
        found = self.work.step("changed", lambda: versions_then(self.pages, self.asked.types, moment))
        for at in range(0, len(found), self.work.settings.max_count):
            some = found[at : at + self.work.settings.max_count]
            for name in dict.fromkeys(kind for kind, _, _ in some):
                self._then(f"then-{at}-{name}", name, [(i, v) for kind, i, v in some if kind == name])

    def _then(self, step: str, resource_type: str, versions: list[tuple[str, int]]) -> None:
        def prepare() -> Shown:
            lines = [line for name, number in versions if (line := self._version(resource_type, name, number))]
            return self._shown(resource_type, lines)

        def write(tx: Tx, shown: Shown) -> dict[str, int]:
            self._put(tx, resource_type, shown)
            return {"lines": len(shown.lines), "left_out": shown.left_out}

        self._account(resource_type, self.work.tx_step(step, write, prepare))

    def _version(self, resource_type: str, name: str, number: int) -> bytes | None:
        """A version of before the moment, if the export wants it and does not have it."""
        try:
            line = self.pages.version(resource_type, name, number)
        except FhirError:  # it was deleted then
            return None
        wanted = self._is_in_time(line) and (self.asked.since is None or updated_of(line) > self.asked.since)
        if not wanted or not is_inside(self.asked, self._members, line):
            return None
        if not self._matches(resource_type, line) or self._known(resource_type, [name]):
            return None
        return line

    @cached_property
    def _members(self) -> frozenset[str] | None:
        return None if self.patients is None else frozenset(self.patients)

    def _matches(self, resource_type: str, line: bytes) -> bool:
        from server.subscriptions.matching import Candidate, matches

        filters = self.asked.filters.get(resource_type)
        if not filters:
            return True
        candidate = Candidate.of(line, self.request.base_url)
        return any(matches(self.work.fhir, candidate, pairs, self.request.caller) for pairs in filters)

    def _deleted(self, moment: str) -> None:
        """The files of what was deleted since `_since`: Bundles of DELETE requests."""
        from server.jobs.exporting.changed import deleted_since

        def lines() -> list[bytes]:
            found = deleted_since(self.pages, self.asked, self._members, moment)
            if self.cleaning is not None:
                found = [(kind, self.cleaning.renamed(name)) for kind, name in found]
            return [deletions(found[at : at + 1000]) for at in range(0, len(found), 1000)]

        self._write("deleted", ("deleted", "Bundle", "Bundle"), lines)

    def _problems(self) -> list[bytes]:
        problems = list(self.asked.problems)
        if self.left_out:
            text = f"Left out because the last gate would not let them go: {self.left_out} resources."
            problems.append(Problem("warning", "suppressed", text))
        return [json.encode(operation_outcome([problem])) for problem in problems]

    def _write(self, step: str, file: tuple[str, str, str], lines: Any) -> None:
        def write(tx: Tx, made: list[bytes]) -> int:
            if made:
                chunks.write_chunk(tx, self.work.id, self.n, file, made)
            return len(made)

        self.n += int(self.work.tx_step(step, write, lines)) > 0

    def _finish(self, tx: Tx) -> str:
        later.finish(tx, self.work.id, self._manifest(tx), self.work.settings)
        return "done"

    def _manifest(self, tx: Tx) -> bytes:
        base, query = self.request.base_url, self.request.query
        url = "/".join((base, *self.request.path))
        sections: dict[str, list[dict[str, Any]]] = {"output": [], "deleted": [], "error": []}
        for file in chunks.files(tx, self.work.id):
            link = f"{base}/{FILES}/{self.work.id}/{file.section}/{file.name}.ndjson"
            sections[file.section].append({"type": file.type, "url": link, "count": file.lines})
        if not self.asked.since:
            del sections["deleted"]
        told = {
            "transactionTime": self.moment,
            "request": url + ("?" + _encoded(query) if query else ""),
            "requiresAccessToken": not self.work.settings.open,
            **sections,
        }
        return msgspec.json.encode(told)


def _encoded(query: tuple[tuple[str, str], ...]) -> str:
    from urllib.parse import quote

    return "&".join(f"{quote(name, safe=':')}={quote(value, safe=':/,|')}" for name, value in query)


def deletions(found: list[tuple[str, str]]) -> bytes:
    """A transaction that deletes resources."""
    entries = [{"request": {"method": "DELETE", "url": f"{kind}/{name}"}} for kind, name in found]
    return json.encode({"resourceType": "Bundle", "type": "transaction", "entry": entries})


KIND = later.kind("export", lambda work, found: Export(work, found).run())
