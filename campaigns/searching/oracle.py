"""What a search must find, worked out resource by resource (https://hl7.org/fhir/R4/search.html)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

from campaigns.searching.meaning import Test, folded, targets
from campaigns.searching.paths import Node, select, walk
from fhir_profiles.definitions import SearchParam, load

Resource = dict[str, Any]
Key = tuple[str, str]


class World:
    """Every resource of a server, as it answers them, with the values of its parameters."""

    def __init__(self, base_url: str, resources: Iterable[Resource]) -> None:
        self.base_url = base_url
        self.resources: dict[Key, Resource] = {(one["resourceType"], one["id"]): one for one in resources}
        self.by_type: dict[str, list[Resource]] = {}
        for one in self.resources.values():
            self.by_type.setdefault(one["resourceType"], []).append(one)
        self._values: dict[tuple[str, str, str], list[Node]] = {}
        self._pointing: dict[tuple[str, str], dict[str, list[Resource]]] = {}

    def values(self, resource: Resource, code: str) -> list[Node]:
        """What a parameter reads from a resource."""
        key = (resource["resourceType"], resource["id"], code)
        if key not in self._values:
            self._values[key] = select(resource, load().search_params(key[0])[code])
        return self._values[key]

    def referred(self, resource: Resource, code: str) -> list[Resource]:
        """The resources here that a reference parameter points to."""
        names = targets(self.values(resource, code), self.base_url)
        keys = [(kind, name) for kind, _, name in (one.partition("/") for one in names)]
        return [self.resources[key] for key in dict.fromkeys(keys) if key in self.resources]

    def referring(self, kind: str, code: str, resource: Resource) -> list[Resource]:
        """The resources of a type that point to this one by a parameter."""
        if (kind, code) not in self._pointing:
            found: dict[str, list[Resource]] = {}
            for one in self.by_type.get(kind, ()):
                for name in dict.fromkeys(targets(self.values(one, code), self.base_url)):
                    found.setdefault(name, []).append(one)
            self._pointing[kind, code] = found
        return self._pointing[kind, code].get(f"{resource['resourceType']}/{resource['id']}", [])


class Condition(Protocol):
    """Something that a resource satisfies or not, and how it is asked for."""

    name: str
    text: str

    def holds(self, _world: World, resource: Resource, /) -> bool:
        """Whether the resource satisfies it."""


@dataclass
class Plain:
    """One parameter with one or more values; `negated` for `:not` and its like."""

    code: str
    name: str
    text: str
    tests: list[Test]
    negated: bool = False

    def holds(self, world: World, resource: Resource, /) -> bool:
        """Whether any of the values is there."""
        nodes = world.values(resource, self.code)
        return any(test(nodes) for test in self.tests) is not self.negated


@dataclass
class Missing:
    """Whether there is a value at all."""

    code: str
    name: str
    text: str

    def holds(self, world: World, resource: Resource, /) -> bool:
        """Whether its presence is as asked."""
        return bool(world.values(resource, self.code)) is (self.text == "false")


@dataclass
class Composite:
    """Parts that one element must satisfy together."""

    param: SearchParam
    name: str
    text: str
    tests: list[Test]

    def holds(self, _world: World, resource: Resource, /) -> bool:
        """Whether one element has them all."""
        for root in select(resource, self.param):
            parts = zip(self.param.components, self.tests, strict=True)
            if all(test(walk_sides(root, part.expression)) for part, test in parts):
                return True
        return False


def walk_sides(root: Node, expression: str) -> list[Node]:
    """The nodes of every side of a component's expression."""
    found: list[Node] = []
    for side in expression.replace("DateTime", "dateTime").split("|"):
        found += walk([root], side.strip().removeprefix("%resource."))
    return found


@dataclass
class Chain:
    """A reference to something that satisfies the rest; of one type or of any."""

    code: str
    kind: str | None
    name: str
    text: str
    inner: Condition

    def holds(self, world: World, resource: Resource, /) -> bool:
        """Whether any target satisfies it."""
        return any(
            self.inner.holds(world, one)
            for one in world.referred(resource, self.code)
            if self.kind in (None, one["resourceType"])
        )


