"""How the items of one slice are told from those of another (https://hl7.org/fhir/R4/profiling.html#discriminator).

A matcher says True, False, or None when it cannot be told: a reference that is not at hand, a code system not loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from fhir_profiles.conform.bindings import codings_of, in_set
from fhir_profiles.conform.items import Item, Step, at_path, steps_of
from fhir_profiles.conform.matching import is_fixed, is_pattern
from fhir_profiles.conform.references import type_of
from fhir_profiles.conform.rules import Slicing
from fhir_profiles.conform.run import MAX_DEPTH, Run
from fhir_profiles.conform.tree import Node
from fhir_profiles.definitions import load
from fhir_profiles.references import target_type

Matches = Callable[[Item, Run], bool | None]
Check = Callable[[Item, Run], None]


def matcher(one: Node, slicing: Slicing, value: Check | None) -> Matches:
    """A function that says whether an item belongs to a slice; without discriminators it must meet all of it."""
    if not slicing.discriminators:
        return _by_conformance(value)
    parts = [_discriminator(one, kind, path) for kind, path in slicing.discriminators]
    if len(parts) == 1:
        return parts[0]

    def matches(item: Item, run: Run) -> bool | None:
        answers = [part(item, run) for part in parts]
        return False if False in answers else None if None in answers else True

    return matches


def _by_conformance(value: Check | None) -> Matches:
    def matches(item: Item, run: Run) -> bool | None:
        if value is None or run.depth >= MAX_DEPTH:
            return None
        inner = run.inside()
        value(item, inner)
        return not inner.failed

    return matches


def _discriminator(one: Node, kind: str, path: str) -> Matches:
    steps = steps_of(path)
    if steps is None:
        return _untold
    if kind == "type":
        return _by_type(one, steps)
    if kind == "exists":
        return _by_existence(one, steps)
    if kind == "profile":
        return _by_profile(one, steps)
    urls = [url.partition("|")[0] for t in one.declared for url in t.profiles] if path == "url" else []
    return _by_url(urls) if urls and one.name.endswith("xtension") else _by_value(one, steps)


def _untold(_item: Item, _run: Run) -> None:
    return None


def _by_url(urls: list[str]) -> Matches:
    """Extensions, the most common slices: the URL of the profile is the URL of the extension."""
    return lambda item, _run: item[0].get("url") in urls


def _by_type(one: Node, steps: tuple[Step, ...]) -> Matches:
    nodes = list(_nodes(one, steps))
    if steps and steps[-1][0] == "resolve":
        targets = [u for n in _nodes(one, steps[:-1]) for t in n.declared for u in t.targets]
        return _by_target(steps[:-1], targets)
    types = {name for node in nodes for name in node.types}

    def matches(item: Item, run: Run) -> bool | None:
        items = at_path(item, steps, run)
        return None if items is None or not types else any(i[2] in types for i in items)

    return matches


def _by_target(steps: tuple[Step, ...], targets: list[str]) -> Matches:
    """A reference by the type that it names: the target itself need not be at hand."""

    def matches(item: Item, run: Run) -> bool | None:
        allowed = {type_of(url, run) for url in targets}
        named = [
            at_path(i, (("resolve", ""),), run) or target_type(str(i[0].get("reference", "")), load())
            for i in at_path(item, steps, run) or ()
        ]
        kinds = [n if isinstance(n, str) or n is None else n[0][2] for n in named]
        if any(k in allowed for k in kinds if k):
            return True
        return None if None in allowed or "" in kinds or None in kinds else False

    return matches


def _by_existence(one: Node, steps: tuple[Step, ...]) -> Matches:
    nodes = list(_nodes(one, steps))
    absent = any(node.maximum == 0 for node in nodes)

    def matches(item: Item, run: Run) -> bool | None:
        items = at_path(item, steps, run)
        return None if items is None else bool(items) is not absent

    return matches


def _by_profile(one: Node, steps: tuple[Step, ...]) -> Matches:
    resolved = bool(steps) and steps[-1][0] == "resolve"
    nodes = list(_nodes(one, steps[:-1] if resolved else steps))
    urls = [u for n in nodes for t in n.declared for u in (t.targets if resolved else t.profiles)]

    def matches(item: Item, run: Run) -> bool | None:
        items = at_path(item, steps, run)
        checkers = [run.checker(url) for url in urls]
        if items is None or not checkers or run.depth >= MAX_DEPTH:
            return None
        return any(_meets(c, i, run) for c in checkers if c is not None for i in items) or (
            None if None in checkers else False
        )

    return matches


def _meets(checker: Check, item: Item, run: Run) -> bool:
    inner = run.inside(item[0] if "resourceType" in item[0] else None)
    checker(item, inner)
    return not inner.failed


def _by_value(one: Node, steps: tuple[Step, ...]) -> Matches:
    """A value, by what the slice fixes at the path, below it, or in the profile that a step leads into."""
    tests = [test for node in _nodes(one, steps) if (test := _test_of(node))]

    def matches(item: Item, run: Run) -> bool | None:
        nonlocal tests
        if not tests:
            tests = _tests_beyond(one, steps, run)
        items = at_path(item, steps, run) if tests else None
        if items is None:
            return None
        answers = [_all(tests, i, run) for i in items]
        return True if True in answers else None if None in answers else False

    return matches


def _all(tests: list[Matches], item: Item, run: Run) -> bool | None:
    answers = [test(item, run) for test in tests]
    return False if False in answers else None if None in answers else True


def _test_of(node: Node) -> Matches | None:
    """What a node fixes, itself or below, as a test of an item."""
    if node.fixed is not None:
        exact = is_fixed(node.fixed)
        return lambda item, _run: exact(item[0])
    if node.pattern is not None:
        held = is_pattern(node.pattern)
        return lambda item, _run: held(item[0])
    below = [
        _by_value(node, ((name, None),)) for name, child in node.children.items() if child.minimum and _test_of(child)
    ]
    if not below and len(node.slices) == 1:
        below = [test for s in node.slices.values() if (test := _test_of(s))]
    if below:
        return lambda item, run: _all(below, item, run)
    if node.binding is not None and node.binding.strength == "required":
        value_set = node.binding.value_set
        return lambda item, run: in_set(codings_of(item) or [], value_set, run)
    return None


def _tests_beyond(one: Node, steps: tuple[Step, ...], run: Run) -> list[Matches]:
    """The tests that stand in the profiles which the nodes on the way name."""
    for i in range(len(steps) + 1):
        for node in _nodes(one, steps[:i]):
            resolves = i < len(steps) and steps[i][0] == "resolve"
            urls = [u for t in node.declared for u in (t.targets if resolves else t.profiles)]
            rest = steps[i + 1 :] if resolves else steps[i:]
            trees = [tree for url in urls if run.checker(url) and (tree := run.profiles.tree(url))]
            found = [test for tree in trees for n in _nodes(tree, rest) if (test := _test_of(n))]
            if found:
                return found[:1] if len(found) == 1 else [_any(found)]
    return []


def _any(tests: list[Matches]) -> Matches:
    def matches(item: Item, run: Run) -> bool | None:
        answers = [test(item, run) for test in tests]
        return True if True in answers else None if None in answers else False

    return matches


def _nodes(node: Node, steps: tuple[Step, ...]) -> Iterator[Node]:
    """The nodes of the tree at a path; an extension by its URL is the slice of that profile."""
    if not steps:
        yield node
        return
    (name, argument), rest = steps[0], steps[1:]
    if name == "ofType":
        yield from _nodes(node.slices.get(_slice_name(node, argument), node), rest)
        return
    child = node.children.get(name)
    if child is None:
        return
    if argument is None:
        yield from _nodes(child, rest)
        return
    for one in child.slices.values():
        if any(url.partition("|")[0] == argument for t in one.declared for url in t.profiles):
            yield from _nodes(one, rest)


def _slice_name(node: Node, of: str | None) -> str:
    return node.name + of[0].upper() + of[1:] if of else ""
