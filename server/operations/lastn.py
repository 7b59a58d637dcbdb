"""`Observation/$lastn`: the newest observations of each code (https://hl7.org/fhir/R4/observation-operation-lastn.html)."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit

from fhir_profiles import json
from fhir_profiles.dates import OPEN_LOW, interval
from fhir_profiles.errors import Category, FhirError
from fhir_profiles.systems import FHIR
from server.interactions.exchange import Request, Response
from server.interactions.fhir import Fhir
from server.operations.parameters import read_arguments
from server.operations.registry import Operation

_MOST_EACH = 100
_MOST_READ = 20_000
_SUBJECTS = ("patient", "subject")
_CODES = ("code", "category", "combo-code", "component-code")

Json = dict[str, Any]


class LastN:
    """Reads the observations that a search finds, newest first, and keeps the first of each code."""

    def __init__(self, fhir: Fhir) -> None:
        self._fhir = fhir

    async def __call__(self, request: Request) -> Response:
        """The searchset, grouped by code; observations as old as the last one of a group are told too."""
        arguments = read_arguments(request)
        each = arguments.whole("max", 1, _MOST_EACH)
        pairs = tuple(pair for pair in arguments.texts if pair[0] != "max" and pair[1])
        names = {name.partition(":")[0].partition(".")[0] for name, _ in pairs}
        if not names & {*_SUBJECTS} or not names & {*_CODES}:
            text = "$lastn needs a patient or subject, and a code or category."
            raise FhirError.of(Category.INCORRECT, "required", text)
        found = await self._fhir.store.run(self._newest, request, pairs)
        kept = [one for group in _groups(found) for one in _first(group, each)]
        entries = [
            {
                "fullUrl": f"{request.base_url}/Observation/{one['id']}",
                "resource": one,
                "search": {"mode": "match"},
            }
            for one in kept
        ]
        bundle: Json = {"resourceType": "Bundle", "type": "searchset", "total": len(kept)}
        return Response(status=200, body=json.encode(bundle | ({"entry": entries} if entries else {})))

    def _newest(self, request: Request, pairs: tuple[tuple[str, str], ...]) -> list[Json]:
        """Everything that the search finds, newest first."""
        found: list[Json] = []
        query = (*pairs, ("_sort", "-date"), ("_count", str(self._fhir.settings.max_count)))
        while True:
            page = Request(
                method="GET",
                path=("Observation",),
                query=query,
                base_url=request.base_url,
                caller=request.caller,
                prefer="handling=strict",
            )
            bundle = json.decode(self._fhir.handle_sync(page).body)
            found += [entry["resource"] for entry in bundle.get("entry", ()) if entry["search"]["mode"] == "match"]
            following = next((link["url"] for link in bundle["link"] if link["relation"] == "next"), None)
            if following is None:
                return found
            if len(found) >= _MOST_READ:
                text = f"More than {_MOST_READ} observations match. Narrow the search, by code or by date."
                raise FhirError.of(Category.INCORRECT, "too-costly", text)
            query = tuple(parse_qsl(urlsplit(following).query, keep_blank_values=True))


def _groups(found: list[Json]) -> list[list[Json]]:
    """Observations that share a coding, each group in the order it came; without codings their text counts."""
    groups: list[list[Json]] = []
    place: dict[tuple[str | None, str | None], int] = {}
    for one in found:
        concept = one.get("code", {})
        marks = [(c.get("system"), c.get("code")) for c in concept.get("coding", ()) if c.get("code")]
        marks = marks or [(None, concept.get("text"))]
        at = sorted({place[mark] for mark in marks if mark in place})
        if not at:
            at = [len(groups)]
            groups.append([])
        groups[at[0]].append(one)
        for other in at[1:]:  # this one has codes of two groups: they are one
            groups[at[0]] += groups[other]
            groups[other] = []
            place = {mark: at[0] if n == other else n for mark, n in place.items()}
        place |= dict.fromkeys(marks, at[0])
    return [sorted(group, key=_moment, reverse=True) for group in groups if group]


def _first(group: list[Json], each: int) -> list[Json]:
    last = _moment(group[min(each, len(group)) - 1])
    return [one for n, one in enumerate(group) if n < each or (_moment(one) == last and last > OPEN_LOW)]


def _moment(observation: Json) -> int:
    """When it began, in microseconds; before everything when it does not say."""
    period = observation.get("effectivePeriod", {})
    text = observation.get("effectiveDateTime") or observation.get("effectiveInstant") or period.get("start")
    return interval(text)[0] if text else OPEN_LOW


def operations(fhir: Fhir) -> list[Operation]:
    """`$lastn` on Observation."""
    both = frozenset({"GET", "POST"})
    definition = f"{FHIR}/OperationDefinition/Observation-lastn"
    return [
        Operation("lastn", frozenset({"type"}), LastN(fhir), frozenset({"Observation"}), both, definition, for_all=True)
    ]
