"""Which search parameters say who a person is: those whose index rows are blind (45 CFR 164.514(b)(2)).

Coded tokens, dates, quantities, references and URIs of definitions stay as they are. Identifiers, contacts, every text,
the date of birth, and URLs of what is a person's or a client's do not. A parameter is known by its key, so what no
table names, such as a token of one's own, is hidden.
"""

from __future__ import annotations

from functools import cache

from fhir_profiles.definitions import load
from fhir_profiles.extract.composite import names, parts_of
from fhir_profiles.extract.leaves import leaves
from fhir_profiles.extract.paths import Unsupported
from server.store.keys import param_key

_CODED = frozenset({"code", "Coding", "CodeableConcept", "boolean", "Truth", "uri", "canonical", "date", "dateTime"})
BORN = frozenset({"Patient", "Person", "RelatedPerson"})
"""Types with a date of birth."""

PRESENT = "_present"
_URLS = frozenset(
    {
        ("DocumentManifest", "source"),
        ("DocumentReference", "location"),
        ("Device", "url"),
        ("MessageHeader", "destination-uri"),
        ("MessageHeader", "source-uri"),
        ("Subscription", "url"),
    }
)


@cache
def clear_tokens() -> frozenset[int]:
    """The keys of token parameters that stand in the index as they are."""
    found = set()
    for kind in load().resource_types:
        found.add(param_key(kind, PRESENT))
        for code, param in load().search_params(kind).items():
            if param.type == "token" and _types(kind, code) <= _CODED:
                found.add(param_key(kind, code))
    return frozenset(found)


@cache
def clear_uris() -> frozenset[int]:
    """The keys of URI parameters that stand in the index as they are: they name definitions, which are nobody's."""
    found = set()
    for kind in load().resource_types:
        for code, param in load().search_params(kind).items():
            if param.type == "uri" and code != "_source" and (kind, code) not in _URLS:
                found.add(param_key(kind, code))
    return frozenset(found)


@cache
def hidden_dates() -> frozenset[int]:
    """The keys of date parameters that are hidden."""
    return frozenset(param_key(kind, "birthdate") for kind in BORN)


@cache
def hidden_composites() -> frozenset[int]:
    """The keys of composite parameters that hold a text, an identifier or the like; they are not indexed."""
    found = set()
    for kind in load().resource_types:
        for code, param in load().search_params(kind).items():
            if param.type == "composite":
                found |= {param_key(kind, name) for name in names(kind, code) if _holds_text(kind, name)}
    return frozenset(found)


def _holds_text(kind: str, name: str) -> bool:
    return any(part.type == "string" for part in parts_of(kind, name))


def _types(kind: str, code: str) -> set[str]:
    """The types of element that a parameter reads; of one that cannot be followed, none that is coded."""
    try:
        return {leaf.type for leaf in leaves(load(), kind, load().search_params(kind)[code])}
    except Unsupported:
        return {"unknown"}
