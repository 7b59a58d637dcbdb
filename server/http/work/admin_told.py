"""What the pages of administrators show, read from the answers of the FHIR API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from .desk import Desk, Json

EVENTS, JOBS = 100, 100


class Account(NamedTuple):
    """Somebody who signs in."""

    id: str
    name: str
    roles: tuple[str, ...]
    disabled: bool
    factor: bool
    who: str


class Release(NamedTuple):
    """A loaded terminology or table."""

    kind: str
    name: str
    version: str
    age: str
    rows: str


class Job(NamedTuple):
    """The coding of a document."""

    id: str
    document: str
    stage: str
    since: str
    reason: str


class Event(NamedTuple):
    """Something that was done."""

    id: str
    at: str
    what: str
    outcome: str
    agents: str
    address: str
    entities: tuple[str, ...]


def accounts_of(parameters: Json) -> tuple[list[Account], list[tuple[str, str]]]:
    """The accounts, and the roles that there are with their titles."""
    accounts, roles = [], []
    for one in parameters.get("parameter") or ():
        parts = one.get("part") or ()
        plain = {part["name"]: part for part in parts}
        if one["name"] == "role":
            roles.append((plain["name"]["valueCode"], plain["title"]["valueString"]))
        else:
            given = tuple(part["valueCode"] for part in parts if part["name"] == "role")
            accounts.append(
                Account(
                    plain["id"]["valueId"], plain["name"]["valueString"], given, plain["disabled"]["valueBoolean"],
                    plain["secondFactor"]["valueBoolean"],
                    plain.get("who", {}).get("valueReference", {}).get("reference", ""),
                )
            )  # fmt: skip
    return accounts, roles


async def releases_of(desk: Desk) -> list[Release]:
    """Terminologies and tables that are loaded, with their ages in days."""
    found: dict[tuple[str, str, str], dict[str, str]] = {}
    for one in (await desk.read("$figures", of="system")).get("parameter") or ():
        parts = _parts(one)
        if parts.get("name") in ("release-age", "release-rows"):
            key = parts.get("kind", ""), parts.get("release", ""), parts.get("version", "")
            found.setdefault(key, {})[parts["name"]] = parts.get("value", "")
    return [
        Release(kind, name, version, told.get("release-age", ""), told.get("release-rows", ""))
        for (kind, name, version), told in sorted(found.items())
    ]


async def jobs_of(desk: Desk, state: str) -> list[Job]:
    """Documents whose coding is in a state, those that moved last first."""
    params = [("code", "code-document"), ("status", state), ("_sort", "-modified"), ("_count", str(JOBS))]
    tasks = await desk.search("Task", params, JOBS)
    return [
        Job(
            str(one["id"]), str((one.get("focus") or {}).get("reference", "")),
            str(((one.get("businessStatus") or {}).get("coding") or [{}])[0].get("display", "")),
            str(one.get("lastModified", "")), str((one.get("statusReason") or {}).get("text", "")),
        )
        for one in tasks
    ]  # fmt: skip


async def events_of(desk: Desk, asked: Mapping[str, str]) -> tuple[list[Event], str]:
    """The newest events that are asked for, or why there are none."""
    params = [(name, value) for name, value in asked.items() if value]
    answer = await desk.send("GET", "AuditEvent", [*params, ("_count", str(EVENTS))])
    if not answer.ok:
        return [], answer.told()
    return [_event(entry["resource"]) for entry in answer.json().get("entry") or ()], ""


def _event(one: Mapping[str, Any]) -> Event:
    subtype = (one.get("subtype") or [{}])[0]
    agents = one.get("agent") or []
    named = [a.get("who", {}).get("reference") or a.get("who", {}).get("display") or a.get("altId", "") for a in agents]
    what = [str((e.get("what") or {}).get("reference", "")) for e in one.get("entity") or ()]
    addresses = [str((agent.get("network") or {}).get("address", "")) for agent in agents]
    return Event(
        id=str(one.get("id", "")),
        at=str(one.get("recorded", "")),
        what=str(subtype.get("code", "")),
        outcome=str(one.get("outcome", "")),
        agents=", ".join(dict.fromkeys(filter(None, named))),
        address=next(filter(None, addresses), ""),
        entities=tuple(dict.fromkeys(filter(None, what))),
    )


def _parts(parameter: Mapping[str, Any]) -> dict[str, str]:
    """The parts of a figure as text; a label called `name` is told as `release`."""
    found: dict[str, str] = {}
    for part in parameter.get("part") or ():
        if part["name"] == "label":
            labels = {str(one["name"]): _value(one) for one in part.get("part") or ()}
            found |= {"release" if name == "name" else name: value for name, value in labels.items()}
        else:
            found[str(part["name"])] = _value(part)
    return found


def _value(part: Mapping[str, Any]) -> str:
    return str(next((value for key, value in part.items() if key.startswith("value")), ""))
