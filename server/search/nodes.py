"""One search parameter as a node of the tree, with its chain, `_has` or `_list` (https://hl7.org/fhir/R4/search.html#chaining)."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from fhir_profiles.definitions import SearchParam, load
from fhir_profiles.errors import FhirError

from .custom import STANDARD, Params
from .query import (
    MODIFIERS,
    Chain,
    Condition,
    Every,
    Has,
    Limits,
    Node,
    Not,
    Some,
    escape,
    invalid,
    split_values,
    too_costly,
    unsupported,
)


class Known(msgspec.Struct, frozen=True):
    """What a search is read with: its limits, and the parameters that there are."""

    limits: Limits
    params: Params = STANDARD

    def find(self, resource_type: str, code: str) -> SearchParam:
        """One parameter of a type; an error that names it when there is none."""
        return self.params.find(resource_type, code)


def read_node(resource_type: str, name: str, value: str, known: Known, depth: int = 0) -> Node:
    """One search parameter of a type; FhirError UNSUPPORTED when it is not known, INCORRECT when it is wrong."""
    if depth > known.limits.max_depth:
        raise too_costly(f"Chains go at most {known.limits.max_depth} references deep.")
    if name.startswith("_has:"):
        return _read_has(resource_type, name, value, known, depth)
    head, dot, rest = name.partition(".")
    code, _, modifier = head.partition(":")
    if code == "_list" and not dot:
        return _listed(resource_type, modifier, value, known)
    param = known.find(resource_type, code)
    if dot:
        return chained(param, resource_type, modifier, lambda target: read_node(target, rest, value, known, depth + 1))
    return condition(resource_type, param, modifier or None, value, known)


def condition(resource_type: str, param: SearchParam, modifier: str | None, value: str, known: Known) -> Node:
    """A parameter without a chain. A modifier that it does not take is wrong: R4 has it refused in any handling."""
    code = param.code
    if (param.type not in MODIFIERS or not param.expression) and code not in (
        "_id",
        "_lastUpdated",
        "_text",
        "_content",
    ):
        raise unsupported(f"{param.type} parameters such as {code} are not served.")
    allowed = MODIFIERS.get(param.type, frozenset())
    if modifier and modifier not in allowed and not (param.type == "reference" and modifier in load().resource_types):
        raise invalid(f"The modifier of {code} is not one that {param.type} parameters take: {_takes(param, allowed)}.")
    values = tuple(one for one in split_values(value) if one)
    if len(values) > known.limits.max_values:
        raise too_costly(f"A parameter takes at most {known.limits.max_values} values.")
    return Condition(resource_type, param, modifier, values) if values else Every(())


def _takes(param: SearchParam, allowed: Iterable[str]) -> str:
    """The modifiers of a parameter, for a person."""
    names = [f":{name}" for name in sorted(allowed)] + ([":Type"] if param.type == "reference" else [])
    return ", ".join(names) or "none"


def chained(param: SearchParam, resource_type: str, target: str, inner: Callable[[str], Node]) -> Node:
    """A reference and what must hold for its target; without a type, for any target type that knows what is asked."""
    if param.type != "reference":
        raise invalid(f"{param.code} is no reference, so nothing can be chained to it.")
    types = load().resource_types
    if target and target not in types:
        raise invalid(f"What {param.code} is chained to is no resource type of R4.")
    if target:
        return Chain(resource_type, param, target, inner(target))
    found: list[Node] = []
    refused: FhirError | None = None
    for name in param.targets or types:
        try:
            found.append(Chain(resource_type, param, name, inner(name)))
        except FhirError as error:
            refused = refused or error
    if not found:
        raise refused or unsupported(f"No target of {param.code} has the chained parameter.")
    return found[0] if len(found) == 1 else Some(tuple(found))


def _read_has(resource_type: str, name: str, value: str, known: Known, depth: int) -> Node:
    """`_has:Observation:subject:code=x`: resources that such an Observation refers to."""
    parts = name.split(":", 3)
    if len(parts) != 4 or not parts[3]:
        raise invalid("_has is written _has:Type:reference:parameter.")
    if parts[1] not in load().resource_types:
        raise unsupported("_has names a resource type that R4 does not have.")
    param = known.find(parts[1], parts[2])
    if param.type != "reference":
        raise invalid("_has needs a reference parameter in its second place.")
    if param.targets and resource_type not in param.targets:
        raise unsupported(f"{parts[1]}.{param.code} never refers to a {resource_type}.")
    return Has(resource_type, parts[1], param, read_node(parts[1], parts[3], value, known, depth + 1))


def _listed(resource_type: str, modifier: str, value: str, known: Known) -> Node:
    """`_list=ID`: what the entries of a List refer to."""
    if modifier:
        raise invalid("_list takes no modifier.")
    if "$" in value:
        raise unsupported("Functional lists such as $current-problems are not served; use _list with the id of a List.")
    ids = [one.removeprefix("List/") for one in split_values(value) if one]
    inner = Condition("List", known.find("List", "_id"), None, tuple(ids))
    return Has(resource_type, "List", known.find("List", "item"), inner) if ids else Every(())


def check_size(nodes: Iterable[Node], limits: Limits) -> None:
    """Refuse a tree with more nodes than the limits allow."""
    if sum(map(_size, nodes)) > limits.max_nodes:
        raise too_costly("The search has too many parts. Name the types of its chains, or ask for less at once.")


def _size(node: Node) -> int:
    match node:
        case Condition():
            return 1
        case Chain() | Has():
            return 1 + _size(node.node)
        case Not():
            return 1 + _size(node.part)
    return 1 + sum(map(_size, node.parts))


def compartment(name: str, resource_id: str, resource_type: str) -> Node:
    """What puts a resource of the type into the compartment; the resource that it is named after is in it."""
    ways: list[Node] = []
    if name == resource_type:
        ways.append(Condition(resource_type, STANDARD.find(resource_type, "_id"), None, (escape(resource_id),)))
    params = load().search_params(resource_type)
    codes = [code for code in load().compartment(name).get(resource_type, ()) if code in params]
    ways += [Condition(resource_type, params[code], None, (escape(f"{name}/{resource_id}"),)) for code in codes]
    return ways[0] if len(ways) == 1 else Some(tuple(ways))
