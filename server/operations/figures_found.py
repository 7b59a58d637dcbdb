"""The resources that figures are made of: searched for with the caller's own rights, newest first, so many at most.

https://hl7.org/fhir/R4/http.html#search
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlsplit

import msgspec

from server.access.reach import permits
from server.figures.model import Period
from server.interactions.exchange import Request
from server.interactions.fhir import Fhir

MOST = 50_000
"""Resources of a type that a figure is made of."""
TOGETHER = 250
"""Resources that are asked for by id in one search."""
Pairs = tuple[tuple[str, str], ...]


class _Link(msgspec.Struct):
    relation: str
    url: str


class _Entry(msgspec.Struct, gc=False):
    resource: msgspec.Raw = msgspec.Raw(b"{}")


class _Bundle(msgspec.Struct):
    link: list[_Link] = []
    entry: list[_Entry] = []


_bundle = msgspec.json.Decoder(_Bundle)


class Found:
    """Searches on behalf of who asks for figures. `notes` say what was left out, and why."""

    def __init__(self, fhir: Fhir, asked: Request) -> None:
        self._fhir, self._asked = fhir, asked
        self.notes: list[str] = []

    def may(self, kind: str) -> bool:
        """Whether the caller may search a type at all; where not, what rests on it is left out, and that is noted."""
        if permits(self._asked.caller, kind, "s"):
            return True
        self._note(f"{kind} is not open to you: what rests on it is left out.")
        return False

    def newest(self, kind: str, pairs: Pairs, order: str) -> Iterator[bytes]:
        """What a search finds, the newest by `order` first."""
        count = min(self._fhir.settings.max_count, 1000)
        query: Pairs = (*pairs, ("_sort", f"-{order}"), ("_count", str(count)), ("_total", "none"))
        told = 0
        while True:
            bundle = self._ask(kind, query)
            for entry in bundle.entry:
                if told == MOST:
                    self._note(f"More than {MOST} {kind} resources match: the newest are counted. Ask for less time.")
                    return
                told += 1
                yield bytes(entry.resource)
            url = next((link.url for link in bundle.link if link.relation == "next"), None)
            if url is None:
                return
            query = tuple(parse_qsl(urlsplit(url).query, keep_blank_values=True))

    def named(self, references: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """Those of the resources (`Type/id`) that the caller may see."""
        several: dict[str, list[str]] = {}
        for reference in dict.fromkeys(references):
            kind, _, id = reference.partition("/")
            several.setdefault(kind, []).append(id)
        for kind, ids in several.items():
            if not self.may(kind):
                continue
            for first in range(0, len(ids), TOGETHER):
                some = ids[first : first + TOGETHER]
                asked = (("_id", ",".join(some)), ("_count", str(TOGETHER)), ("_total", "none"))
                for entry in self._ask(kind, asked).entry:
                    body = bytes(entry.resource)
                    yield f"{kind}/{_id.decode(body).id}", body

    def version(self, reference: str) -> bytes:
        """A version (`Type/id/_history/n`) as it stood; FhirError where it is not to be seen."""
        return self._fhir.handle_sync(self._request(tuple(reference.split("/")), ())).body

    def _ask(self, kind: str, query: Pairs) -> _Bundle:
        return _bundle.decode(self._fhir.handle_sync(self._request((kind,), query)).body)

    def _request(self, path: tuple[str, ...], query: Pairs) -> Request:
        asked = self._asked
        return Request(
            method="GET", path=path, query=query, base_url=asked.base_url, caller=asked.caller, prefer="handling=strict"
        )

    def _note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)


class _Id(msgspec.Struct):
    id: str = ""


_id = msgspec.json.Decoder(_Id)


def within(name: str, period: Period) -> Pairs:
    """A date parameter that holds a period."""
    return ((name, f"ge{_instant(period.start)}"), (name, f"lt{_instant(period.end)}"))


def _instant(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
