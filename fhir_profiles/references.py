"""The literal references of a resource: their form, and rewriting them (https://hl7.org/fhir/R4/references.html)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from fhir_profiles.definitions import Definitions, load

_RELATIVE = re.compile(r"([A-Z][A-Za-z]+)/([A-Za-z0-9\-.]{1,64})(/_history/[A-Za-z0-9\-.]{1,64})?(#.*)?")
_CONDITIONAL = re.compile(r"([A-Z][A-Za-z]+)\?.+")
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:\S+")
_TAIL = re.compile(r"/([A-Z][A-Za-z]+)/[A-Za-z0-9\-.]{1,64}(/_history/[A-Za-z0-9\-.]{1,64})?$")


def target_type(reference: str, definitions: Definitions) -> str | None:
    """The resource type a reference names; "" where it does not say; None when it is no form of reference at all."""
    found = _RELATIVE.fullmatch(reference) or _CONDITIONAL.fullmatch(reference)
    if found:
        return found[1] if found[1] in definitions.types else None
    if reference.startswith("#"):
        return ""
    if _ABSOLUTE.fullmatch(reference):
        tail = _TAIL.search(reference)
        return tail[1] if tail and tail[1] in definitions.types else ""
    return None


def references(value: Any) -> Iterator[dict[str, Any]]:
    """Every Reference object with a literal reference inside `value`, however deep, contained resources included."""
    stack = [value]
    while stack:
        at = stack.pop()
        if type(at) is dict:
            if type(at.get("reference")) is str:
                yield at
            stack.extend(v for v in at.values() if type(v) is dict or type(v) is list)
        elif type(at) is list:
            stack.extend(v for v in at if type(v) is dict or type(v) is list)


def used_ids(resource: Mapping[str, Any]) -> set[str]:
    """The ids of contained resources that something refers to by `#id`, or that refer to the whole by `#` (dom-3)."""
    found = {text[1:] for text in _local(resource) if text != "#"}
    for one in resource.get("contained", ()):
        if type(one) is dict and "#" in _local(one):
            found.add(str(one.get("id")))
    return found


def _local(value: Any) -> set[str]:
    """Every text that starts with `#`: references, and canonicals and URIs that are used like them."""
    found: set[str] = set()
    stack = [value]
    while stack:
        at = stack.pop()
        for child in at.values() if type(at) is dict else at:
            if type(child) is str:
                if child[:1] == "#":
                    found.add(child)
            elif type(child) is dict or type(child) is list:
                stack.append(child)
    return found


def rewrite(resource: dict[str, Any], replacements: Mapping[str, str]) -> int:
    """Replace in place every link that is a key of `replacements` (`urn:uuid:…` → `Patient/7`); returns how many.

    As the transaction rules say: References, elements of type uri, url, oid and uuid, and `href`/`src` in narratives.
    Canonicals are left alone, and so are `Identifier.system` and the like unless they equal a key, which is what the
    rules ask for.
    """
    if not replacements:
        return 0
    return _rewrite(resource, resource["resourceType"], replacements, load())


def _rewrite(value: dict[str, Any], type_name: str, replacements: Mapping[str, str], d: Definitions) -> int:
    changed = 0
    by_key = d.types[type_name].by_key
    for key, child in value.items():
        if key not in by_key:
            if key.startswith("_"):
                changed += _each(value, key, child, "Element", replacements, d)
            continue
        changed += _each(value, key, child, by_key[key][1], replacements, d)
    return changed


def _each(owner: Any, key: Any, child: Any, type_name: str, replacements: Mapping[str, str], d: Definitions) -> int:
    kind = type(child)
    if kind is str:
        new = _replaced(key, child, type_name, replacements)
        if new is None:
            return 0
        owner[key] = new
        return 1
    if kind is list:
        return sum(_each(child, i, item, type_name, replacements, d) for i, item in enumerate(child))
    if kind is dict:
        inner = child.get("resourceType", type_name) if type_name == "Resource" else type_name
        return _rewrite(child, inner, replacements, d) if inner in d.types else 0
    return 0


_LINKS = frozenset({"uri", "url", "oid", "uuid"})
_HREF = re.compile(r"""((?:href|src)=)(["'])([^"']*)\2""")


def _replaced(key: Any, text: str, type_name: str, replacements: Mapping[str, str]) -> str | None:
    if type_name in _LINKS or key == "reference":
        base, hash_, fragment = text.partition("#")
        new = replacements.get(text) or replacements.get(base)
        return None if new is None else new + (hash_ + fragment if text not in replacements else "")
    if type_name == "xhtml" and key == "div":
        after = _HREF.sub(lambda m: f"{m[1]}{m[2]}{replacements.get(m[3], m[3])}{m[2]}", text)
        return after if after != text else None
    return None
