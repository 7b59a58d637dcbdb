"""What a write must be answered, and what it may have stored."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import msgspec

from campaigns.reaching import oracle
from campaigns.reaching.oracle import Holder
from campaigns.reaching.servers import Answer, Past, Server
from campaigns.reaching.world import BASE, Json
from fhir_profiles import json
from server.access.caller import ANYBODY
from server.interactions.exchange import JSON_PATCH, Request

if TYPE_CHECKING:
    from campaigns.reaching.asking import Ask
    from campaigns.reaching.judging import Finding

RIGHTS = {"POST": "c", "PUT": "u", "PATCH": "u", "DELETE": "d"}


def judge_puts(
    holder: Holder, asks: Iterable[Ask], answer: Answer, past: Past, *, inside: bool = False
) -> list[Finding]:
    """What was stored must be the holder's to store, before and after."""
    from campaigns.reaching.judging import Finding

    found = []
    for version, current in answer.puts if not inside else ():
        before = json.decode(current.body) if current is not None and current.body else None
        after = json.decode(version.body) if version.body else None
        rights = [
            RIGHTS[ask.request.method] for ask in asks if ask.world == "w" and ask.request.path[0] == version.type
        ]
        if not any(_fits(holder, version.type, right, before, after, past) for right in rights):
            found.append(Finding("leak", f"wrote {version.type} that is not theirs"))
    return found


def _fits(holder: Holder, kind: str, right: str, before: Json | None, after: Json | None, past: Past) -> bool:
    there = [(one, one is before) for one in (before, after) if one is not None]
    if after is not None and not oracle.may_point(holder, after, past.there):
        return False
    allowed = (oracle.may(holder, kind, right, one, past.there, stored=stored) for one, stored in there)
    return all(allowed) and (right == "d") is (after is None)


def judge_write(holder: Holder, ask: Ask, answer: Answer, past: Past, twin: Server, *, inside: bool) -> list[Finding]:
    """Whether the status is that of the oracle, and whether what must be stored was."""
    from campaigns.reaching.judging import Finding

    due = expected(holder, ask, past, twin)
    if answer.status not in due:
        kind = "over-refusal" if answer.status >= 400 and min(due) < 400 else "leak"
        return [Finding(kind, f"{answer.status}, must be {sorted(due)}: {answer.body[:160]!r}")]
    if (
        ask.request.method == "DELETE"
        and not inside
        and len(answer.puts) != (due_ends := _ends(holder, ask, past, twin))
    ):
        kind = "over-refusal" if len(answer.puts) < due_ends else "leak"
        return [Finding(kind, f"ended {len(answer.puts)}, must be {due_ends}")]
    return []


def expected(holder: Holder, ask: Ask, past: Past, twin: Server) -> set[int]:
    """The statuses that fit."""
    kind, method = ask.request.path[0], ask.request.method
    criteria = ask.request.if_none_exist or "&".join("=".join(pair) for pair in ask.request.query)
    if not criteria:
        if method == "POST":
            return _new(holder, ask, kind, past)
        return _there(holder, ask, past, kind, ask.request.path[1])
    found = _matches(twin, kind, criteria)
    if method == "DELETE":
        return {200, 204}
    if len(found) > 1:
        return {412}
    if method == "POST":
        return {200} if found else _new(holder, ask, kind, past)
    if not found:
        return {404} if method == "PATCH" else _new(holder, ask, kind, past)
    return _there(holder, ask, past, kind, found[0])


def _ends(holder: Holder, ask: Ask, past: Past, twin: Server) -> int:
    """How many resources a delete ends."""
    kind, query = ask.request.path[0], "&".join("=".join(pair) for pair in ask.request.query)
    names = _matches(twin, kind, query) if query else [ask.request.path[1]]
    there = [past.current((kind, name)) for name in names if (kind, name) in past.versions]
    return sum(one is not None and oracle.may(holder, kind, "d", one, past.there) for one in there)


def _new(holder: Holder, ask: Ask, kind: str, past: Past) -> set[int]:
    assert ask.body is not None
    name = ask.request.path[1] if len(ask.request.path) > 1 else "new"
    made = ask.body | {"id": name}
    allowed = oracle.may(holder, kind, RIGHTS[ask.request.method], made, past.there, stored=False)
    allowed = allowed and oracle.may_point(holder, made, past.there)
    return {201} if allowed else {403}


def _there(holder: Holder, ask: Ask, past: Past, kind: str, name: str) -> set[int]:
    """A write to what may be there, with a tag of the version that it expects."""
    method, right = ask.request.method, RIGHTS[ask.request.method]
    versions = past.versions.get((kind, name))
    tag = ask.request.if_match
    if versions is None:
        late = {412} if tag and method != "PATCH" else set()
        if method == "DELETE":
            return late or {200, 204}
        return {404} if method == "PATCH" else late or _new(holder, ask, kind, past)
    number, current = versions[-1]
    if not oracle.may(holder, kind, right, current, past.there):
        return {200, 204} if method == "DELETE" else {412} if tag and method == "PUT" else {404}
    if tag and (current is None or tag != f'W/"{number}"'):
        return {412}
    if method == "DELETE":
        return {200, 204}
    if current is None:
        return {410, 404} if method == "PATCH" else {200, 201}
    after = ask.body | {"id": name} if ask.body is not None else _patched(ask.request, current)
    if "contained" in current:
        return {200, 400, 403}  # what is contained must be referred to
    allowed = oracle.may(holder, kind, right, after, past.there, stored=False) and oracle.may_point(
        holder, after, past.there
    )
    return {200, 201} if allowed else {403}


def _patched(request: Request, current: Json) -> Json:
    """What a patch makes: the few that are asked here."""
    change = json.decode(b'{"x":%b}' % request.body)["x"]
    if request.content_type == JSON_PATCH:
        return current | {one["path"][1:]: one["value"] for one in change}
    return current | {
        name: (current.get(name, {}) | part if isinstance(part, dict) else part) for name, part in change.items()
    }


def _matches(twin: Server, kind: str, criteria: str) -> list[str]:
    """The ids that the criteria find in the world without what is hidden."""
    pairs = tuple((name, value) for name, _, value in (pair.partition("=") for pair in criteria.split("&")))
    request = Request(method="GET", path=(kind,), query=(*pairs, ("_count", "100")), base_url=BASE, caller=ANYBODY)
    bundle = json.decode(twin.ask(msgspec.structs.replace(request)).body)
    return [entry["resource"]["id"] for entry in bundle.get("entry", ())]
