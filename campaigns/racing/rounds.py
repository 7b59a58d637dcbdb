"""The kinds of race: what each process does, and what must be so when all are done.

A process does several things at once too, so that writes meet inside one commit as well as between commits.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from fhir_profiles.errors import FhirError
from server.access.caller import ANYBODY
from server.http.errors import status_of
from server.interactions.exchange import Request, Response
from server.interactions.fhir import Fhir

AT_ONCE = 3
"""Requests of one process at the same time."""

NAMES = 6
"""Resources that crossing Bundles change."""

FAULT = 500


class Done(msgspec.Struct, frozen=True):
    """What one request of a round was answered: its status and, for an answer, the version that it names."""

    status: int
    version: int = 0


Act = Callable[[Fhir, int, int], Awaitable[list[Done]]]


async def ask(fhir: Fhir, method: str, url: str, body: dict[str, Any] | None = None, **more: Any) -> Response | int:
    """The answer to a request, or the status with which it was refused; anything unforeseen is a fault."""
    path, _, query = url.partition("?")
    request = Request(
        caller=ANYBODY,
        method=method,
        path=tuple(path.split("/")) if path else (),
        query=tuple(tuple(pair.split("=", 1)) for pair in query.split("&")) if query else (),  # type: ignore[misc]
        body=json.dumps(body).encode() if body is not None else b"",
        **more,
    )
    try:
        return await fhir.handle(request)
    except FhirError as error:
        return status_of(error)
    except Exception:
        return FAULT


def done(answer: Response | int) -> Done:
    """What is kept of an answer."""
    if isinstance(answer, int):
        return Done(answer)
    return Done(answer.status, int(answer.etag[3:-1]) if answer.etag else 0)


def patient(number: int, value: int, name: str = "") -> dict[str, Any]:
    """A patient of this round."""
    found = {"resourceType": "Patient", "identifier": [{"system": "urn:race", "value": str(number)}]}
    return {**found, "multipleBirthInteger": value} | ({"id": name} if name else {})


def _value(who: int, turn: int) -> int:
    return who * 100 + turn + 1


async def create(fhir: Fhir, number: int, who: int) -> list[Done]:
    """The same conditional create, with criteria in different words."""
    words = (f"identifier=urn:race|{number}", f"active:missing=true&identifier=urn:race|{number}")
    asked = [
        ask(fhir, "POST", "Patient", patient(number, _value(who, turn)), if_none_exist=words[turn % 2])
        for turn in range(AT_ONCE)
    ]
    return [done(answer) for answer in await asyncio.gather(*asked)]


async def update(fhir: Fhir, number: int, who: int) -> list[Done]:
    """The same conditional update, each time with other content."""
    url = f"Patient?identifier=urn:race|{number}"
    asked = [ask(fhir, "PUT", url, patient(number, _value(who, turn))) for turn in range(AT_ONCE)]
    return [done(answer) for answer in await asyncio.gather(*asked)]


async def mixed(fhir: Fhir, number: int, who: int) -> list[Done]:
    """Conditional creates and updates, alone and in transactions."""
    url = f"Patient?identifier=urn:race|{number}"
    body = patient(number, _value(who, 0))
    entry = {"resource": body, "request": {"method": "POST", "url": "Patient", "ifNoneExist": url.partition("?")[2]}}
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}
    asked = [ask(fhir, "PUT", url, body), ask(fhir, "POST", "", bundle)]
    asked.append(ask(fhir, "POST", "Patient", body, if_none_exist=url.partition("?")[2]))
    return [done(answer) for answer in await asyncio.gather(*asked)]


async def count(fhir: Fhir, number: int, _who: int) -> list[Done]:
    """Read, add one, write with If-Match, again on 412."""

    async def add() -> Done:
        while True:
            read = await ask(fhir, "GET", f"Patient/c{number}")
            value = 0 if isinstance(read, int) else json.loads(read.body)["multipleBirthInteger"]
            guard = {"if_none_match": "*"} if isinstance(read, int) else {"if_match": read.etag}
            answer = await ask(fhir, "PUT", f"Patient/c{number}", patient(number, value + 1, f"c{number}"), **guard)
            if answer not in (409, 412):
                return done(answer)

    return list(await asyncio.gather(*(add() for _ in range(AT_ONCE))))


async def cross(fhir: Fhir, number: int, who: int) -> list[Done]:
    """Bundles that change the same resources in another order each, then a read of what was written."""
    dice = random.Random(number * 1000 + who)

    async def send(turn: int) -> Done:
        names = [f"x{number}-{n}" for n in range(NAMES)]
        dice.shuffle(names)
        entries = [
            {
                "resource": patient(number, _value(who, turn), name),
                "request": {"method": "PUT", "url": f"Patient/{name}"},
            }
            for name in names
        ]
        answer = await ask(fhir, "POST", "", {"resourceType": "Bundle", "type": "transaction", "entry": entries})
        if isinstance(answer, int):
            return Done(answer)
        written = int(json.loads(answer.body)["entry"][0]["response"]["etag"][3:-1])
        read = await ask(fhir, "GET", f"Patient/{names[0]}")
        stale = isinstance(read, int) or done(read).version < written
        return Done(FAULT if stale else answer.status, written)

    return list(await asyncio.gather(*(send(turn) for turn in range(AT_ONCE))))


async def end(fhir: Fhir, number: int, who: int) -> list[Done]:
    """Updates and deletes of one resource."""
    name = f"d{number}"
    asked = [
        ask(fhir, "DELETE", f"Patient/{name}")
        if (who + turn) % 2
        else ask(fhir, "PUT", f"Patient/{name}", patient(number, _value(who, turn), name))
        for turn in range(AT_ONCE)
    ]
    return [done(answer) for answer in await asyncio.gather(*asked)]


ACTS: dict[str, Act] = {
    "create": create,
    "update": update,
    "mixed": mixed,
    "count": count,
    "cross": cross,
    "end": end,
}
