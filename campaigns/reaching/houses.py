"""Two tenants that hold the same world under the same ids, behind their host names, each with its worker and post."""

from __future__ import annotations

import asyncio
import base64
import json as plain_json
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import httpx
import msgspec

from campaigns.reaching import world
from campaigns.reaching.seats import SEATS, Seat, roles_toml
from campaigns.reaching.servers import Key, Past, past
from campaigns.reaching.world import BASE, Json
from fhir_profiles import json
from fhir_profiles.errors import FhirError
from server.access.caller import ANYBODY
from server.app import create_app
from server.auth import keep, memo
from server.auth.model import Authorization, Broken, Client, Context, Person, Token
from server.auth.secrets import digest, hash_password
from server.interactions.exchange import Request
from server.jobs.engine import Interrupted
from server.jobs.kinds import Work, patient_write
from server.jobs.registered import background_kinds
from server.settings import Settings
from server.subscriptions import deliver, outbox
from server.subscriptions.deliver import Deliverer
from server.tenants import FOLDER, Tenants, open_tenants

HOSTS = ("north.example", "south.example")
OWN = "own.example"
APART = 50_000
"""How far the marks of the second tenant are from those of the first."""

SECRET = "a secret of forty characters, as it might be"
_MARK = re.compile(r"mark(\d{5})x")
_PACKED = re.compile(rb'"(?:data|query)":"([A-Za-z0-9+/=]{4,})"')


class AtOnce:
    """The steps of a job that runs at once and to its end."""

    def __init__(self, store: Any) -> None:
        self._write = patient_write(store)

    def step(self, _name: str, function: Callable[[], Any]) -> Any:
        """What the function gives, as it would be after a restart."""
        return plain_json.loads(plain_json.dumps(function()))

    def tx_step(self, name: str, operation: Callable[..., Any], prepare: Callable[[], Any] | None = None) -> Any:
        """The same in a transaction."""

        def run() -> Any:
            prepared = () if prepare is None else (prepare(),)
            return self._write(lambda tx: operation(tx, *prepared))

        return self.step(name, run)


class Echo:
    """In place of the processes that code a document: what they were given."""

    def run(self, _stage: str, data: bytes, document: bytes | None, _now: str | None) -> bytes:
        """A resource with the file and the document."""
        told = {
            "resourceType": "Basic",
            "data": base64.b64encode(data).decode(),
            "about": json.decode(document or b"{}"),
        }
        return json.encode(told)

    def close(self) -> None:
        """There is nothing to end."""


