"""The terminology browser: search a code system, look at a code with its notes, go up and down its tree.

https://hl7.org/fhir/R4/terminology-service.html
"""

from __future__ import annotations

from typing import Any, NamedTuple

from fastapi import APIRouter, Request, Response

from fhir_profiles.systems import HCPCS, ICD10CM

from .desk import Desk
from .reception import Reception
from .shown import page, part

ROOM = "terminology"
FIRST = (ICD10CM, HCPCS)
HITS = 50
ASKED = ("system", "version", "text", "code")
NOTES = {
    "includes": "Includes", "inclusion": "Includes", "excludes1": "Excludes 1", "excludes2": "Excludes 2",
    "code-first": "Code first", "use-additional": "Use additional code", "code-also": "Code also",
}  # fmt: skip
SHOWN_APART = {"parent", "child", *NOTES}


class Neighbour(NamedTuple):
    """A code above or below another."""

    code: str
    display: str


class Concept(NamedTuple):
    """A code with all that its code system tells of it."""

    code: str
    display: str
    version: str
    names: list[tuple[str, str]]
    above: list[Neighbour]
    below: list[Neighbour]
    notes: list[tuple[str, list[str]]]
    properties: list[tuple[str, str]]


def terms_routes(router: APIRouter, reception: Reception) -> None:
    """Everything below /work/terminology."""

    @router.get("/work/terminology")
    async def terminology(request: Request) -> Response:
        desk = await reception.desk(request, ROOM)
        systems = await _systems(desk)
        asked = {
            name: request.query_params.get(name, "").strip()[:300] for name in ("system", "version", "text", "code")
        }
        asked["system"] = asked["system"] or next(iter(systems), FIRST[0])
        told: dict[str, Any] = {
            "asked": asked,
            "systems": systems,
            "hits": [],
            "concept": None,
            "why": "",
            "total": None,
        }
        if asked["code"]:
            told["concept"], told["why"] = await _concept(desk, asked)
        elif len(asked["text"]) > 1:
            told["hits"], told["total"], told["why"] = await _hits(desk, asked)
        if "x-fhirwright-swap" in request.headers:
            return part(desk, "terms_found.html", **told)
        return page(desk, "terms.html", room=ROOM, **told)


async def _systems(desk: Desk) -> dict[str, list[str]]:
    """The code systems of this server with their editions, those that are coded with first."""
    found = (await desk.read("metadata", mode="terminology")).get("codeSystem") or []
    every = {str(one["uri"]): [str(v.get("code", "")) for v in one.get("version") or ()] for one in found}
    first = [uri for uri in FIRST if uri in every]
    return {uri: every[uri] for uri in [*first, *(uri for uri in every if uri not in first)]}


async def _hits(desk: Desk, asked: dict[str, str]) -> tuple[list[dict[str, Any]], int | None, str]:
    """What a search finds, how much there is, and why there is nothing."""
    url = f"{asked['system']}?fhir_vs"
    params = [("url", url), ("filter", asked["text"]), ("count", str(HITS)), ("property", "billable")]
    if asked["version"]:
        params.append(("system-version", f"{asked['system']}|{asked['version']}"))
    answer = await desk.send("GET", "ValueSet/$expand", params)
    if not answer.ok:
        return [], None, answer.told()
    expansion = answer.json().get("expansion") or {}
    hits = [{"code": one["code"], "display": one.get("display", "")} for one in expansion.get("contains") or ()]
    return hits, expansion.get("total"), "" if hits else "Nothing was found. Try other words, or fewer."


async def _concept(desk: Desk, asked: dict[str, str]) -> tuple[Concept | None, str]:
    """A code, or why it cannot be shown."""
    params = {"system": asked["system"], "code": asked["code"]}
    if asked["version"]:
        params["version"] = asked["version"]
    answer = await desk.send("GET", "CodeSystem/$lookup", params)
    if not answer.ok:
        return None, answer.told()
    plain: dict[str, str] = {}
    names: list[tuple[str, str]] = []
    properties: list[tuple[str, str, str]] = []
    for one in answer.json().get("parameter") or ():
        parts = {str(p["name"]): p for p in one.get("part") or ()}
        if one["name"] == "designation":
            use = parts.get("use", {}).get("valueCoding", {})
            names.append((str(use.get("display") or use.get("code") or "name"), _value(parts.get("value"))))
        elif one["name"] == "property":
            told = (_value(parts.get(name)) for name in ("code", "value", "description"))
            properties.append((next(told), next(told), next(told)))
        else:
            plain[one["name"]] = _value(one)
    notes = [(title, [v for code, v, _ in properties if code == name]) for name, title in NOTES.items()]
    return Concept(
        asked["code"], plain.get("display", ""), plain.get("version", ""),
        [one for one in dict.fromkeys(names) if one[1] != plain.get("display")],
        [Neighbour(value, text) for code, value, text in properties if code == "parent"],
        [Neighbour(value, text) for code, value, text in properties if code == "child"],
        [one for one in notes if one[1]],
        [(code, value) for code, value, _ in properties if code not in SHOWN_APART],
    ), ""  # fmt: skip


def _value(parameter: dict[str, Any] | None) -> str:
    """The value of a parameter as text."""
    for name, value in (parameter or {}).items():
        if name.startswith("value"):
            if isinstance(value, bool):
                return "yes" if value else "no"
            return str(value.get("display") or value.get("code", "")) if isinstance(value, dict) else str(value)
    return ""
