"""One edition of a loaded code system, asked by value sets; chapters and blocks are its headings, not its codes.

Lists come straight from the file, so that asking about a concept with 300,000 others below it costs no more than one.
"""

# ruff: noqa: D102 - what the methods promise stands in the protocol

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from typing import TYPE_CHECKING

from terminology.effort import step
from terminology.model import Concept
from terminology.shapes import misshapen
from terminology.spellings import FORMS
from terminology.value_sets.paged import Stretch
from terminology.value_sets.systems import Answer, Test, text_of

if TYPE_CHECKING:
    from terminology.store.file import EditionFile
    from terminology.terminology import Terminology


class Below(Stretch):
    """A code and those below it: tested without being listed, listed as it is read."""

    def __init__(self, file: EditionFile, code: str) -> None:
        super().__init__(file, file.intervals(code))
        self._code = code

    def __contains__(self, code: object) -> bool:
        return isinstance(code, str) and self._file.is_below(code, self._code)


class Loaded:
    """One edition of a loaded code system."""

    def __init__(self, terminology: Terminology, system: str, version: str) -> None:
        file = terminology.file(system, version)
        if file is None:
            raise LookupError(system)
        self.file = file
        self.complete = file.edition.content == "complete"
        self._system = system
        self._form = FORMS.get(system)

    def _find(self, code: str) -> Concept | None:
        found = self.file.concept(code)
        return None if found is None or found.group else found

    def fold(self, code: str) -> str:
        if self._form is not None:
            return self._form.of(code) or code
        return code if self.file.edition.sensitive else code.casefold()

    def has(self, code: str) -> Answer:
        if self._find(code) is not None:
            return True
        return False if self.complete or misshapen(self._system, code) else None

    def codes(self) -> Iterable[str]:
        return Stretch(self.file, [(1, self.file.manifest["concepts"])])

    def active(self, code: str) -> bool:
        found = self._find(code)
        return found is None or found.active

    def below(self, code: str) -> Set[str] | None:
        return None if self.file.concept(code) is None else Below(self.file, code)

    def above(self, code: str) -> Set[str] | None:
        if self._find(code) is None:
            return None
        return frozenset((code, *(c.code for c in self.file.ancestors(code) if not c.group)))

    def is_below(self, code: str, ancestor: str) -> Answer:
        if self.file.is_below(code, ancestor):
            return self._find(code) is not None
        if self.complete:
            return False
        return None if self._find(code) is None or self.file.concept(ancestor) is None else False

    def values(self, code: str, name: str) -> list[str] | None:
        found = self._find(code)
        if found is None:
            return [] if self.complete else None
        values = self._values(found, name)
        return values if values or self.complete else None

    def _values(self, found: Concept, name: str) -> list[str]:
        """Values in the text that filters compare; relations are properties that are named by their type."""
        if name in _KNOWN:
            return _KNOWN[name](self.file, found)
        value = found.properties.get(name)
        if value is not None:
            return [text_of(v) for v in (value if isinstance(value, list) else [value])]
        return [r.target for r in self.file.relations(found.code) if r.type == name]

    def having(self, name: str, test: Test) -> Iterable[str]:
        without = self.complete and test([])
        if name in _KNOWN:
            return self._known(name, test, without=without)
        ids, passed = self._tested(name, test)
        if not without:
            return self.file.codes_of(sorted(passed))
        return self.file.codes_without(ids - passed)

    def _known(self, name: str, test: Test, *, without: bool) -> Iterator[str]:
        """The codes whose values of a property that every edition has pass a test."""
        for concept in self.file.concepts():
            step(2)
            values = () if concept.group else _KNOWN[name](self.file, concept)
            if not concept.group and (test(list(values)) if values else without):
                yield concept.code

    def _tested(self, name: str, test: Test) -> tuple[set[int], set[int]]:
        """The ids that have values of a property, and those of them whose values pass."""
        given: dict[int, list[str]] = defaultdict(list)
        ids: set[int] = set()
        passed: set[int] = set()
        several: set[int] = set()
        values = list(self.file.values(name))
        for _, found in values:
            several.update(ids.intersection(found))
            ids.update(found)
        for value, found in values:
            if test([value]):
                passed.update(found)
            if several:
                for one in several.intersection(found):
                    given[one].append(value)
        passed -= several
        passed.update(one for one, its in given.items() if test(its))
        return ids, passed

    def subset(self, id: str) -> Sequence[str] | None:
        """The codes of a named list of the edition."""
        found = self.file.subset(id)
        return found.codes if found else None


def _flag(value: bool | None) -> list[str]:
    return [] if value is None else [text_of(value)]


def _codes(concepts: Iterable[Concept]) -> list[str]:
    return [c.code for c in concepts if not c.group]


_KNOWN: dict[str, Callable[[EditionFile, Concept], list[str]]] = {
    "code": lambda _, c: [c.code],
    "display": lambda _, c: [c.display],
    "billable": lambda _, c: _flag(c.billable),
    "inactive": lambda _, c: _flag(not c.active),
    "parent": lambda file, c: _codes(file.parents(c.code)),
    "child": lambda file, c: _codes(file.children(c.code)),
}
"""Properties that every edition has."""
