"""What a search parameter's FHIRPath selects, by walking the JSON (https://hl7.org/fhir/R4/search.html#2.21.1.3).

Nothing here is shared with the server but the published tables: types, elements and expressions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from fhir_profiles.definitions import SearchParam, load

_PART = re.compile(r"(\w+)(?:\(((?:[^()']|'[^']*'|\(\))*)\))?|\[(\d+)\]")


class Node(NamedTuple):
    """A value in a resource and the name of its type."""

    value: Any
    type: str


def select(resource: dict[str, Any], param: SearchParam) -> list[Node]:
    """Every value that a parameter reads from a resource."""
    found: list[Node] = []
    for side in _sides(resource["resourceType"], param.expression):
        found += walk([Node(resource, resource["resourceType"])], side)
    return found


def walk(nodes: list[Node], path: str) -> list[Node]:
    """The nodes at the end of a path that starts at each of the given ones."""
    truth = re.fullmatch(r"([\w.]+)\.exists\(\) and \1 != false", path)
    if truth:
        below = walk(nodes, truth[1])
        return [Node(bool(below) and any(node.value is not False for node in below), "boolean")]
    for name, argument, place in _steps(path):
        if place:
            nodes = nodes[int(place) : int(place) + 1]
        elif name in ("as", "ofType"):
            nodes = [node for node in nodes if node.type.lower() == argument.lower()]
        elif name == "where":
            nodes = [node for node in nodes if _passes(node, argument)]
        elif argument:
            raise ValueError(path)
        else:
            nodes = [child for node in nodes for child in _children(node, name)]
    return nodes


def _steps(path: str) -> Iterator[tuple[str, str, str]]:
    plain = re.sub(r"\(?\s*([\w.]+) as (\w+)\s*\)?", r"\1.as(\2)", path)
    for found in _PART.finditer(plain):
        yield found[1] or "", found[2] or "", found[3] or ""


@cache
def _sides(resource_type: str, expression: str) -> tuple[str, ...]:
    """The sides of the union that begin at the type, without its name."""
    sides = []
    for side in (part.strip() for part in expression.split("|")):
        bare = side.lstrip("( ")
        for base in (resource_type, "DomainResource", "Resource"):
            if re.match(rf"{base}\b", bare):
                cut = side.replace(base, "", 1) if side.startswith("(") else side[len(base) :]
                sides.append(re.sub(r"^(\(?)\.", r"\1", cut).replace(f"and {base}.", "and "))
                break
    return tuple(sides)


def _passes(node: Node, argument: str) -> bool:
    if resolves := re.fullmatch(r"resolve\(\) is (\w+)", argument):
        written = node.value.get("reference", "") if isinstance(node.value, dict) else ""
        return bool(re.search(rf"(^|/){resolves[1]}/[^/]+(/_history/[^/]+)?$", written))
    equal = re.fullmatch(r"(\w+)\s*=\s*'([^']*)'", argument)
    if not equal:
        raise ValueError(argument)
    return isinstance(node.value, dict) and node.value.get(equal[1]) == equal[2]


def _children(node: Node, name: str) -> Iterator[Node]:
    if not isinstance(node.value, dict):
        return
    of = load().types.get(node.type)
    element = of.by_name.get(name) if of else None
    if element is None:
        return
    for key, kind in element.properties().items():
        value = node.value.get(key)
        for item in value if isinstance(value, list) else [value]:
            if item is not None:
                yield Node(item, item["resourceType"] if kind == "Resource" else kind)
