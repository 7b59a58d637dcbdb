"""`Patient/$match`: who on this server may be the person described, each with a score and a grade.

Nothing is merged or linked: the caller decides. https://hl7.org/fhir/R4/patient-operation-match.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fhir_profiles import json
from fhir_profiles.errors import Category, FhirError
from fhir_profiles.systems import FHIR, MATCH_GRADE
from server.interactions import content
from server.interactions.exchange import Request, Response
from server.interactions.fhir import Fhir
from server.matching.scoring import Score, score
from server.operations.parameters import Arguments, read_arguments, wrong
from server.operations.registry import Operation

Json = dict[str, Any]
Pairs = tuple[tuple[str, str], ...]
_BLOCK = 200  # candidates of one search
_MOST = 100


class Match:
    """Finds candidates by several searches, each for another way in which a record goes wrong, and scores them."""

    def __init__(self, fhir: Fhir) -> None:
        self._fhir = fhir

    async def __call__(self, request: Request) -> Response:
        """The searchset, the best first."""
        arguments = read_arguments(request)
        arguments.only("resource", "onlyCertainMatches", "count")
        asked = arguments.value("resource")
        if not isinstance(asked, dict) or asked.get("resourceType") != "Patient":
            raise wrong("Send a Parameters with a Patient as its parameter resource.", "Parameters.parameter")
        content.validate(asked)
        return Response(
            status=200, body=json.encode(await self._fhir.store.run(self._answer, request, asked, arguments))
        )

    def _answer(self, request: Request, asked: Json, arguments: Arguments) -> Json:
        blocks = list(_blocks(asked))
        if not blocks:
            text = "The Patient needs an identifier, a birth date, a family name or a telecom to be looked for."
            raise FhirError.of(Category.INCORRECT, "required", text, "Patient")
        candidates: dict[str, Json] = {}
        for pairs in blocks:
            for found in self._search(request, pairs):
                candidates.setdefault(found["id"], found)
        scored = [(score(asked, one), one) for one in candidates.values()]
        scored = [pair for pair in scored if pair[0].grade != "certainly-not"]
        scored.sort(key=lambda pair: (-pair[0].probability, pair[1]["id"]))
        if arguments.flag("onlyCertainMatches"):
            certain = [pair for pair in scored if pair[0].grade == "certain"]
            scored = certain if len(certain) == 1 else []  # of two nobody is certain
        return _bundle(request, scored[: arguments.whole("count", 20, _MOST)])

    def _search(self, request: Request, pairs: Pairs) -> list[Json]:
        one = Request(
            method="GET",
            path=("Patient",),
            query=(*pairs, ("_count", str(_BLOCK))),
            base_url=request.base_url,
            caller=request.caller,
            prefer="handling=strict",
        )
        bundle = json.decode(self._fhir.handle_sync(one).body)
        return [entry["resource"] for entry in bundle.get("entry", ()) if entry["search"]["mode"] == "match"]


def _blocks(asked: Json) -> Iterator[Pairs]:
    """Searches that find the person although one thing or another is wrong."""
    for one in asked.get("identifier", ())[:5]:
        if one.get("system") and one.get("value"):
            yield (("identifier", f"{_escaped(one['system'])}|{_escaped(one['value'])}"),)
    for one in asked.get("telecom", ())[:3]:
        if one.get("value"):
            yield (("telecom", _escaped(one["value"])),)
    born = asked.get("birthDate", "")
    if len(born) == 10:
        yield (("birthdate", born),)
        year, month, day = born.split("-")
        if month != day and int(day) <= 12:
            yield (("birthdate", f"{year}-{day}-{month}"),)
    for name in asked.get("name", ())[:3]:
        family, given = name.get("family", "").strip(), next(iter(name.get("given", ())), "").strip()
        if family and given:
            yield (("family", _escaped(family)), ("given", _escaped(given[:1])))
        if family and born:
            yield (("family", _escaped(family[:3])), ("birthdate", born[:4]))
        if given and born:
            yield (("given", _escaped(given)), ("birthdate", born[:4]))
        if family and not given and not born:
            yield (("family", _escaped(family)),)


def _escaped(text: str) -> str:
    for mark in "\\,|$":
        text = text.replace(mark, f"\\{mark}")
    return text


def _bundle(request: Request, scored: list[tuple[Score, Json]]) -> Json:
    entries = [
        {
            "fullUrl": f"{request.base_url}/Patient/{one['id']}",
            "resource": one,
            "search": {
                "extension": [{"url": MATCH_GRADE, "valueCode": found.grade}],
                "mode": "match",
                "score": round(found.probability, 4),
            },
        }
        for found, one in scored
    ]
    bundle: Json = {"resourceType": "Bundle", "type": "searchset", "total": len(entries)}
    return bundle | ({"entry": entries} if entries else {})


def operations(fhir: Fhir) -> list[Operation]:
    """`$match` on Patient."""
    definition = f"{FHIR}/OperationDefinition/Patient-match"
    return [
        Operation(
            "match", frozenset({"type"}), Match(fhir), frozenset({"Patient"}), definition=definition, for_all=True
        )
    ]
