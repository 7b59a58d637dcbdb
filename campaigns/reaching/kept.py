"""What is answered later: jobs, their status, their files, exports and imports, of one's own and of others."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from campaigns.reaching import oracle, world
from campaigns.reaching.asking import Ask
from campaigns.reaching.ground import LATER, Ground, Job, below, is_service, sending, url_of
from campaigns.reaching.houses import HOSTS, replaced
from campaigns.reaching.judging import Finding
from campaigns.reaching.seats import SEATS, Seat
from campaigns.reaching.world import Json
from fhir_profiles import json

SYSTEM_OPERATIONS = ("$export", "Patient/$export", "Group/both/$export", "Group/b/$export")
_MARK = re.compile(rb"mark\d{5}x")
_EXPORTED = re.compile(r"/output/.*\.ndjson$")


class Kept(Ground):
    """Requests that leave something behind for their asker."""

    def _sent(self, ask: Ask, tenant: int) -> tuple[str, str, dict[str, Any]]:
        asked = replaced(ask.request, tenant)
        return asked.method, url_of(asked), sending(asked)

    def deferred(self, tenant: int, seat: Seat) -> Iterator[Finding]:
        """A request that is answered later, and what its asker finds then."""
        asker = self.asker
        ask = self.dice.choice([asker.read, asker.searching, asker.everything, asker.history, asker.graphql])()
        method, url, more = self._sent(ask, tenant)
        more.setdefault("headers", {}).update(LATER)
        yield from self.kick_off(tenant, seat, method, url, more)

    def kick_off(self, tenant: int, seat: Seat, method: str, url: str, more: dict[str, Any]) -> Iterator[Finding]:
        """A request that is answered later, its job, and what its asker finds; `begun` is the job, or None."""
        self.begun = None
        answer = self.ask(tenant, seat, method, url, **more)
        if answer.status_code != 202:
            yield from self.scan(tenant, seat, answer.content)
            return
        at = below(answer.headers["content-location"])
        self.houses.tenants[tenant].work()
        told = self.ask(tenant, seat, "GET", at)
        yield from self.scan(tenant, seat, told.content)
        found = json.decode(told.content) if told.status_code == 200 else {}
        listed = [*found.get("output", []), *found.get("error", []), *found.get("deleted", [])]
        files = tuple(below(one["url"]) for one in listed if isinstance(one, dict) and "url" in one)
        self.begun = Job(tenant, seat.name, at, files)
        self.jobs.append(self.begun)
        if len(self.jobs) > 60:
            self.jobs.pop(self.dice.randrange(60))

    def _job(self) -> Job | None:
        return self.dice.choice(self.jobs) if self.jobs else None

    def status(self, tenant: int, seat: Seat) -> Iterator[Finding]:
        """The status URL of a job, of one's own or of somebody else's, here or at the other tenant."""
        if (job := self._job()) is None:
            return
        seat = self._near(seat, job)
        own = job.tenant == tenant and seat.may_have(self.seats[job.seat])
        method = "GET" if own or self.dice.random() < 0.7 else "DELETE"
        answer = self.ask(tenant, seat, method, job.url)
        if own:
            yield from self.scan(tenant, seat, answer.content)
            return
        yield from self.hidden(answer, self.ask(tenant, seat, method, f"{job.url[:-12]}{'0' * 12}"))

    def file(self, tenant: int, seat: Seat) -> Iterator[Finding]:
        """A file that a job wrote, of one's own or of somebody else's."""
        jobs = [job for job in self.jobs if job.files]
        if not jobs:
            return
        job = self.dice.choice(jobs)
        seat = self._near(seat, job)
        url = self.dice.choice(job.files)
        answer = self.ask(tenant, seat, "GET", url)
        if job.tenant == tenant and seat.may_have(self.seats[job.seat]):
            yield from self.scan(tenant, seat, answer.content)
            return
        head, _, rest = url.removeprefix("$file/").partition("/")
        yield from self.hidden(answer, self.ask(tenant, seat, "GET", f"$file/{head[:-12]}{'0' * 12}/{rest}"))

    def _near(self, seat: Seat, job: Job) -> Seat:
        """Often a seat of the client whose job it is."""
        owner = self.seats[job.seat]
        return (
            self.dice.choice([one for one in SEATS if one.client == owner.client]) if self.dice.random() < 0.5 else seat
        )

    def export(self, tenant: int, seat: Seat) -> Iterator[Finding]:
        """An export: exactly what may be searched, in files that are the asker's."""
        if self.dice.random() < 0.6:
            seat = self.dice.choice([one for one in SEATS if is_service(one)])
        place = self.dice.choice(["$export", *SYSTEM_OPERATIONS])
        wanted = self.dice.choice(["", "Observation", "Patient,Observation", "Condition,DocumentReference,Binary"])
        url = f"{place}?_type={wanted}" if wanted else place
        yield from self.kick_off(tenant, seat, "GET", url, {"headers": {"prefer": "respond-async, handling=lenient"}})
        if self.begun is None:
            return
        if not is_service(seat):
            yield Finding("unrefused", "an export without scopes at system level")
            return
        house, shown = self.houses.tenants[tenant], set()
        for file in self.begun.files:
            body = self.ask(tenant, seat, "GET", file).content
            yield from self.scan(tenant, seat, body)
            shown |= set(_MARK.findall(body))
        if place != "$export":
            return
        types = set(wanted.split(",")) if wanted else set(world.TYPES)
        keys = self.eyes.keys(seat.holder, "s")
        newest = {key: versions[-1][0] for key, versions in house.past.versions.items()}
        due = {house.marks.get((kind, name, newest[kind, name])) for kind, name, n in keys if n == 0 and kind in types}
        if missing := due - shown - {None}:
            yield Finding("over-refusal", f"an export without {sorted(missing)[:3]}")  # type: ignore[type-var]

    def import_(self, tenant: int, seat: Seat) -> Iterator[Finding]:
        """Lines that are about anybody."""
        if self.dice.random() < 0.6:
            seat = self.dice.choice([one for one in SEATS if is_service(one)])
        lines = b"\n".join(json.encode(self._line()) for _ in range(self.dice.randint(1, 5))) + b"\n"
        yield from self._load(tenant, seat, lines, "application/fhir+ndjson")

    def reimport(self, tenant: int, seat: Seat) -> Iterator[Finding]:
        """The file of somebody's export: it is taken from one's own exports alone."""
        exports = [job for job in self.jobs if any(_EXPORTED.search(file) for file in job.files)]
        if not exports:
            return
        job = self.dice.choice(exports)
        if self.dice.random() < 0.8:
            seat = self.dice.choice([one for one in SEATS if oracle.may_some(one.holder, "Condition", "u")])
        if self.dice.random() < 0.7:
            tenant = job.tenant
        file = self.dice.choice([file for file in job.files if _EXPORTED.search(file)])
        part = [{"name": "url", "valueUrl": f"http://{HOSTS[tenant]}/fhir/{file}"}]
        body = json.encode({"resourceType": "Parameters", "parameter": [{"name": "input", "part": part}]})
        yield from self._load(tenant, seat, body, "application/fhir+json")
        if self.begun is None or (job.tenant == tenant and seat.may_have(self.seats[job.seat])):
            return
        if self.ask(tenant, seat, "GET", self.begun.url).status_code != 404:
            yield Finding("leak", "an import took the export of another")

    def _load(self, tenant: int, seat: Seat, body: bytes, form: str) -> Iterator[Finding]:
        """An import of lines, or of what is named."""
        more: dict[str, Any] = {"content": body, "headers": {**LATER, "content-type": form}}
        yield from self.kick_off(tenant, seat, "POST", "$import", more)
        yield from self.wrote(tenant, seat)

    def _line(self) -> Json:
        kind, name = self.asker.key()
        if self.dice.random() < 0.7:
            kind = self.dice.choice(["Observation", "Condition", "DocumentReference"])
            name = self.dice.choice(self.asker.ids[kind])
        return self.asker._resource(kind, name)
