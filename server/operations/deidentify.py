"""`$deidentify`: a resource, a Bundle or a stored resource without identifiers; `$reidentify` undoes it.

Names, numbers, dates and places get stand-ins by rules of elements, texts by what they say; each call draws a key of
its own, so that two answers cannot be joined, unless that is asked for.
https://www.ecfr.gov/current/title-45/section-164.514
"""

from __future__ import annotations

import asyncio
import base64
import secrets
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from extractors.coding.lexicon import Lexicon
from extractors.deid.resource import Deidentifier
from extractors.deid.vocabulary import Vocabulary
from fhir_profiles import json
from fhir_profiles.definitions import load
from fhir_profiles.errors import Category, FhirError
from fhir_profiles.systems import BASE
from server.interactions.exchange import Request, Response
from server.interactions.fhir import Fhir
from server.operations.parameters import read_arguments, wrong
from server.operations.people import people_around, read
from server.operations.registry import Operation
from server.operations.standins import Seals
from server.settings import Settings
from terminology import ensure_terminology


@lru_cache(maxsize=2)
def vocabulary_of(data: Path) -> Vocabulary:
    """The words of the terminology in a data directory, read once."""
    return Vocabulary.of(Lexicon.open(ensure_terminology(data), data))


class Deidentify:
    """Looks up who is known by requests of the caller, and answers what is left."""

    def __init__(self, fhir: Fhir, settings: Settings) -> None:
        self._fhir = fhir
        self._data = settings.data
        self._seals = Seals(settings)

    async def __call__(self, request: Request) -> Response:
        """The resource without identifiers; FhirError when something known would still leave."""
        return await asyncio.to_thread(self._answer, request)

    def _answer(self, request: Request) -> Response:
        arguments = read_arguments(request)
        arguments.only("resource", "stable", "keep")
        stored = len(request.path) == 3
        resource = read(self._fhir, request, *request.path[:2]) if stored else arguments.value("resource")
        if not isinstance(resource, dict) or resource.get("resourceType") not in load().resource_types:
            raise wrong("Send a resource, or a Parameters with the parameter resource.", "Parameters.parameter")
        around = list(people_around(self._fhir, request, resource, needed=stored))
        key = self._stable(request) if arguments.flag("stable") else secrets.token_bytes(32)
        cleaner = Deidentifier(vocabulary_of(self._data), key, datetime.now(UTC).date(), around)
        made = cleaner.resource(resource)
        if arguments.flag("keep"):
            sealed = base64.b64encode(self._seals.kept(cleaner.kept())).decode()
            parts = [{"name": "resource", "resource": made}, {"name": "map", "valueBase64Binary": sealed}]
            made = {"resourceType": "Parameters", "parameter": parts}
        return Response(status=200, body=json.encode(made))

    def _stable(self, request: Request) -> bytes:
        """The key of this server; 403 for who could try words until one becomes a stand-in that is known."""
        if not (request.caller.admin or request.caller.whole):
            text = "Stand-ins that are always the same are for those who look after this server."
            raise FhirError.of(Category.FORBIDDEN, "forbidden", text, "stable")
        return self._seals.stable


class Reidentify:
    """Answers a resource or a text with the originals, by the sealed map that `$deidentify` gave with it."""

    def __init__(self, settings: Settings) -> None:
        self._seals = Seals(settings)

    async def __call__(self, request: Request) -> Response:
        """What was sent, in clear; FhirError for a map that is none of this server's."""
        return await asyncio.to_thread(self._answer, request)

    def _answer(self, request: Request) -> Response:
        arguments = read_arguments(request)
        arguments.only("resource", "text", "map")
        resource, text = arguments.value("resource"), arguments.text("text")
        if (resource is None) == (text is None):
            raise wrong("Send either a resource or a text, and the map.", "Parameters.parameter")
        kept = self._seals.opened(arguments.text("map") or "")
        if text is not None:
            part = {"name": "text", "valueString": kept.text(text)}
            return Response(status=200, body=json.encode({"resourceType": "Parameters", "parameter": [part]}))
        return Response(status=200, body=json.encode(kept.resource(resource)))


def operations(fhir: Fhir, settings: Settings) -> list[Operation]:
    """On a posted resource, and on a stored one."""
    named = f"{BASE}/OperationDefinition/deidentify"
    ours = Deidentify(fhir, settings)
    return [
        Operation(
            "reidentify",
            frozenset({"system"}),
            Reidentify(settings),
            definition=f"{BASE}/OperationDefinition/reidentify",
        ),
        Operation("deidentify", frozenset({"system", "type"}), ours, definition=named, for_all=True),
        Operation(
            "deidentify",
            frozenset({"instance"}),
            ours,
            methods=frozenset({"GET", "POST"}),
            definition=named,
            for_all=True,
        ),
    ]
