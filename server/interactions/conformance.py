"""What resources are held to: R4, the profiles that they claim, and those that the settings ask of their type.

https://hl7.org/fhir/R4/validation.html
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

from fhir_profiles.conform import Members, Own, Profiles, check_known, check_profile
from fhir_profiles.errors import Category, FhirError, Problem
from fhir_profiles.packages import Library
from fhir_profiles.subset import refuse_part
from fhir_profiles.validate import check
from server.interactions.exchange import Request, Response
from server.interactions.loaded import LoadedCodes
from server.interactions.stored import Stored
from server.search.rows import index_rows
from server.settings import Settings
from terminology.operations import Library as CodesLibrary
from terminology.value_sets import ValueSets

Json = dict[str, Any]
_GRAVE = ("error", "fatal")


class Conformance:
    """The profiles and value sets of a server, and the checks by them."""

    def __init__(self, settings: Settings, handle: Callable[[Request], Response]) -> None:
        self._level = settings.validation
        self.loaded = LoadedCodes(settings.data)
        self._standing: tuple[Hashable, ValueSets, CodesLibrary] | None = None
        self._required = settings.required_profiles if self._level == "profiles" else ()
        self.library = Library(settings.data)
        self.stored = Stored(handle)
        self.profiles = Profiles((Own(), self.library, self.stored))

    def admit(self, resource: Json, body: bytes | None = None) -> None:
        """Refuse a resource that breaks what the settings hold writes to, with every error."""
        problems = check(resource, body)
        if self._level == "off" and problems:
            return _refuse_unfindable(resource)
        if self._level == "profiles" and not _grave(problems):
            problems = problems + self._profile_errors(resource)
        if _grave(problems):
            raise FhirError(Category.INCORRECT, *problems)
        return refuse_part(resource)

    def hints(self, resource: Json) -> list[Problem]:
        """What a resource that was admitted leaves to be said: warnings, and what could not be checked."""
        found = self.problems(resource) if self._level == "profiles" else check(resource, warnings=True)
        return [problem for problem in found if not _is_advice(problem)]

    def problems(self, resource: Json, profiles: tuple[str, ...] = (), *, must_support: bool = False) -> list[Problem]:
        """Everything there is to say of a resource: by R4, by the profiles named and claimed, and by required ones."""
        found = [_as_advice(p) if _is_advice(p) else p for p in check(resource, warnings=True)]
        if _grave(found):
            return [*found, Problem("information", "not-supported", "Not checked: profiles. Correct the errors first.")]
        more = check_known(resource, registry=self.profiles, codes=self.codes, must_support=must_support)
        for url in profiles:
            if self.profiles.find(url) is None:
                text = "Not checked: the profile asked for is not known here. Load its package."
                more.append(Problem("error", "not-found", text))
            else:
                more += check_profile(
                    resource, url, registry=self.profiles, codes=self.codes, must_support=must_support
                )
        more += self._required_errors(resource)
        return list(dict.fromkeys([*found, *more]))

    def codes(self, value_set: str) -> Members | None:
        """The members of a value set; None when it is not known, or says what cannot be told."""
        try:
            return self.value_sets.members(value_set)
        except FhirError:
            return None

    def definition(self, canonical: str) -> Json | None:
        """The ValueSet or CodeSystem of that URL: of a package, ours, or stored."""
        return self.profiles.resource("ValueSet", canonical) or self.profiles.resource("CodeSystem", canonical)

    @property
    def value_sets(self) -> ValueSets:
        """The value sets that bindings name: of HL7's core, of packages, ours, and stored ones."""
        return self._known()[1]

    @property
    def codes_library(self) -> CodesLibrary:
        """Code systems and value sets for the terminology operations."""
        return self._known()[2]

    def _known(self) -> tuple[Hashable, ValueSets, CodesLibrary]:
        """What stands on the loaded code systems, made again when those change."""
        stamp = self.loaded.stamp()
        if self._standing is None or self._standing[0] != stamp:
            terminology = self.loaded.terminology()
            sets = ValueSets(terminology, self.definition, self.generation)
            self._standing = stamp, sets, CodesLibrary(terminology, self._resources, self.generation)
        return self._standing

    def _resources(self, resource_type: str, url: str) -> list[Json]:
        if not url:
            return list(self.stored.every(resource_type))
        return [r for source in self.profiles.sources for r in source.resources(resource_type, url)]

    def generation(self) -> Hashable:
        """A value that changes when a package or code system is loaded, or a value set or code system written."""
        return len(self.library.packages), self.loaded.stamp(), self.stored.generation()

    def _profile_errors(self, resource: Json) -> list[Problem]:
        found = check_known(resource, registry=self.profiles, codes=self.codes, thorough=False)
        return found + self._required_errors(resource)

    def _required_errors(self, resource: Json) -> list[Problem]:
        """What a resource breaks of the profiles that the settings ask of its type; meeting one of them is enough."""
        found: list[Problem] = []
        for url in self._required:
            profile = self.profiles.find(url)
            if profile is None or profile.type != resource["resourceType"]:
                continue
            broken = check_profile(resource, url, registry=self.profiles, codes=self.codes, thorough=False)
            if not _grave(broken):
                return []
            found = found or broken
        return found


def _is_advice(problem: Problem) -> bool:
    """R4 marks dom-6 as best practice: a resource without a narrative is clean."""
    return problem.text.startswith("dom-6:")


def _as_advice(problem: Problem) -> Problem:
    return Problem("information", problem.code, problem.text, problem.expression)


def _grave(problems: list[Problem]) -> bool:
    return any(problem.severity in _GRAVE for problem in problems)


def _refuse_unfindable(resource: Json) -> None:
    """Refuse what cannot even be stored with the rows that find it: with `validation` off that is all we ask."""
    try:
        index_rows({**resource, "id": "1"}, "")
    except Exception:
        text = "The resource is so far from R4 that it cannot be indexed. Correct its structure."
        raise FhirError.of(Category.INCORRECT, "structure", text) from None