@dataclass
class Tenant:
    """One tenant: the world in it, the tokens of its seats, and what it sent to subscribers."""

    host: str
    app: Any
    settings: Settings
    past: Past = field(default_factory=lambda: Past({}))
    tokens: dict[str, str] = field(default_factory=dict)
    sent: list[tuple[str, bytes]] = field(default_factory=list)
    known: dict[Key, int] = field(default_factory=dict)
    marks: dict[tuple[str, str, int], bytes] = field(default_factory=dict)
    later: dict[bytes, Json] = field(default_factory=dict)
    """Versions that were written for a moment, by their marks."""

    def __post_init__(self) -> None:
        self.fhir = self.app.state.fhir
        self.store = self.fhir.store
        self.tag = self.host.partition(".")[0] + "-"
        """What stands in the name of every client and person of this tenant and of no other."""

        self.kinds = {kind.name: kind for kind in background_kinds()}
        self.deliverer = Deliverer(self.fhir, self.settings)
        for one in self.app.state.parts.operations:
            if one.name == "code":
                one.handler._children = Echo()

    def put(self, method: str, key: str, body: Json | None) -> int:
        """A write of one who may do all; the status of FhirErrors is 500."""
        written = b"" if body is None else json.encode(body)
        request = Request(caller=ANYBODY, method=method, path=tuple(key.split("/")), body=written, base_url=BASE)
        try:
            return int(self.fhir.handle_sync(request).status)
        except FhirError:
            return 500

    def fill(self, seed: int, apart: int) -> None:
        """Make the world, the definitions that are this tenant's own, and the tokens."""
        for number, step in enumerate(world.steps(seed)):
            method, key, body = world.marked(step, number + apart)
            if body is not None and body["resourceType"] == "Binary":
                body["data"] = base64.b64encode(f"mark{number + apart:05d}x".encode()).decode()
            assert self.put(method, key, body) < 300, key
        for body in _definitions(f"mark{49_000 + apart:05d}x"):
            assert self.put("PUT", f"{body['resourceType']}/{body['id']}", body) < 300, body["id"]
        self.past = past(SimpleNamespace(store=self.store))  # type: ignore[arg-type]
        self.past.versions = {key: one for key, one in self.past.versions.items() if key[0] in world.TYPES}
        self.known = self.versions()
        for (kind, name), several in self.past.versions.items():
            for number, resource in several:
                if resource is not None and (tags := resource.get("meta", {}).get("tag")):
                    self.marks[kind, name, number] = tags[0]["code"].encode()
        self.store.write_sync(self._give)

    def _give(self, tx: Any) -> None:
        secret = hash_password(SECRET)
        for number, seat in enumerate(SEATS):
            client, person = f"{self.tag}{seat.client}", seat.person and f"{self.tag}{seat.person}"
            keep.put_client(tx, Client(id=client, title=client, method="client_secret_basic", secret=secret))
            roles = (seat.person,) if seat.person else ()
            if person is not None:
                keep.put_person(tx, Person(id=person, name=person, password="-", roles=roles))
            scopes = seat.holder.scopes
            end = keep.now() + 36_000_000
            broken = tuple(Broken(one, end, "for the campaign") for one in seat.holder.opened)
            granted = Authorization(
                id=f"{self.tag}{number}", client=client, person=person, scopes=scopes, roles=roles,
                context=Context(patient=seat.holder.patient), broken=broken,
            )  # fmt: skip
            text = self.tokens[seat.name] = f"{self.tag}token-{number}"
            keep.put_authorization(tx, granted)
            one = Token(hash=digest(text), kind="access", authorization=granted.id, expires=end, scopes=scopes)
            keep.put_token(tx, one)

    def versions(self) -> dict[Key, int]:
        """The number of the newest version of everything."""
        return {(kind, name): n for kind, name, n in self.store.query("SELECT type, id, version FROM resource")}

    def changes(self) -> list[tuple[Key, list[Json | None]]]:
        """What was written since the world stood as it was made: each with its versions from then on."""
        found = []
        for key, number in self.versions().items():
            first = self.known.get(key, 0)
            if number == first or key[0] == "Subscription":
                continue
            sql = "SELECT version, body FROM {} WHERE type = ? AND id = ? AND version >= ?"
            rows = [
                row for table in ("history", "resource") for row in self.store.query(sql.format(table), (*key, first))
            ]
            bodies = [json.decode(bytes(body)) if body else None for _, body in sorted(rows, key=lambda row: row[0])]
            found.append((key, bodies if first else [None, *bodies]))
        return found

    def heal(self) -> None:
        """Have the world as it was made."""
        for (kind, name), _ in self.changes():
            old = self.past.versions.get((kind, name), [(0, None)])[-1][1]
            if (kind, name) in self.past.versions and old is not None:
                self.put("PUT", f"{kind}/{name}", old)
            elif kind != "Subscription":
                self.put("DELETE", f"{kind}/{name}", None)
        self.known = self.versions()

    def work(self) -> None:
        """Run every job that waits to its end."""
        schema = "dbos." if self.store.dialect == "postgresql" else ""
        waiting = (
            f"SELECT workflow_uuid, name FROM {schema}workflow_status WHERE status = 'ENQUEUED' ORDER BY created_at"
        )
        ended = f"UPDATE {schema}workflow_status SET status = 'SUCCESS' WHERE workflow_uuid = ?"
        while rows := [row for row in self.store.query(waiting) if row[1] in self.kinds]:
            for job, name in rows:
                parts = self.app.state.parts
                steps: Any = AtOnce(self.store)
                work = Work(job, (), self.fhir, parts.operations, self.settings, parts.intake.jobs, steps)
                with suppress(Interrupted):
                    self.kinds[name].run(work)
                self.store.write_sync(lambda tx, job=job: tx.execute(ended, (job,)))

    async def post(self) -> None:
        """Tell subscribers all that there is to tell."""

        def take(request: httpx.Request) -> httpx.Response:
            self.sent.append((request.url.path, request.content))
            return httpx.Response(200)

        async with httpx.AsyncClient(transport=httpx.MockTransport(take)) as client:
            for _ in range(3):
                await self.deliverer.turn(client)
                await self.deliverer.idle()


