"""`Patient/[id]/$everything`: the patient, all of the compartment, and what that refers to, in pages.

It is a compartment search with `_include=*`: the same query, the same pages, the same limits.
https://hl7.org/fhir/R4/patient-operation-everything.html
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

from fhir_profiles import json
from fhir_profiles.dates import OPEN_HIGH, OPEN_LOW, interval
from fhir_profiles.definitions import load
from fhir_profiles.errors import Category, FhirError
from fhir_profiles.extract import index, main_dates
from fhir_profiles.systems import FHIR
from server.interactions.exchange import Request, Response
from server.interactions.fhir import Fhir
from server.operations.parameters import Arguments, read_arguments, wrong
from server.operations.registry import Operation

Json = dict[str, Any]
_KNOWN = ("start", "end", "_since", "_type", "_count", "_cursor")
_CARRIED = ("start", "end", "_since", "_type", "_count", "_elements", "_summary")
"""What the links of a page ask again."""


class Everything:
    """Turns the call into a compartment search, and its pages into ours."""

    def __init__(self, fhir: Fhir) -> None:
        self._fhir = fhir

    async def __call__(self, request: Request) -> Response:
        """One page; the next link leads to the next one."""
        arguments = read_arguments(request)
        arguments.only(*_KNOWN)
        return Response(status=200, body=json.encode(await self._fhir.store.run(self._page, request, arguments)))

    def _page(self, request: Request, arguments: Arguments) -> Json:
        window = _window(arguments)
        types = _types(arguments)
        self._get(request, request.path[:2])  # 404 and 410 for the patient come before anything else
        bundle = self._get(request, (*request.path[:2], "*"), _query(request.path[0], arguments, types))
        entries = bundle.pop("entry", [])
        if arguments.text("_cursor") is None:
            entries = self._with_patient(request, entries)
        kept = [entry for entry in entries if _is_wanted(entry, types, window)]
        bundle.pop("total", None)
        bundle["link"] = _links(request, arguments, bundle["link"])
        return bundle | ({"entry": kept} if kept else {})

    def _with_patient(self, request: Request, entries: list[Json]) -> list[Json]:
        """The first page begins with the patient."""
        url = f"{request.base_url}/{'/'.join(request.path[:2])}"
        there = [entry for entry in entries if entry.get("fullUrl") == url]
        rest = [entry for entry in entries if entry.get("fullUrl") != url]
        if not there:
            resource = self._get(request, request.path[:2])
            there = [{"fullUrl": url, "resource": resource, "search": {"mode": "match"}}]
        return there + rest

    def _get(self, request: Request, path: tuple[str, ...], query: tuple[tuple[str, str], ...] = ()) -> Json:
        asked = Request(
            method="GET",
            path=path,
            query=query,
            base_url=request.base_url,
            caller=request.caller,
            prefer="handling=strict",
        )
        return json.decode(self._fhir.handle_sync(asked).body)


def _types(arguments: Arguments) -> frozenset[str] | None:
    """The types that are wanted, None for all."""
    named = {name for text in arguments.all("_type") for name in text.split(",") if name}
    if not named <= set(load().resource_types):
        raise wrong("_type names a resource type that R4 does not have.", "_type")
    return frozenset(named) or None


def _query(owner: str, arguments: Arguments, types: frozenset[str] | None) -> tuple[tuple[str, str], ...]:
    pairs = [("_cursor", text) for text in arguments.all("_cursor")] + [("_count", t) for t in arguments.all("_count")]
    if since := arguments.text("_since"):
        pairs.append(("_lastUpdated", f"ge{since}"))
    if types is not None and all(load().compartment(owner).get(name) for name in types):
        return (*pairs, ("_type", ",".join(sorted(types))))
    return (*pairs, ("_include", "*"))


def _window(arguments: Arguments) -> tuple[int, int]:
    """The dates of care that are wanted, in microseconds."""
    start, end = arguments.text("start"), arguments.text("end")
    try:
        low = interval(start)[0] if start else OPEN_LOW
        return low, interval(end)[1] if end else OPEN_HIGH
    except (ValueError, OverflowError):
        raise FhirError.of(Category.INCORRECT, "value", "start and end are dates, YYYY-MM-DD.") from None


def _is_wanted(entry: Json, types: frozenset[str] | None, window: tuple[int, int]) -> bool:
    """By its type, and by its date where it has one; an outcome always is."""
    resource = entry["resource"]
    kind = resource["resourceType"]
    if entry.get("search", {}).get("mode") == "outcome":
        return True
    if types is not None and kind not in types:
        return False
    if window == (OPEN_LOW, OPEN_HIGH) or kind == "Patient":
        return True
    codes = main_dates(kind)
    dates = [(low, high) for code, low, high in index(resource).dates if code in codes]
    return not dates or any(low < window[1] and high > window[0] for low, high in dates)


def _links(request: Request, arguments: Arguments, links: list[Json]) -> list[Json]:
    """The search's links as links of this operation."""
    url = f"{request.base_url}/{'/'.join(request.path)}"
    own = [pair for pair in arguments.texts if pair[0] in _CARRIED]
    made = [{"relation": "self", "url": _url(url, own)}]
    for link in links:
        cursor = dict(parse_qsl(urlsplit(link["url"]).query)).get("_cursor")
        if link["relation"] != "self" and cursor:
            made.append({"relation": link["relation"], "url": _url(url, [*own, ("_cursor", cursor)])})
    return made


def _url(url: str, pairs: list[tuple[str, str]]) -> str:
    query = "&".join(f"{name}={quote(value, safe=':,')}" for name, value in pairs)
    return f"{url}?{query}" if query else url


def operations(fhir: Fhir) -> list[Operation]:
    """`$everything` on a patient, and on an encounter."""
    handler, both = Everything(fhir), frozenset({"GET", "POST"})
    return [
        Operation(
            "everything",
            frozenset({"instance"}),
            handler,
            frozenset({kind}),
            both,
            f"{FHIR}/OperationDefinition/{kind}-everything",
            for_all=True,
        )
        for kind in ("Patient", "Encounter")
    ]
