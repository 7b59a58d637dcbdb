"""Holds what the server answers against the oracle, and against a world without what is hidden from the caller."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

import msgspec

from campaigns.reaching import oracle
from campaigns.reaching.asking import Ask
from campaigns.reaching.holders import caller
from campaigns.reaching.oracle import Holder
from campaigns.reaching.servers import Answer, Past, Server
from campaigns.reaching.world import Json
from campaigns.reaching.writes import judge_puts, judge_write
from fhir_profiles import json
from server.access.caller import ANYBODY
from server.interactions.exchange import Request

_MARK = re.compile(rb"mark\d{5}x")
_REFUSED = b"What you were given does not let you"
PAGES = 3


class Finding(NamedTuple):
    """What is wrong: a leak, a refusal of what is allowed, or an answer where a refusal by name is due."""

    kind: str
    text: str


@dataclass
class Eyes:
    """What one holder sees: the marks of the versions within a right, and what is hidden."""

    marks: set[bytes] = field(default_factory=set)
    hidden: list[tuple[str, str, int | None]] = field(default_factory=list)


def eyes_of(holder: Holder, right: str, past: Past) -> Eyes:
    """What the oracle lets the holder see of every version."""
    eyes = Eyes()
    for (kind, name), versions in past.versions.items():
        if not oracle.may(holder, kind, right, versions[-1][1], past.there):
            eyes.hidden.append((kind, name, None))
            continue
        for number, resource in versions:
            if oracle.may(holder, kind, right, resource, past.there):
                if resource is not None:
                    eyes.marks.add(resource["meta"]["tag"][0]["code"].encode())
            else:
                eyes.hidden.append((kind, name, number))
    return eyes


@dataclass
class View:
    """A holder, and the worlds that hold what is readable and what is searchable, and nothing else."""

    holder: Holder
    eyes: dict[str, Eyes]
    twins: dict[str, Server]

    @property
    def even(self) -> bool:
        """Whether reading and searching reach as far."""
        return self.eyes["r"].hidden == self.eyes["s"].hidden


class Judge:
    """Asks the server and says what is wrong with its answer."""

    def __init__(self, server: Server, past: Past) -> None:
        self.server = server
        self.past = past
        self.links: list[tuple[str, Ask]] = []
        """Next links that somebody was given, for others to try."""

    def judge(self, view: View, ask: Ask) -> list[Finding]:
        """What is wrong with the answer to one request."""
        holder = view.holder
        answer = self._ask(ask.request, holder)
        if answer.status >= 500:
            return [Finding("fault", f"{answer.status}")]
        if ask.world == "b":
            return self._bundle(view, ask, answer)
        return self._one(view, ask, answer)

    def _ask(self, request: Request, holder: Holder) -> Answer:
        return self.server.ask(msgspec.structs.replace(request, caller=caller(holder)))

    def _one(self, view: View, ask: Ask, answer: Answer, *, inside: bool = False) -> list[Finding]:
        refused = is_refused(view.holder, ask)
        if refused and answer.status < 400:
            return [*self._scan(view, ask, answer), Finding("unrefused", f"{answer.status} where 403 is due")]
        if refused:
            return []
        if ask.world == "w":
            return [
                *self._scan(view, ask, answer),
                *judge_puts(view.holder, [ask], answer, self.past, inside=inside),
                *judge_write(view.holder, ask, answer, self.past, view.twins["s"], inside=inside),
            ]
        if answer.status == 403:
            return [Finding("over-refusal", "403 where nothing forbids")]
        return self._reading(view, ask, answer, inside=inside)

    def _reading(self, view: View, ask: Ask, answer: Answer, *, inside: bool) -> list[Finding]:
        if ask.world == "rs" and (not view.even or _REFUSED in answer.body):
            return self._scan(view, ask, answer)
        if ask.kind.endswith("replayed") and not ask.request.path:
            return self._scan(view, ask, answer)  # a place in another's order, which may have other types
        twin = view.twins[ask.world[0]]
        wanted = twin.ask(msgspec.structs.replace(ask.request, caller=ANYBODY))
        if "_history" in ask.request.path[-1:] and not inside and answer.status == wanted.status == 200:
            return self._past(view, ask, answer, wanted)
        found = self._differs(view, ask, answer, wanted, inside=inside)
        if found or inside or answer.status != 200 or ask.world == "r":
            return found
        return self._pages(view, ask, answer, wanted, twin)

    def _pages(self, view: View, ask: Ask, answer: Answer, wanted: Answer, twin: Server) -> list[Finding]:
        """The pages that follow, each side by its own links."""
        for _ in range(PAGES):
            here, there = _next(answer.body), _next(wanted.body)
            if here is None or there is None:
                return [] if here == there else [Finding("leak", "there is a next page where there should be none")]
            if len(self.links) < 500:
                self.links.append((here, ask))
            answer = self._ask(follow(ask, here).request, view.holder)
            wanted = twin.ask(msgspec.structs.replace(follow(ask, there).request, caller=ANYBODY))
            if found := self._differs(view, ask, answer, wanted):
                return found
        return []

    def _past(self, view: View, ask: Ask, answer: Answer, wanted: Answer) -> list[Finding]:
        """Histories: the versions in their order, however they are cut into pages; a total is true or not told."""
        here, more = self._versions(self.server, ask, answer, view)
        there, further = self._versions(view.twins[ask.world[0]], ask, wanted, None)
        least = min(len(here), len(there))
        if here[:least] != there[:least] or (len(here) > len(there) and not further):
            return self._scan(view, ask, answer) or [
                Finding("leak", f"a version too many or too few: {_first(here, there)}")
            ]
        if not more and len(here) < len(there):
            return [Finding("over-refusal", f"{len(there) - len(here)} versions too few")]
        told, true = json.decode(answer.body).get("total"), json.decode(wanted.body).get("total")
        return [] if told in (None, true) else [Finding("leak", f"total {told}, must be {true}")]

    def _versions(self, server: Server, ask: Ask, answer: Answer, view: View | None) -> tuple[list[Any], bool]:
        found: list[Any] = []
        for _ in range(PAGES):
            found += json.decode(answer.body).get("entry", [])
            link = _next(answer.body)
            if link is None:
                return found, False
            who = ANYBODY if view is None else caller(view.holder)
            answer = server.ask(msgspec.structs.replace(follow(ask, link).request, caller=who))
        return found, _next(answer.body) is not None

    def _differs(self, view: View, ask: Ask, answer: Answer, wanted: Answer, *, inside: bool = False) -> list[Finding]:
        if answer.status != wanted.status:
            if answer.status < 400 <= wanted.status:
                return [Finding("leak", f"{answer.status}, must be {wanted.status}"), *self._scan(view, ask, answer)]
            kind = "over-refusal" if wanted.status < 400 else "leak"
            return [Finding(kind, f"{answer.status}, must be {wanted.status}: {answer.body[:120]!r}")]
        if (answer.body == wanted.body and answer.etag == wanted.etag) or (inside and answer.status >= 400):
            return []
        here, there = plain(answer.body), plain(wanted.body)
        if here == there:
            return []
        if found := self._scan(view, ask, answer):
            return found
        fewer = set(_MARK.findall(wanted.body)) - set(_MARK.findall(answer.body))
        kind = "over-refusal" if fewer else "leak"
        return [Finding(kind, f"the answer is not that of a world without what is hidden: {_first(here, there)}")]

    def _scan(self, view: View, ask: Ask, answer: Answer) -> list[Finding]:
        """Marks in the answer that the holder must not see."""
        rights = {"r": "r", "s": "s"}.get(ask.world, "rs")
        allowed = set().union(*(view.eyes[right].marks for right in rights))
        body = answer.body
        if b'"link":' in body:
            body = json.encode(plain(body))
        shown = set(_MARK.findall(body)) - allowed
        return [Finding("leak", f"shows {len(shown)} hidden: {sorted(shown)[:3]}")] if shown else []

    def _bundle(self, view: View, ask: Ask, answer: Answer) -> list[Finding]:
        found = [*self._scan(view, ask, answer), *judge_puts(view.holder, ask.parts, answer, self.past)]
        refused = [is_refused(view.holder, part) for part in ask.parts]
        if ask.kind == "transaction":
            if any(refused) and answer.status < 400:
                found.append(Finding("unrefused", "a transaction with a forbidden entry"))
            return found
        if answer.status != 200:
            return [*found, Finding("over-refusal", f"a batch is refused as a whole: {answer.status}")]
        for part, entry in zip(ask.parts, json.decode(answer.body)["entry"], strict=True):
            found += [
                Finding(one.kind, f"entry {part.url[:120]}: {one.text}") for one in self._entry(view, part, entry)
            ]
        return found

    def _entry(self, view: View, part: Ask, entry: Json) -> list[Finding]:
        told = entry["response"]
        body = json.encode(entry["resource"]) if "resource" in entry else b""
        body = json.encode(told["outcome"]) if "outcome" in told else body
        answer = Answer(int(told["status"][:3]), body, told.get("etag"), told.get("location"))
        if part.world != "w" and answer.status < 400 and not is_refused(view.holder, part):
            twin = view.twins[part.world[0]]
            wanted = twin.ask(msgspec.structs.replace(part.request, caller=ANYBODY))
            if part.request.path[-1] == "_history":
                return []
            return self._differs(view, part, _with_etag(answer, wanted), wanted, inside=True)
        return self._one(view, part, answer, inside=True)


def _with_etag(answer: Answer, wanted: Answer) -> Answer:
    """The answer of an entry, whose ETag stands elsewhere."""
    return Answer(answer.status, answer.body, wanted.etag, answer.location, answer.puts)


def is_refused(holder: Holder, ask: Ask) -> bool:
    """Whether the holder lacks a right that the request needs on any resource at all."""
    if any(not oracle.may_some(holder, kind, right) for kind, right in ask.needs):
        return True
    return ask.some is not None and all(ask.some not in oracle.read(scope)[2] for scope in holder.scopes)


def follow(ask: Ask, link: str) -> Ask:
    """The request of a link."""
    split = urlsplit(link)
    path = tuple(part for part in split.path.removeprefix("/fhir").split("/") if part)
    pairs = tuple(parse_qsl(split.query, keep_blank_values=True))
    request = Request(method="GET", path=path, query=pairs, base_url=ask.request.base_url)
    return Ask(f"{ask.kind}, replayed", request, ask.needs, ask.some, ask.world)


def plain(body: bytes) -> Any:
    """An answer without what is of the moment or means nothing: cursors, the order of includes, a document's number."""
    if not body:
        return None
    found = json.decode(body)
    return _plain(found) if isinstance(found, dict) else found


def _plain(found: Json) -> Json:
    if found.get("resourceType") != "Bundle":
        return found
    found["link"] = sorted(link["relation"] for link in found.get("link", ()))
    if found.get("type") == "document":
        found.pop("timestamp", None)
        found.pop("identifier", None)
    entries = found.get("entry", [])
    for entry in entries:
        if "resource" in entry:
            entry["resource"] = _plain(entry["resource"])
    entries.sort(key=lambda entry: _rank(entry) if entry.get("search", {}).get("mode") == "include" else "")
    return found


def _rank(entry: Json) -> str:
    return str(entry.get("fullUrl"))


def _next(body: bytes) -> str | None:
    if b'"next"' not in body:
        return None
    links = json.decode(body).get("link", ())
    return next((link["url"] for link in links if link["relation"] == "next"), None)


def _first(here: Any, there: Any) -> str:
    """Where two answers first differ, briefly."""
    one, other = json.encode({"x": here}).decode(), json.encode({"x": there}).decode()
    at = next(
        (n for n, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), min(len(one), len(other))
    )
    return f"…{one[max(0, at - 60) : at + 80]} / {other[max(0, at - 10) : at + 80]}"