def _definitions(mark: str) -> Iterator[Json]:
    """A code system and a value set, under the same URL in each tenant, that say which tenant's they are."""
    url = "urn:fhirwright:own"
    concept = [{"code": "one", "display": mark}, {"code": mark, "display": "another"}]
    head = {"status": "active", "meta": {"tag": [{"system": world.MARKS, "code": mark}]}}
    yield {"resourceType": "CodeSystem", "id": "own", "url": url, "content": "complete", "concept": concept} | head
    compose = {"include": [{"system": url}]}
    yield {"resourceType": "ValueSet", "id": "own", "url": f"{url}:all", "compose": compose} | head


@dataclass
class Houses:
    """The tenants behind one address, and a client of it."""

    tenants: tuple[Tenant, ...]
    apps: tuple[Any, ...]
    loop: asyncio.AbstractEventLoop
    client: httpx.AsyncClient

    def ask(self, host: str, token: str | None, method: str, url: str, **more: Any) -> httpx.Response:
        """One request; `url` is below the FHIR base unless it begins with a slash."""
        headers = {"host": host} | more.pop("headers", {})
        if token is not None:
            headers["authorization"] = f"Bearer {token}"
        target = f"http://{host}{url}" if url.startswith("/") else f"http://{host}/fhir/{url}"
        return self.loop.run_until_complete(self.client.request(method, target, headers=headers, **more))

    def other(self, tenant: Tenant) -> Tenant:
        """The tenant that this one is not."""
        return self.tenants[1 - self.tenants.index(tenant)]


def unpacked(body: bytes) -> bytes:
    """A body with what stands in it in base64."""
    packed = (base64.b64decode(text + b"=" * (-len(text) % 4)) for text in _PACKED.findall(body))
    return b"\n".join((body, *packed))


def moved_marks(text: str, tenant: int) -> str:
    """A text with the marks of the first tenant as those of another."""
    return _MARK.sub(lambda found: f"mark{int(found[1]) + APART * tenant:05d}x", text) if tenant else text


@contextmanager
def houses(urls: tuple[str, ...], data: Path, seed: int) -> Iterator[Houses]:
    """Open a server with both tenants over empty databases; the last of the URLs is the server's own."""
    others = dict(zip(HOSTS, urls, strict=False))
    settings = Settings(
        database=urls[-1], data=data, coding="off", tenants=others, inner_hosts=("127.0.0.1",), log_level="error",
        later_running=1000, later_kept=100_000, exports_at_once=1000, imports_at_once=1000, subscriptions=1000,
        subscription_back_off_seconds=0.01, subscription_poll_seconds=0.02, search_seconds=60, server_names=(OWN,),
    )  # fmt: skip
    for folder in (data, *(data / FOLDER / host for host in HOSTS)):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "roles.toml").write_text(roles_toml())
    with ExitStack() as stack:
        for place, name, value in (
            (deliver, "SETTLED_MS", 0), (deliver, "_ASKED_AGAIN", 0.0), (outbox, "FRESH_SECONDS", 0),
            (memo, "LONGEST", 3600.0),
        ):  # fmt: skip
            stack.enter_context(patch.object(place, name, value))
        app = open_tenants(settings, create_app)
        assert isinstance(app, Tenants)
        for one in (app.own, *app.several.values()):
            stack.callback(one.state.fhir.store.close)
        loop = asyncio.new_event_loop()
        stack.callback(loop.close)
        tenants = tuple(Tenant(host, one, one.state.fhir.settings) for host, one in app.several.items())
        for number, tenant in enumerate(tenants):
            tenant.fill(seed, APART * number)
        client = httpx.AsyncClient(transport=httpx.ASGITransport(app), timeout=60)
        stack.callback(lambda: loop.run_until_complete(client.aclose()))
        yield Houses(tenants, (app.own, *app.several.values()), loop, client)


def replaced(request: Request, tenant: int) -> Request:
    """A request made for the first tenant as one for another."""
    query = tuple((name, moved_marks(value, tenant)) for name, value in request.query)
    return msgspec.structs.replace(request, query=query, body=moved_marks(request.body.decode(), tenant).encode())


__all__ = ["HOSTS", "OWN", "SECRET", "Houses", "Seat", "Tenant", "houses", "moved_marks", "replaced", "unpacked"]
