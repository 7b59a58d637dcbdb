"""Random value sets held against a plain reading of the specification."""

from __future__ import annotations

import random
from typing import Any

import pytest

from terminology.value_sets import ValueSets

Json = dict[str, Any]
SYSTEMS = ("urn:s:tree", "urn:s:flat")
SETS = tuple(f"urn:v:{i}" for i in range(6))
OPERATORS = ("is-a", "descendent-of", "is-not-a", "generalizes", "=", "in", "not-in", "exists", "regex")


class World:
    """Two code systems and six value sets that import each other downwards, made from a seed."""

    def __init__(self, seed: int) -> None:
        self.choose = random.Random(seed)
        self.parents: dict[str, dict[str, set[str]]] = {}
        self.kinds: dict[str, dict[str, str]] = {}
        self.stored: dict[str, Json] = {}
        for url in SYSTEMS:
            self._system(url)
        for i, url in enumerate(SETS):
            compose = {part: [self._rule(i) for _ in range(n)] for part, n in (("include", 3), ("exclude", 1))}
            self.stored[url] = {"resourceType": "ValueSet", "url": url, "compose": compose}

    def _system(self, url: str) -> None:
        parents: dict[str, set[str]] = {}
        nodes: dict[str, Json] = {}
        roots: list[Json] = []
        kinds = self.kinds[url] = {}
        for i in range(30):
            code = f"c{i}"
            node: Json = {"code": code}
            if self.choose.random() < 0.7:
                kinds[code] = self.choose.choice("xyz")
                node["property"] = [{"code": "kind", "valueCode": kinds[code]}]
            above = self.choose.choice(list(nodes)) if nodes and self.choose.random() < 0.8 else None
            parents[code] = {above} if above else set()
            (nodes[above].setdefault("concept", []) if above else roots).append(node)
            if nodes and self.choose.random() < 0.2:
                second = self.choose.choice(list(nodes))
                node.setdefault("property", []).append({"code": "parent", "valueCode": second})
                parents[code].add(second)
            nodes[code] = node
        self.parents[url] = parents
        self.stored[url] = {"resourceType": "CodeSystem", "url": url, "content": "complete", "concept": roots}

    def _rule(self, below: int) -> Json:
        system = self.choose.choice(SYSTEMS)
        kind = self.choose.randrange(5)
        rule: Json = {"system": system}
        if kind == 1:
            rule["concept"] = [{"code": f"c{self.choose.randrange(30)}"} for _ in range(5)]
        elif kind >= 2:
            rule["filter"] = [self._filter() for _ in range(self.choose.choice((1, 1, 2)))]
        if below and self.choose.random() < 0.4:
            rule["valueSet"] = [self.choose.choice(SETS[:below]) for _ in range(self.choose.choice((1, 2)))]
            if self.choose.random() < 0.5:
                return {"valueSet": rule["valueSet"]}
        return rule

    def _filter(self) -> Json:
        op = self.choose.choice(OPERATORS)
        code = f"c{self.choose.randrange(30)}"
        if op in ("is-a", "descendent-of", "is-not-a", "generalizes"):
            return {"property": "concept", "op": op, "value": code}
        if op == "exists":
            return {"property": "kind", "op": op, "value": self.choose.choice(("true", "false"))}
        if op == "regex":
            return {"property": "code", "op": op, "value": self.choose.choice(("c1.*", "c[0-9]", ".*5"))}
        if self.choose.random() < 0.5:
            return {"property": "kind", "op": op, "value": "x" if op == "=" else "x,y"}
        return {"property": "code", "op": op, "value": code if op == "=" else f"{code},c3"}

    def members(self, url: str) -> set[tuple[str, str]]:
        """Who is in a value set, by sets of everything."""
        compose = self.stored[url]["compose"]
        found: set[tuple[str, str]] = set()
        for rule in compose["include"]:
            found |= self.matched(rule)
        for rule in compose["exclude"]:
            found -= self.matched(rule)
        return found

    def matched(self, rule: Json) -> set[tuple[str, str]]:
        """What one rule takes."""
        found = {(s, c) for s in SYSTEMS for c in self.parents[s]}
        if "system" in rule:
            found = {(s, c) for s, c in found if s == rule["system"]}
            if "concept" in rule:
                found &= {(rule["system"], c["code"]) for c in rule["concept"]}
            for one in rule.get("filter", ()):
                found = {(s, c) for s, c in found if self.passes(s, c, one)}
        for url in rule.get("valueSet", ()):
            found &= self.members(url)
        return found

    def passes(self, system: str, code: str, one: Json) -> bool:
        """Whether a code passes a filter."""
        name, op, value = one["property"], one["op"], one["value"]
        if name == "concept":
            if op == "generalizes":
                return code in self.above(system, value)
            over = self.above(system, code)
            return {"is-a": value in over, "descendent-of": value in over and value != code,
                    "is-not-a": value not in over}[op]  # fmt: skip
        given = code if name == "code" else self.kinds[system].get(code)
        if op == "regex":
            return {"c1.*": code.startswith("c1"), "c[0-9]": len(code) == 2, ".*5": code.endswith("5")}[value]
        if op == "exists":
            return (given is not None) == (value == "true")
        inside = given in value.split(",")
        return not inside if op == "not-in" else inside

    def above(self, system: str, code: str) -> set[str]:
        """A code and everything over it."""
        found, waiting = set(), [code]
        while waiting:
            one = waiting.pop()
            if one not in found:
                found.add(one)
                waiting.extend(self.parents[system][one])
        return found


@pytest.mark.parametrize("seed", range(60))
def test_random_value_sets_are_as_a_plain_reader_has_them(seed: int) -> None:
    """360 random sets: asked, listed, and their hierarchies, all equal to plain sets."""
    world = World(seed)
    sets = ValueSets(None, world.stored.get)
    everything = [(s, c) for s in SYSTEMS for c in world.parents[s]]
    for url in SETS:
        members = sets.members(url)
        assert members is not None
        expected = world.members(url)
        assert {pair for pair in everything if members.contains(*pair)} == expected
        assert all(members.contains(*pair) is (pair in expected) for pair in everything)
        assert set(members.codes() or ()) == expected
        for code in world.parents[SYSTEMS[0]]:
            assert bool(members.contains(None, code)) == any((s, code) in expected for s in SYSTEMS)
        for system in members.whole:
            assert {(system, c) for c in world.parents[system]} <= expected
    for system, code in everything:
        assert sets.above(system, code) == world.above(system, code)
        assert sets.below(system, code) == {c for s, c in everything if s == system and code in world.above(s, c)}
