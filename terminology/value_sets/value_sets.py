"""Find value sets and code systems, published or stored, and compile what they say (https://hl7.org/fhir/R4/valueset.html#compositions)."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Set
from typing import TYPE_CHECKING, Any

from fhir_profiles.errors import Category, FhirError
from fhir_profiles.systems import HL7_FHIR, SNOMED
from terminology.code_system import read_code_system
from terminology.core import core
from terminology.value_sets import own, snomed
from terminology.value_sets.compose import Compiler
from terminology.value_sets.loaded import Loaded
from terminology.value_sets.members import Members
from terminology.value_sets.systems import GRAMMARS, Listed, System

if TYPE_CHECKING:
    from terminology.terminology import Terminology

Json = dict[str, Any]
Resolve = Callable[[str], Json | None]
TELLING = ("complete", "fragment", "example")
"""The kinds of content of a CodeSystem resource that say something about codes."""


class ValueSets:
    """Value sets over a terminology, the core of HL7 and the resources that `resolve` finds.

    `resolve(canonical)` gives the ValueSet or CodeSystem resource of a canonical URL, with `|version` when one is asked
    for, or None. What was compiled is kept until `generation()` changes: give it a value that changes when such a
    resource is written. Without it a ValueSets serves one request. Safe to share between threads.
    """

    def __init__(
        self,
        terminology: Terminology | None = None,
        resolve: Resolve | None = None,
        generation: Callable[[], Hashable] | None = None,
    ) -> None:
        self._terminology = terminology
        self._resolve = resolve
        self._generation = generation
        self._stamp: Hashable = None
        self._members: dict[str, Members] = {}
        self._systems: dict[tuple[str, str | None], System] = {}

    def members(self, of: str | Json) -> Members | None:
        """The members of a value set given by canonical URL (`url` or `url|version`) or as a resource.

        None when it, or a value set that it imports, is not known here. FhirError for one that cannot be used: an
        operator that is not supported, a pattern that is no linear regular expression, a set that contains itself, one
        that is too large.
        """
        self._refresh()
        if isinstance(of, dict):
            return self._compiled(of)
        found = self._members.get(of)
        if found is None and (resource := self._value_set(of)) is not None:
            found = self._compiled(resource)
            if found is not None:
                self._members[of] = found
        return found

    def _compiled(self, resource: Json) -> Members | None:
        try:
            return Compiler(self.system, self._value_set).compile(resource)
        except FhirError as error:
            if error.category is Category.NOT_FOUND:
                return None
            raise

    def system(self, url: str, version: str | None = None) -> System | None:
        """A code system; None when it is not loaded, or not in that version."""
        self._refresh()
        found = self._systems.get((url, version))
        if found is None:
            found = self._find_system(url, version)
            if found is not None:
                self._systems[url, version] = found
        return found

    def below(self, system: str, code: str) -> Set[str] | None:
        """The code and all codes below it; None when the system or the code is not known here."""
        found = self.system(system)
        return None if found is None else found.below(code)

    def above(self, system: str, code: str) -> Set[str] | None:
        """The code and all codes above it; None when the system or the code is not known here."""
        found = self.system(system)
        return None if found is None else found.above(code)

    def _refresh(self) -> None:
        stamp = self._generation() if self._generation else None
        if stamp != self._stamp:
            self._stamp, self._members, self._systems = stamp, {}, {}

    def _find_system(self, url: str, version: str | None) -> System | None:
        """By rules, loaded whole, stored, published, loaded in part. FHIR's own systems are as published."""
        if url in GRAMMARS:
            return GRAMMARS[url]
        loaded = self._loaded(url, version)
        if loaded is not None and loaded.complete:
            return loaded
        ways = (self._stored, self._published)
        for way in reversed(ways) if url.startswith(HL7_FHIR) else ways:
            if (found := way(url, version)) is not None:
                return found
        return loaded

    def _loaded(self, url: str, version: str | None) -> Loaded | None:
        if self._terminology is None:
            return None
        edition = self._terminology.edition(url, None, version)
        return None if edition is None else Loaded(self._terminology, url, edition.version)

    def _stored(self, url: str, version: str | None) -> Listed | None:
        found = self._found(url if version is None else f"{url}|{version}", "CodeSystem")
        if found is None and version is not None:
            found = self._found(url, "CodeSystem")
            found = found if found is not None and found.get("version") == version else None
        if found is None or found.get("content", "complete") not in TELLING:
            return None
        return Listed(read_code_system(found))

    def _published(self, url: str, version: str | None) -> Listed | None:
        found = core().code_system(url)
        return None if found is None or version not in (None, found.version) else Listed(found)

    def _value_set(self, canonical: str) -> Json | None:
        """The resource of a canonical URL: stored, published, or the set that the name of a code system implies."""
        url, version = snomed.parted(canonical)
        published = core().value_set(url)
        if published is not None and version not in ("", published.get("version")):
            published = None
        if published is not None and url.startswith(HL7_FHIR):
            return published
        return self._found(canonical, "ValueSet") or published or implied(url, version, self._knows)

    def _knows(self, url: str) -> bool:
        return self.system(url) is not None

    def _found(self, canonical: str, type_: str) -> Json | None:
        found = self._resolve(canonical) if self._resolve else None
        return found if found is not None and found.get("resourceType") == type_ else None


def implied(url: str, version: str, knows: Callable[[str], bool]) -> Json | None:
    """The set that the name of a code system stands for: `SYSTEM?fhir_vs`, `SYSTEM?fhir_vs=isa/CODE`, `SYSTEM/vs`."""
    if (edition := snomed.implied(url, version)) is not None:
        return edition if knows(SNOMED) else None
    if (set_ := own.implied(url, version, knows)) is not None:
        return set_
    system, mark, query = url.partition("?fhir_vs")
    if not mark:
        system = url.removesuffix("/vs")
    if system == url or not knows(system):
        return None
    include: Json = {"system": system, **({"version": version} if version else {})}
    if query.startswith("=isa/"):
        include["filter"] = [{"property": "concept", "op": "is-a", "value": query.removeprefix("=isa/")}]
    elif query:
        raise FhirError.of(Category.UNSUPPORTED, "not-supported", "Of implied value sets only isa/ is supported")
    return {"resourceType": "ValueSet", "url": url, "status": "active", "compose": {"include": [include]}}
