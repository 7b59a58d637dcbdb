"""A profile as a tree over the R4 definitions (https://hl7.org/fhir/R4/profiling.html).

A node holds only what the profile says beyond R4 itself, which `fhir_profiles.validate` has checked before. A snapshot
is laid over an empty tree, a differential over the tree of its base, so that neither needs the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from fhir_profiles.conform.rules import Bound, Constraint, ElementRule, Profile, Slicing, TypeRule
from fhir_profiles.definitions import Definitions, Element, load
from fhir_profiles.errors import Category, FhirError
from fhir_profiles.systems import STRUCTURE_DEFINITION

MAX_BASES = 20
_TYPE_SLICING = Slicing((("type", "$this"),))
_URL_SLICING = Slicing((("value", "url"),))
_EVERYWHERE = frozenset({"ele-1", "ext-1"})
_SYSTEM = "http"
"""Types that are written as URLs are FHIRPath's own, of ids and extension URLs: they narrow nothing."""

Find = Callable[[str], Profile | None]


@dataclass(slots=True)
class Node:
    """What a profile asks of an element, or of one slice of it. `element` is None for the resource itself."""

    element: Element | None
    types: tuple[str, ...]
    narrowed: bool = False
    declared: tuple[TypeRule, ...] = ()
    minimum: int = 0
    maximum: int = -1
    fixed: bytes | None = None
    pattern: bytes | None = None
    binding: Bound | None = None
    constraints: dict[str, Constraint] = field(default_factory=dict)
    slicing: Slicing | None = None
    must_support: bool = False
    max_length: int | None = None
    lowest: bytes | None = None
    highest: bytes | None = None
    children: dict[str, Node] = field(default_factory=dict)
    slices: dict[str, Node] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The element's name without `[x]`."""
        return self.element.name if self.element else ""

    def everything(self) -> Iterator[Node]:
        """The node and all nodes below it."""
        yield self
        for below in (*self.children.values(), *self.slices.values()):
            yield from below.everything()


def build(profile: Profile, find: Find) -> Node:
    """The tree of a profile; FhirError when a differential stands on a base that is not known."""
    chain = [profile]
    while not chain[-1].whole and not _is_core(chain[-1].base):
        base = find(chain[-1].base)
        if base is None or len(chain) >= MAX_BASES:
            text = f"The profile {profile.url} has no snapshot, and its base {chain[-1].base} is not known. Load it."
            raise FhirError.of(Category.UNAVAILABLE, "not-found", text)
        chain.append(base)
    d = load()
    if profile.type not in d.types:
        raise FhirError.of(Category.INCORRECT, "not-supported", f"R4 has no type {profile.type} to constrain.")
    root = Node(None, (profile.type,))
    for rule in () if chain[-1].whole else _advice(profile.type, d):
        _lay(root, rule, d, profile)
    for one in reversed(chain):
        for rule in one.elements:
            _lay(root, rule, d, profile)
    return root


def _is_core(url: str) -> bool:
    """Whether the URL is that of a type of R4, which is the empty tree."""
    name = url.partition("|")[0].removeprefix(STRUCTURE_DEFINITION)
    return not url or name in load().types


def _advice(of: str, d: Definitions) -> Iterator[ElementRule]:
    """The extensible bindings of a type of R4: a snapshot has them, a differential and a check of structure do not."""
    for name, type_ in d.types.items():
        if name == of or name.startswith(f"{of}."):
            above = tuple((step, "") for step in name.split(".")[1:])
            for element in type_.elements:
                if element.binding is not None and element.binding.strength == "extensible":
                    binding = Bound(element.binding.strength, element.binding.value_set)
                    yield ElementRule((*above, (element.name, "")), binding=binding)


def _lay(root: Node, rule: ElementRule, d: Definitions, profile: Profile) -> None:
    node = root
    for name, slice_name in rule.place:
        node = _child(node, name, d, profile)
        for i in range(1, slice_name.count("/") + 2) if slice_name else ():
            node = _slice(node, "/".join(slice_name.split("/")[:i]))
    _apply(node, rule, d)


def _child(node: Node, name: str, d: Definitions, profile: Profile) -> Node:
    """The node of an element, made when it is met first; `valueQuantity` is the slice of `value[x]` of that type."""
    plain = name.removesuffix("[x]")
    for owner in node.types:
        type_ = d.types.get(owner)
        if type_ is None:
            continue
        if plain in type_.by_name:
            return _named(node, type_.by_name[plain])
        if plain in type_.by_key:
            element, of = type_.by_key[plain]
            choice = _named(node, element)
            if choice.narrowed and choice.types == (of,):
                return choice
            one = _slice(choice, plain)
            one.types, one.narrowed = (of,), True
            return one
    text = f"The profile {profile.url} constrains an element {name} that {' or '.join(node.types)} does not have."
    raise FhirError.of(Category.INCORRECT, "invalid", text)


def _named(node: Node, element: Element) -> Node:
    if element.name not in node.children:
        node.children[element.name] = Node(element, element.types, maximum=element.maximum)
    return node.children[element.name]


def _slice(node: Node, name: str) -> Node:
    if name not in node.slices:
        if node.slicing is None:
            implied = node.element is not None and node.element.choice
            node.slicing = _TYPE_SLICING if implied else _URL_SLICING if "xtension" in node.name else None
        made = Node(node.element, node.types, maximum=node.maximum)
        if node.element is not None and node.element.choice:
            made.types = _type_in_name(node.element, name) or node.types
            made.narrowed = made.types != node.types
        node.slices[name] = made
    return node.slices[name]


def _type_in_name(element: Element, slice_name: str) -> tuple[str, ...]:
    of = element.properties().get(slice_name)
    return () if of is None else (of,)


def _apply(node: Node, rule: ElementRule, d: Definitions) -> None:
    """Lay one rule over a node: what it does not say stays."""
    if rule.minimum is not None:
        node.minimum = rule.minimum
    if rule.maximum is not None:
        node.maximum = rule.maximum
    if rule.types is not None:
        node.declared = rule.types
        codes = tuple(t.code for t in rule.types if not t.code.startswith(_SYSTEM))
        backbone = codes in (("BackboneElement",), ("Element",))
        if codes and not backbone and set(codes) != set(node.types):
            node.types, node.narrowed = codes, True
    node.fixed = rule.fixed or node.fixed
    node.pattern = rule.pattern or node.pattern
    node.binding = rule.binding or node.binding
    node.slicing = rule.slicing or node.slicing
    node.must_support = rule.must_support or node.must_support
    node.max_length = node.max_length if rule.max_length is None else rule.max_length
    node.lowest = rule.lowest or node.lowest
    node.highest = rule.highest or node.highest
    known = _known(node, d)
    node.constraints |= {c.key: c for c in rule.constraints if c.key not in known}


def _known(node: Node, d: Definitions) -> frozenset[str]:
    """The invariants that R4 itself has at this place."""
    found = set(_EVERYWHERE)
    if node.element is not None:
        found |= {i.key for i in node.element.invariants}
    for name in node.types:
        while name in d.types:
            found |= {i.key for i in d.types[name].invariants}
            name = d.types[name].base
    return frozenset(found)


def without(node: Node, other: Node) -> Node:
    """A slice without what the element as a whole asks already, so that a fault is reported once."""
    constraints = {k: c for k, c in node.constraints.items() if k not in other.constraints}
    binding = None if node.binding == other.binding else node.binding
    return replace(node, constraints=constraints, binding=binding)
