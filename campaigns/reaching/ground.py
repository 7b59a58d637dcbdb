"""What requests over the wire to two tenants share: how they are sent, and how what is shown and written is judged."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from random import Random
from typing import Any
from urllib.parse import quote

import httpx
import msgspec

from campaigns.reaching import oracle
from campaigns.reaching.asking import Asker
from campaigns.reaching.houses import HOSTS, Houses, Tenant, moved_marks, unpacked
from campaigns.reaching.judging import Finding, plain
from campaigns.reaching.oracle import Holder
from campaigns.reaching.seats import SEATS, Seat
from campaigns.reaching.world import Json
from fhir_profiles import json
from server.interactions.exchange import Request

_MARK = re.compile(rb"mark\d{5}x")
LATER = {"prefer": "respond-async"}


class Job(msgspec.Struct, frozen=True):
    """Something that is answered later, and whose it is."""

    tenant: int
    seat: str
    url: str
    files: tuple[str, ...] = ()


class Eyes:
    """The marks of the versions that a seat may be shown, worked out when first asked for."""

    def __init__(self, houses: Houses) -> None:
        self._houses = houses
        self._keys: dict[tuple[Holder, str], set[tuple[str, str, int]]] = {}

    def keys(self, holder: Holder, right: str) -> set[tuple[str, str, int]]:
        """Versions within a right: by their number, and 0 for one whose newest version is."""
        known = self._keys.get((holder, right))
        if known is None:
            past = self._houses.tenants[0].past
            known = self._keys[holder, right] = set()
            for (kind, name), versions in past.versions.items():
                if oracle.may(holder, kind, right, versions[-1][1], past.there):
                    known.add((kind, name, 0))
                    known |= {
                        (kind, name, n) for n, body in versions if oracle.may(holder, kind, right, body, past.there)
                    }
        return known

    def marks(self, tenant: Tenant, seat: Seat, rights: str) -> set[bytes]:
        """The marks that may be shown to a seat of a tenant."""
        return {
            tenant.marks[key] for right in rights for key in self.keys(seat.holder, right) if key in tenant.marks
        }  # fmt: skip


class Ground:
    """Sends requests of seats and judges what they were shown and what they wrote."""

    def __init__(self, houses: Houses, eyes: Eyes, seed: int) -> None:
        self.houses, self.eyes = houses, eyes
        self.asker = Asker(houses.tenants[0].past, seed)
        self.dice: Random = self.asker.dice
        self.seats = {seat.name: seat for seat in SEATS}
        self.jobs: list[Job] = []
        self.begun: Job | None = None
        self.subscriptions: list[tuple[int, str, str]] = []
        self.told = ""
        """The requests of this step, for who reads what was found."""

    def ask(self, tenant: int, seat: Seat | None, method: str, url: str, **more: Any) -> httpx.Response:
        """A request of a seat at its own tenant."""
        house = self.houses.tenants[tenant]
        self.told += f"{'nobody' if seat is None else seat.name}: {method} {url} "
        return self.houses.ask(house.host, None if seat is None else house.tokens[seat.name], method, url, **more)

    def scan(self, tenant: int, seat: Seat, body: bytes, more: frozenset[bytes] = frozenset()) -> Iterator[Finding]:
        """Marks that the seat must not be shown, and names of the other tenant."""
        house = self.houses.tenants[tenant]
        if body.startswith(b'{"resourceType":"Bundle"') and b'"link":' in body and b"\n{" not in body:
            body = json.encode(plain(body))
        body = unpacked(body)
        shown = set(_MARK.findall(body)) - self.eyes.marks(house, seat, "rs") - {own_mark(house)} - more
        shown -= {mark for mark in shown & set(house.later) if self._may_past(seat.holder, house.later[mark])}
        if shown:
            yield Finding("leak", f"shows {len(shown)} hidden: {sorted(shown)[:3]}")
        if self.houses.other(house).tag.encode() in body:
            yield Finding("leak", "names somebody of another tenant")

    def _may_past(self, holder: Holder, body: Json) -> bool:
        """Whether a version that stood for a moment may be shown now."""
        kind, there = body["resourceType"], self.asker.past.there
        now = there.get((kind, body["id"]))
        return any(
            oracle.may(holder, kind, right, now, there) and oracle.may(holder, kind, right, body, there)
            for right in "rs"
        )

    def wrote(self, tenant: int, seat: Seat) -> Iterator[Finding]:
        """Judge what was written, and take it back."""
        for place, house in enumerate(self.houses.tenants):
            changes = house.changes()
            for key, bodies in changes:
                if place != tenant:
                    yield Finding("leak", f"wrote {key[0]} of another tenant")
                elif not all(self._may_write(seat.holder, key[0], *pair) for pair in itertools.pairwise(bodies)):
                    yield Finding("leak", f"wrote {key[0]}/{key[1]} that is not theirs")
            if changes:
                house.heal()

    def _may_write(self, holder: Holder, kind: str, before: Json | None, after: Json | None) -> bool:
        there = self.asker.past.there
        if (
            kind == "Task" and after is not None and (claim := _claim_of(after)) is not None
        ):  # the server's, for a claim
            body = there.get(("Claim", claim))
            return body is None or oracle.may(holder, "Claim", "r", body, there)
        bodies = [one for one in (before, after) if one is not None]
        rights = "d" if after is None else "cu"
        if kind == "DocumentReference" and after is not None and not oracle.may_point(holder, after, there):
            return False
        return any(all(oracle.may(holder, kind, right, one, there) for one in bodies) for right in rights)

    def hidden(self, answer: httpx.Response, absent: httpx.Response) -> Iterator[Finding]:
        """What is another's must be told as what never was."""
        if answer.status_code != absent.status_code or _told(answer) != _told(absent):
            yield Finding("leak", f"{answer.status_code}, and {absent.status_code} for what never was")


def own_mark(house: Tenant) -> bytes:
    """The mark of the definitions of a tenant."""
    return moved_marks("mark49000x", HOSTS.index(house.host)).encode()


def _told(answer: httpx.Response) -> bytes:
    """A body without what is the request's own."""
    return re.sub(rb"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", b"", answer.content)


def is_service(seat: Seat) -> bool:
    """Whether a seat has a scope at system level."""
    return any(scope.startswith("system/") for scope in seat.holder.scopes)


def below(url: str) -> str:
    """A URL below the FHIR base."""
    return url.partition("/fhir/")[2]


def url_of(request: Request) -> str:
    """The URL of a request below the FHIR base."""
    query = "&".join(f"{quote(name, safe=':.')}={quote(value, safe='')}" for name, value in request.query)
    return "/".join(request.path) + (f"?{query}" if query else "")


def sending(request: Request) -> dict[str, Any]:
    """The body and the headers of a request as they go over the wire."""
    form = request.path[-1:] == ("_search",)
    kind = "application/x-www-form-urlencoded" if form else request.content_type or "application/fhir+json"
    headers = {"content-type": kind} if request.method in ("POST", "PUT", "PATCH") else {}
    for name in ("if_match", "if_none_match", "if_modified_since", "if_none_exist", "prefer"):
        if value := getattr(request, name, None):
            headers[name.replace("_", "-")] = str(value)
    return {"content": request.body, "headers": headers} if request.body else {"headers": headers}


def _claim_of(task: Json) -> str | None:
    reference = (task.get("focus") or {}).get("reference", "")
    kind, _, name = reference.partition("/")
    return name if kind == "Claim" else None
