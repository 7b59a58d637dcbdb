"""Where links in a transaction lead: to entries of the Bundle, or to what a query finds.

https://hl7.org/fhir/R4/http.html#trules, https://hl7.org/fhir/R4/bundle.html#references
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from fhir_profiles.errors import Category, FhirError
from fhir_profiles.references import rewrite
from server.store import Tx

from .conditional import find_one, identity_of
from .exchange import Request

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

    def of(self, full_url: str | None) -> Mapping[str, str]:
        """What the links in the resource of an entry are replaced by."""
        if self._of_server and full_url and (found := _REST.fullmatch(full_url)):
            return {**self._of_server.get(found[1], {}), **self.full}
        return self.full


def relink(resource: dict[str, Any], links: Mapping[str, str]) -> set[str]:
    """Replace the links of a resource in place, and say which references are still open.

    Open are references of the form `Type?query`, and to a urn, which only an entry of the Bundle can be.
    """
    is_open: set[str] = set()
    typed = False
    stack: list[Any] = [resource]
    while stack:
        at = stack.pop()
        for key, value in at.items() if type(at) is dict else enumerate(at):
            kind = type(value)
            if kind is dict or kind is list:
                stack.append(value)
            elif kind is str:
                if key == "reference":
                    if (new := _replaced(value, links)) is not None:
                        at[key] = new
                    elif value.startswith(_OPEN) or ("?" in value and ":" not in value.partition("?")[0]):
                        is_open.add(value)
                elif value in links or ("#" in value and value.partition("#")[0] in links) or key == "div":
                    typed = True  # it depends on the element's type whether it is a link at all
    if typed and links and "resourceType" in resource:
        rewrite(resource, links)
    return is_open if resource.get("resourceType") != "Bundle" else set()  # whose entries have full URLs of their own


def _replaced(text: str, links: Mapping[str, str]) -> str | None:
    new = links.get(text)
    if new is None and "#" in text:
        base, _, fragment = text.partition("#")
        new = f"{links[base]}#{fragment}" if base in links else None
    return new


def is_query(link: str) -> bool:
    """Whether an open reference is a conditional one."""
    return not link.startswith(_OPEN)


def refuse_open(links: Iterable[str]) -> None:
    """Refuse references that lead nowhere: what one meant cannot be known any more once it is stored."""
    for link in links:
        if is_query(link):
            text = "A conditional reference finds no resource."
            raise FhirError.of(Category.CONFLICT, "multiple-matches", text, "resource")
        text = "A reference is to a urn that is the fullUrl of no entry which this Bundle creates or updates."
        raise FhirError.of(Category.INCORRECT, "not-found", text, "resource")


def resolve_references(
    tx: Tx, wanted: Iterable[str], known: dict[str, str], identities: dict[str, str], request: Request
) -> None:
    """Add to `known` what each conditional reference finds: an entry with the same criteria, or what is stored."""
    for text in wanted:
        if text in known or not is_query(text):
            continue
        resource_type = text.partition("?")[0]
        if target := identities.get(identity_of(resource_type, text)):
            known[text] = target
        elif (found := find_one(tx, resource_type, text, request)) is not None:
            known[text] = f"{resource_type}/{found.id}"
