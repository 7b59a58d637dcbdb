"""Where links in a transaction lead: to entries of the Bundle, or to what a query finds.

https://hl7.org/fhir/R4/http.html#trules, https://hl7.org/fhir/R4/bundle.html#references
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from fhir_profiles import json
from fhir_profiles.errors import Category, FhirError
from fhir_profiles.references import references, rewrite
from server.store import Tx

from .conditional import find_one, identity_of
from .entries import Entry, place

_OPEN = ("urn:uuid:", "urn:oid:")
_REST = re.compile(r"(https?://\S+)/([A-Z][A-Za-z]+/[A-Za-z0-9\-.]{1,64})")


class Links:
    """What each link is replaced by: of the whole Bundle, and of entries whose full URLs share a server."""

    def __init__(self) -> None:
        self.full: dict[str, str] = {}
        self._of_server: dict[str, dict[str, str]] = {}

    def add(self, full_url: str | None, target: str) -> None:
        """An entry with this full URL is stored as `target` (`Type/id`)."""
        if not full_url:
            return
        self.full[full_url] = target
        found = _REST.fullmatch(full_url)
        if found and found[2] != target:  # then a relative link from the same server means this entry too
            self._of_server.setdefault(found[1], {})[found[2]] = target

    def copy(self) -> Links:
        """The same, to be added to."""
        other = Links()
        other.full = dict(self.full)
        other._of_server = {server: dict(links) for server, links in self._of_server.items()}
        return other

    def rewrite(self, entry: Entry, resource: dict[str, Any]) -> None:
        """Replace the links of an entry's resource in place; FhirError for one that leads nowhere."""
        links = self.full
        if self._of_server and entry.full_url and (found := _REST.fullmatch(entry.full_url)):
            links = {**self._of_server.get(found[1], {}), **links}
        if links and resource.get("resourceType"):
            rewrite(resource, links)
        refuse_open_links(entry, resource)


def refuse_open_links(entry: Entry, resource: dict[str, Any] | None = None) -> None:
    """Refuse a reference to an entry that is not there: what it meant cannot be known any more once it is stored."""
    resource = resource or entry.resource or {}
    if resource.get("resourceType") == "Bundle":  # its entries have full URLs of their own
        return
    if any(link["reference"].startswith(_OPEN) for link in references(resource)):
        text = "A reference is to a urn that is the fullUrl of no entry which this Bundle creates or updates."
        raise FhirError.of(Category.INCORRECT, "not-found", text, f"Bundle.entry[{entry.number}].resource")


def conditional_references(entries: Iterable[Entry]) -> dict[int, set[str]]:
    """The references of the form `Type?query` in each entry that has some."""
    found: dict[int, set[str]] = {}
    for entry in entries:
        if entry.resource is not None and entry.request.method != "PATCH":
            for link in references(entry.resource):
                text = link["reference"]
                if "?" in text and ":" not in text.partition("?")[0]:
                    found.setdefault(entry.number, set()).add(text)
    return found


def resolve_references(
    tx: Tx, wanted: Iterable[str], known: dict[str, str], identities: dict[str, str], base_url: str
) -> None:
    """Add to `known` what each conditional reference finds: an entry with the same criteria, or what is stored."""
    for text in wanted:
        if text in known:
            continue
        resource_type = text.partition("?")[0]
        if target := identities.get(identity_of(resource_type, text)):
            known[text] = target
        elif (found := find_one(tx, resource_type, text, base_url)) is not None:
            known[text] = f"{resource_type}/{found.id}"


def refuse_missing(searched: dict[int, set[str]], known: dict[str, str]) -> None:
    """Refuse a conditional reference that found nothing."""
    for number, texts in searched.items():
        if not texts <= known.keys():
            with place(number, ".resource"):
                text = "A conditional reference finds no resource."
                raise FhirError.of(Category.CONFLICT, "multiple-matches", text)


def copy_of(resource: dict[str, Any]) -> dict[str, Any]:
    """A resource that can be changed without the other, as a transaction may run more than once."""
    return json.decode(json.encode(resource))
