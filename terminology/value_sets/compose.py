"""Compile the composition of a value set into rules (https://hl7.org/fhir/R4/valueset.html#compositions)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from fhir_profiles.errors import Category, FhirError
from terminology.value_sets.filters import Filter, Test, read_filter
from terminology.value_sets.members import Answer, Members, Rule
from terminology.value_sets.systems import System

Json = dict[str, Any]
MAX_SETS = 200  # value sets that one may be made of
MAX_DEPTH = 20
MAX_RULES = 5_000
MAX_CONCEPTS = 200_000


class Compiler:
    """Compiles one value set with all it imports; `system` and `value_set` find what it names."""

    def __init__(
        self, system: Callable[[str, str | None], System | None], value_set: Callable[[str], Json | None]
    ) -> None:
        self._system = system
        self._value_set = value_set
        self._done: dict[str, Members] = {}
        self._open: list[str] = []
        self._rules = 0
        self._concepts = 0

    def compile(self, resource: Json, contained: tuple[Json, ...] = ()) -> Members:
        """The members of a ValueSet resource; FhirError of category NOT_FOUND when it imports what is not known."""
        url = str(resource.get("url", ""))
        contained = (*contained, *(resource.get("contained") or ()))
        compose = resource.get("compose")
        if compose is None:
            includes: tuple[Rule, ...] = tuple(self._expanded(resource.get("expansion") or {}))
            return Members(url, includes, version=resource.get("version"))
        live = compose.get("inactive") is False
        return Members(
            url,
            tuple(self._rule(one, contained, live) for one in compose.get("include") or ()),
            tuple(self._rule(one, contained, False) for one in compose.get("exclude") or ()),
            resource.get("version"),
        )

    def _rule(self, declared: Json, contained: tuple[Json, ...], live: bool) -> Rule:
        self._rules += 1
        self._bound(self._rules, MAX_RULES, "rules")
        imports = tuple(self._import(str(url), contained) for url in declared.get("valueSet") or ())
        name = declared.get("system")
        if name is None:
            return Rule(None, imports=imports)
        system = self._system(name, declared.get("version"))
        if declared.get("concept"):
            rule = self._concept_rule(name, system, [c.get("code", "") for c in declared["concept"]], imports)
        elif declared.get("filter"):
            rule = _filter_rule(name, system, [read_filter(system, f) for f in declared["filter"]], imports)
        elif system is None:
            rule = Rule(name, lambda _: None, None, imports, whole=not imports, partial=True)
        else:
            whole = not (imports or live)
            rule = Rule(name, system.has, system.codes, imports, whole, exact=True, partial=not system.complete)
        return _only_active(rule, system) if live and system is not None else rule

    def _concept_rule(self, name: str, system: System | None, codes: list[str], imports: tuple[Members, ...]) -> Rule:
        self._concepts += len(codes)
        self._bound(self._concepts, MAX_CONCEPTS, "concepts")
        if system is None:
            return Rule(name, frozenset(codes).__contains__, lambda: codes, imports, exact=True)
        fold = system.fold
        chosen = frozenset(map(fold, codes))
        as_written = fold("A") == "A"
        return Rule(name, lambda code: fold(code) in chosen, lambda: codes, imports, exact=as_written)

    def _import(self, canonical: str, contained: tuple[Json, ...]) -> Members:
        if canonical.startswith("#"):
            found = next((r for r in contained if f"#{r.get('id')}" == canonical), None)
        else:
            found = None
        if canonical in self._open:
            text = "A value set is made of itself: break the circle of its imports"
            raise FhirError.of(Category.INCORRECT, "business-rule", text, _PLACE)
        if canonical in self._done and found is None:
            return self._done[canonical]
        self._bound(len(self._done), MAX_SETS, "value sets")
        self._bound(len(self._open), MAX_DEPTH, "levels of imports")
        if found is None:
            found = self._value_set(canonical)
        if found is None:
            text = "A value set that is imported is not known here: load or store it first"
            raise FhirError.of(Category.NOT_FOUND, "not-found", text, _PLACE)
        self._open.append(canonical)
        members = self.compile(found, contained)
        self._open.pop()
        if not canonical.startswith("#"):
            self._done[canonical] = members
        return members

    def _expanded(self, expansion: Json) -> Iterator[Rule]:
        """A value set that comes as its expansion alone."""
        by_system: dict[str, list[str]] = {}
        waiting = list(expansion.get("contains") or ())
        while waiting:
            one = waiting.pop()
            waiting.extend(one.get("contains") or ())
            self._bound(len(waiting), MAX_CONCEPTS, "concepts")
            if "code" in one and not one.get("abstract"):
                by_system.setdefault(one.get("system", ""), []).append(one["code"])
        for name, codes in by_system.items():
            yield self._concept_rule(name, self._system(name, None), codes, ())

    def _bound(self, found: int, most: int, what: str) -> None:
        if found > most:
            text = f"The value set is too large: it is made of more than {most} {what}"
            raise FhirError.of(Category.INCORRECT, "too-costly", text, _PLACE)


_PLACE = "ValueSet.compose"


def _filter_rule(name: str, system: System | None, filters: list[Filter], imports: tuple[Members, ...]) -> Rule:
    tests = [f.test for f in filters]
    narrow = next((f.codes for f in filters if f.codes is not None), None)
    return Rule(
        name,
        tests[0] if len(tests) == 1 else _every(tests),
        _listing(narrow, system),
        imports,
        exact=len(filters) == 1 and filters[0].exact,
        partial=system is None or not system.complete,
    )


def _every(tests: list[Test]) -> Test:
    def test(code: str) -> Answer:
        found: Answer = True
        for one in tests:
            answer = one(code)
            if answer is False:
                return False
            found = None if answer is None else found
        return found

    return test


def _listing(
    narrow: Callable[[], Iterable[str] | None] | None, system: System | None
) -> Callable[[], Iterable[str] | None]:
    """The candidates: those of a filter that knows them, else the whole system."""
    if narrow is not None:
        return narrow
    return (lambda: ()) if system is None else system.codes


def _only_active(rule: Rule, system: System) -> Rule:
    test = rule.test
    if test is None:
        return rule
    return Rule(
        rule.system,
        lambda code: test(code) if system.active(code) else False,
        rule.listing,
        rule.imports,
        partial=rule.partial,
    )
