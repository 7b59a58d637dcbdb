"""Stored Claims by the numbers that their submitter gave them, and what was sent by the numbers of its envelope."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from fhir_profiles import json
from fhir_profiles.systems import TRANSACTION_SET
from server.interactions.exchange import Request
from server.interactions.fhir import Fhir

Json = dict[str, Any]
AT_ONCE = 50
"""Numbers that one search asks for."""
UNKNOWN = "no stored claim has this number"
SEVERAL = "several stored claims have this number"


class Numbers:
    """Searches on behalf of who brings the answers; each number once."""

    def __init__(self, fhir: Fhir, request: Request) -> None:
        self._fhir, self._request = fhir, request
        self._known: dict[str, Json | str] = {}

    def of(self, numbers: Iterable[str]) -> dict[str, Json | str]:
        """Number → the Claim that has it, or why none is meant. X12 writes numbers in capitals: case does not count."""
        wanted = list(dict.fromkeys(numbers))
        missing = [one for one in wanted if one not in self._known]
        for at in range(0, len(missing), AT_ONCE):
            self._ask(missing[at : at + AT_ONCE])
        return {one: self._known[one] for one in wanted}

    def _ask(self, numbers: list[str]) -> None:
        both = dict.fromkeys(text for one in numbers for text in (one, one.lower()))
        query = (("identifier", ",".join(map(_escaped, both))), ("use", "claim"), ("_count", "1000"))
        found: defaultdict[str, dict[str, Json]] = defaultdict(dict)
        for claim in self._search("Claim", query):
            first: Json = next(iter(claim.get("identifier") or ()), {})
            found[str(first.get("value", "")).upper()][claim["id"]] = claim
        for number in numbers:
            claims = list(found[number.upper()].values())
            live = [one for one in claims if one.get("status") == "active"] or claims
            self._known[number] = live[0] if len(live) == 1 else SEVERAL if live else UNKNOWN

    def sent(self, group: str, control: str | None) -> list[str]:
        """The ids of the Claims that were sent in a group, or in one transaction set of it; the newest such sending."""
        value = group if control is None else f"{group}-{control}"
        query = (("identifier", f"{TRANSACTION_SET}|{_escaped(value)}"), ("_sort", "-_lastUpdated"), ("_count", "100"))
        lists = self._search("List", query)
        mine = [one for one in lists if one.get("title") == lists[0].get("title")]  # of one interchange
        references = [entry["item"].get("reference", "") for one in mine for entry in one.get("entry") or ()]
        return [one.removeprefix("Claim/") for one in dict.fromkeys(references) if one.startswith("Claim/")]

    def _search(self, kind: str, query: tuple[tuple[str, str], ...]) -> list[Json]:
        one = Request(
            method="GET", path=(kind,), query=query, base_url=self._request.base_url, caller=self._request.caller,
            prefer="handling=strict",
        )  # fmt: skip
        found = json.decode(self._fhir.handle_sync(one).body)
        return [entry["resource"] for entry in found.get("entry") or ()]


def _escaped(value: str) -> str:
    for sign in "\\,|$":
        value = value.replace(sign, f"\\{sign}")
    return value
