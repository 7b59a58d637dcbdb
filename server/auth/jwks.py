"""The key sets of clients: inline, or fetched from their URL within the wall and kept as long as they say.

https://hl7.org/fhir/smart-app-launch/STU2.2/client-confidential-asymmetric.html#registering-a-client-communicating-public-keys
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Mapping
from typing import Any

import httpx

from fhir_profiles import json
from fhir_profiles.errors import Category, FhirError
from server.jobs.outside import Wall

from .model import Client

SECONDS = 5.0
LONGEST = 256 * 1024
KEEP, KEEP_MOST = 300, 3600
AGAIN = 10
"""Seconds before a key set is fetched again that could not be had."""

_AGE = re.compile(r"max-age=(\d{1,9})")


class KeySets:
    """Key sets by client, for threads."""

    def __init__(self, wall: Wall) -> None:
        self._wall = wall
        self._kept: dict[str, tuple[float, Mapping[str, Any]]] = {}
        self._failed: dict[str, float] = {}

    def __call__(self, client: Client) -> Mapping[str, Any]:
        """The key set of a client; FhirError UNAVAILABLE when it cannot be had."""
        if client.jwks_uri is None:
            return client.jwks or {"keys": ()}
        now = time.monotonic()
        until, found = self._kept.get(client.jwks_uri, (0.0, {}))
        if now < until:
            return found
        if now < self._failed.get(client.jwks_uri, 0.0):
            raise _unavailable()
        try:
            seconds, found = asyncio.run(self._fetch(client.jwks_uri))
        except FhirError:
            self._failed[client.jwks_uri] = now + AGAIN
            raise
        self._kept[client.jwks_uri] = (now + seconds, found)
        return found

    async def _fetch(self, url: str) -> tuple[int, Mapping[str, Any]]:
        self._wall.check(url)
        try:
            async with self._wall.client(SECONDS) as http, http.stream("GET", url) as answer:
                body = b""
                async for part in answer.aiter_bytes():
                    body += part
                    if len(body) > LONGEST:
                        raise _unavailable()
        except httpx.HTTPError:
            raise _unavailable() from None
        if answer.status_code != 200:
            raise _unavailable()
        found = json.decode(body)
        if not isinstance(found.get("keys"), list):
            raise _unavailable()
        told = answer.headers.get("cache-control", "")
        if "no-store" in told or "no-cache" in told:
            return 0, found
        age = _AGE.search(told)
        return min(int(age[1]), KEEP_MOST) if age else KEEP, found


def _unavailable() -> FhirError:
    return FhirError.of(Category.UNAVAILABLE, "transient", "The key set of the client cannot be had.")