@dataclass
class Has:
    """Something that refers to the resource and satisfies the rest."""

    kind: str
    code: str
    name: str
    text: str
    inner: Condition

    def holds(self, world: World, resource: Resource, /) -> bool:
        """Whether anything that points here satisfies it."""
        return any(self.inner.holds(world, one) for one in world.referring(self.kind, self.code, resource))


@dataclass
class Logic:
    """A `_filter`: and, or, not over conditions."""

    word: str
    parts: list[Condition]
    text: str
    name: str = "_filter"

    def holds(self, world: World, resource: Resource, /) -> bool:
        """The truth of the whole."""
        found = [part.holds(world, resource) for part in self.parts]
        return not found[0] if self.word == "not" else any(found) if self.word == "or" else all(found)


@dataclass
class Word:
    """A word of the narrative."""

    name: str
    text: str

    def holds(self, _world: World, resource: Resource, /) -> bool:
        """Whether it is there."""
        plain = re.sub(r"<[^>]*>", " ", resource.get("text", {}).get("div", ""))
        return self.text in re.findall(r"\w+", folded(plain))


@dataclass
class Among:
    """One of these resources: `_list`, a compartment, `_id`."""

    name: str
    text: str
    keys: set[Key]

    def holds(self, _world: World, resource: Resource, /) -> bool:
        """Whether it is one of them."""
        return (resource["resourceType"], resource["id"]) in self.keys


@dataclass
class Asked:
    """A whole search: the path below the base, its conditions and how the answer is wanted."""

    path: tuple[str, ...]
    types: tuple[str, ...]
    conditions: list[Condition]
    within: list[Condition] = field(default_factory=list)
    """What the path says, not the parameters."""
    sorts: list[tuple[str, bool]] = field(default_factory=list)
    includes: list[tuple[str, str]] = field(default_factory=list)
    extra: list[tuple[str, str]] = field(default_factory=list)

    def pairs(self) -> list[tuple[str, str]]:
        """The parameters."""
        sort = [("_sort", ",".join(f"-{code}" if down else code for code, down in self.sorts))] if self.sorts else []
        return [(one.name, one.text) for one in self.conditions] + sort + self.includes + self.extra

    def matches(self, world: World) -> set[Key]:
        """What it must find."""
        found = set()
        for kind in self.types:
            for resource in world.by_type.get(kind, ()):
                if all(one.holds(world, resource) for one in [*self.within, *self.conditions]):
                    found.add((kind, resource["id"]))
        return found


def included(world: World, page: set[Key], includes: list[tuple[str, str]]) -> set[Key]:
    """What a page's includes must add to it."""
    seen, fresh, first = set(page), set(page), True
    while fresh:
        added: set[Key] = set()
        for name, value in includes:
            if not first and not name.endswith(":iterate"):
                continue
            source, code, target = [*value.split(":"), "", ""][:3]
            for key in fresh:
                found = _forward(world, key, source, code) if name.startswith("_include") else ()
                if name.startswith("_revinclude") and target in ("", key[0]):
                    found = [
                        one for c in _codes(source, code) for one in world.referring(source, c, world.resources[key])
                    ]
                    target_of = ""
                else:
                    target_of = target
                added |= {(one["resourceType"], one["id"]) for one in found if target_of in ("", one["resourceType"])}
        fresh = added - seen
        seen |= fresh
        first = False
    return seen - page


def _forward(world: World, key: Key, source: str, code: str) -> list[Resource]:
    if source not in ("*", key[0]):
        return []
    return [one for c in _codes(key[0], code or "*") for one in world.referred(world.resources[key], c)]


def _codes(kind: str, code: str) -> list[str]:
    if code != "*":
        return [code]
    return [code for code, param in load().search_params(kind).items() if param.type == "reference"]
