"""Profiles, value sets and code systems that clients have stored, as a source beside those of packages.

https://hl7.org/fhir/R4/profiling.html
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Any

from fhir_profiles import json
from fhir_profiles.conform import Profile, read_profile
from fhir_profiles.errors import FhirError
from server.access.caller import SYSTEM
from server.interactions.exchange import Request, Response
from server.store import Tx, Written

KEEP_SECONDS = 2.0
"""How long a list of what is stored is kept: what another process stores is seen then, what this one stores at once."""

KINDS = ("StructureDefinition", "ValueSet", "CodeSystem", "NamingSystem")
MOST_LISTED = 1_000
"""Definitions of one kind that are listed by URL; where clients have stored more, each URL is looked for."""

MAX_KEPT = 2_000
Json = dict[str, Any]
Catalogue = dict[str, tuple[str, ...]]
"""URL → the versions (`id/versionId`) that are stored under it."""


_NOTHING_TOLD: tuple[float, Hashable] = (0.0, None)


class Stored:
    """A source that reads through the server's own search."""

    def __init__(self, handle: Callable[[Request], Response]) -> None:
        self._handle = handle
        self._catalogues: dict[str, tuple[float, Catalogue | None, Hashable]] = {}
        self._resources: dict[tuple[str, str, tuple[str, ...]], list[Json]] = {}
        self._profiles: dict[str, Profile | None] = {}
        self._unsettled = 0.0
        self._told = _NOTHING_TOLD

    def profiles(self, url: str) -> Sequence[Profile]:
        """Every version of a profile that is stored; those that cannot be read are left out."""
        read = [self._profile(r) for r in self.resources("StructureDefinition", url)]
        return [p for p in read if p is not None]

    def resources(self, resource_type: str, url: str) -> Sequence[Json]:
        """Every version of a definition that is stored."""
        catalogue = self._catalogue(resource_type)
        if catalogue is None:
            return self._search(resource_type, ("url", url))
        if url not in catalogue:
            return ()
        key = (resource_type, url, catalogue[url])
        if key not in self._resources:
            if len(self._resources) >= MAX_KEPT:
                self._resources.clear()
            self._resources[key] = self._search(resource_type, ("url", url))
        return self._resources[key]

    def every(self, resource_type: str) -> Sequence[Json]:
        """Every stored resource of a type, as far as they can be listed."""
        return self._search(resource_type, ("_sort", "_id"), MOST_LISTED)

    def types(self) -> Iterator[tuple[str, str]]:
        """None: what clients store comes and goes, so the CapabilityStatement does not promise it."""
        return iter(())

    def generation(self) -> Hashable:
        """A value that changes when a stored value set, code system or naming system does."""
        if not self.ready():
            before = self._unsettled
            stamps = tuple(self._listing(kind)[2] for kind in KINDS[1:])
            kept = [self._catalogues[kind][0] for kind in KINDS[1:] if kind in self._catalogues]
            if len(kept) < len(KINDS[1:]):
                return stamps
            self._told = min(kept), stamps
            if self._unsettled != before:  # a write came meanwhile: what was told may be from before it
                self._told = _NOTHING_TOLD
            return stamps
        return self._told[1]

    def ready(self) -> bool:
        """Whether the generation can be told without a look at the database."""
        return time.monotonic() < self._told[0]

    def on_write(self, _tx: Tx, written: Written) -> None:
        """Forget what a write may change."""
        if written.version.type in KINDS:
            self._unsettled = time.monotonic() + KEEP_SECONDS
            self._catalogues.clear()
            self._told = _NOTHING_TOLD

    def _catalogue(self, resource_type: str) -> Catalogue | None:
        """What is stored of a kind; None when that is too much to list."""
        return self._listing(resource_type)[1]

    def _listing(self, resource_type: str) -> tuple[float, Catalogue | None, Hashable]:
        """Until when it counts, what is stored of a kind, and a value that changes with it."""
        now = time.monotonic()
        kept = self._catalogues.get(resource_type)
        if kept is not None and now < kept[0]:
            return kept
        listed = self._search(resource_type, ("_elements", "url"), MOST_LISTED + 1)
        found: dict[str, list[str]] = {}
        for one in listed:
            found.setdefault(one.get("url", ""), []).append(_stamp(one))
        catalogue = None if len(listed) > MOST_LISTED else {url: tuple(stamps) for url, stamps in found.items()}
        made = (now + KEEP_SECONDS, catalogue, now if catalogue is None else hash(tuple(catalogue.items())))
        if now >= self._unsettled:  # a write that is not committed yet must not leave its past behind
            self._catalogues[resource_type] = made
        return made

    def _search(self, resource_type: str, criterion: tuple[str, str], count: int = 100) -> list[Json]:
        query = (criterion, ("_count", str(count)))
        answer = self._handle(Request(method="GET", path=(resource_type,), query=query, caller=SYSTEM))
        return [entry["resource"] for entry in json.decode(answer.body).get("entry", ())]

    def _profile(self, resource: Json) -> Profile | None:
        stamp = _stamp(resource)
        if stamp not in self._profiles:
            if len(self._profiles) >= MAX_KEPT:
                self._profiles.clear()
            try:
                self._profiles[stamp] = read_profile(resource, stamp)
            except FhirError:
                self._profiles[stamp] = None
        return self._profiles[stamp]


def _stamp(resource: Json) -> str:
    return f"{resource['id']}/{resource['meta']['versionId']}"
