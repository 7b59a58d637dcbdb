"""A request for authorisation as it comes, a Bundle with what its Claim refers to, made into one whole Claim.

https://hl7.org/fhir/us/davinci-pas/StructureDefinition-profile-pas-request-bundle.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from claims.answer.benefit_parties import Beside
from claims.answer.needs import lacking, read_needs
from claims.sheet.parties import Resolve
from fhir_profiles import json
from fhir_profiles.errors import Category, FhirError

Json = dict[str, Any]
USE = "preauthorization"
MOST_ENTRIES = 500


class Asked(NamedTuple):
    """A request: the Claim with what it refers to inside it, what it lacks of PAS, and the Bundle's number."""

    claim: Json
    lacks: list[str]
    bundled: bool
    number: Json | None = None


def read_request(sent: Json, local: Callable[[str], str | None], resolve: Resolve | None = None) -> Asked:
    """The request in a Bundle or a Claim; FhirError where it is built as neither.

    `local` gives the address (`Type/id`) of a reference that the server has, None of others: these are looked for in
    the Bundle, and stay with the Claim.
    """
    if sent.get("resourceType") == "Claim":
        claim, lacks = sent, ["Bundle: send the Claim as the first entry of a collection, with what it refers to."]
    else:
        claim, lacks = _bundled(sent, local)
    if claim.get("use") != USE:
        text = "Only a Claim whose use is preauthorization asks for an authorisation."
        raise FhirError.of(Category.INCORRECT, "value", text, "Claim.use")
    needs = read_needs("claims.preauth", "request.toml")
    lacks += lacking(needs, claim, Beside(claim, resolve))
    bundled = sent is not claim
    return Asked(claim, lacks, bundled, sent.get("identifier") if bundled else None)


def _bundled(sent: Json, local: Callable[[str], str | None]) -> tuple[Json, list[str]]:
    entries = sent.get("entry") or []
    if sent.get("resourceType") != "Bundle" or sent.get("type") != "collection":
        raise _wrong("A request is a Bundle of type collection whose first entry is a Claim.", "Bundle.type")
    if len(entries) > MOST_ENTRIES:
        raise FhirError.of(Category.INCORRECT, "too-costly", f"A request has at most {MOST_ENTRIES} entries.", "Bundle")
    kinds = [(one.get("resource") or {}).get("resourceType") for one in entries]
    if not kinds or kinds[0] != "Claim" or kinds.count("Claim") != 1:
        raise _wrong("The first entry of a request is its Claim, and the only one.", "Bundle.entry")
    lacks = [
        text
        for missing, text in (
            ("identifier" not in sent, "Bundle.identifier: give the transaction a number."),
            ("timestamp" not in sent, "Bundle.timestamp: say when it was made."),
            (any("fullUrl" not in one for one in entries), "Bundle.entry.fullUrl: give every entry its address."),
        )
        if missing
    ]
    return _whole(entries, local), lacks


def _wrong(text: str, where: str) -> FhirError:
    return FhirError.of(Category.INCORRECT, "structure", text, where)


def _whole(entries: list[Json], local: Callable[[str], str | None]) -> Json:
    """The Claim of the first entry with those entries inside it that it refers to, and these in turn."""
    near: dict[str, Json] = {}
    for entry in entries[1:]:
        one = entry.get("resource") or {}
        if one.get("contained"):
            raise _wrong("What a resource of the Bundle contains is an entry of its own.", "Bundle.entry")
        for name in (entry.get("fullUrl"), f"{one.get('resourceType')}/{one.get('id')}" if one.get("id") else None):
            if name:
                near.setdefault(name, one)
    inside = _Inside(near, local, {str(one.get("id")) for one in entries[0]["resource"].get("contained", ())})
    claim = inside.pointed(entries[0]["resource"])
    own = list(claim.pop("contained", ()))
    contained = own + inside.gathered()
    return {"resourceType": "Claim", **({"contained": contained} if contained else {}), **claim}


class _Inside:
    """Turns references to entries into references to what is contained, and gathers these."""

    def __init__(self, near: dict[str, Json], local: Callable[[str], str | None], taken: set[str]) -> None:
        self._near, self._local, self._taken = near, local, taken
        self._names: dict[int, str] = {}
        self._waiting: list[Json] = []

    def gathered(self) -> list[Json]:
        found = []
        while self._waiting:
            one = self._waiting.pop(0)
            kept = {"resourceType": one["resourceType"], "id": self._names[id(one)]}
            found.append(kept | {k: v for k, v in self.pointed(one).items() if k not in ("resourceType", "id", "meta")})
        return found

    def pointed(self, value: Any) -> Any:
        """The same with every reference as it is from inside the Claim."""
        if isinstance(value, list):
            return [self.pointed(one) for one in value]
        if not isinstance(value, dict):
            return value
        found = {name: self.pointed(part) for name, part in value.items()}
        if isinstance(found.get("reference"), str):
            found["reference"] = self._name(found["reference"])
        return found

    def _name(self, reference: str) -> str:
        if reference.startswith("#"):
            return reference
        if (here := self._local(reference)) is not None:
            return here
        one = self._near.get(reference)
        if one is None:
            return reference
        if id(one) not in self._names:
            self._names[id(one)] = name = next(_names(str(one.get("id") or "e"), self._taken))
            self._taken.add(name)
            self._waiting.append(one)
        return f"#{self._names[id(one)]}"


def _names(first: str, taken: set[str]) -> Iterator[str]:
    yield from (name for name in (first, *(f"{first[:58]}-{n}" for n in range(2, 10_000))) if name not in taken)


def content(claim: Json) -> bytes:
    """What a request says, whatever it is called and in which order it says it."""
    return json.encode(_ordered({name: value for name, value in claim.items() if name not in ("id", "meta")}))


def _ordered(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _ordered(value[name]) for name in sorted(value)}
    return [_ordered(one) for one in value] if isinstance(value, list) else value
