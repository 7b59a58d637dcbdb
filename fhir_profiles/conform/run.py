"""One check of one resource: what it may ask of the world, and the problems it has found."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from fhir_profiles.errors import Category, FhirError, Problem, Severity

if TYPE_CHECKING:
    from fhir_profiles.conform.items import Item
    from fhir_profiles.conform.registry import Profiles

MAX_PROBLEMS = 1_000
MAX_TRIALS = 10_000
"""How often one check may try whether a part meets a profile: of slices told by profile, of several target profiles."""

MAX_DEPTH = 8
"""How deep profiles may lead into profiles: of extensions, of datatypes, of contained resources."""


class Members(Protocol):
    """The codes of a value set; None says that it cannot be told, because a code system is not loaded."""

    def contains(self, system: str, code: str, /) -> bool | None:
        """Whether the code is in the set; a bare code has the system ""."""


Codes = Callable[[str], Members | None]
Resolve = Callable[[str], dict[str, Any] | None]
Check = Callable[["Item", "Run"], None]


class Run:
    """The state of a check. `thorough` also looks for what cannot refuse a resource: warnings and information."""

    __slots__ = (
        *("codes", "depth", "must_support", "problems", "profiles", "resolve", "resource", "thorough"),
        *("_checkers", "_trials"),
    )

    def __init__(
        self,
        resource: dict[str, Any],
        profiles: Profiles,
        codes: Codes | None = None,
        *,
        thorough: bool = True,
        must_support: bool = False,
        resolve: Resolve | None = None,
    ) -> None:
        self.resource = resource
        self.profiles = profiles
        self.codes = codes
        self.thorough = thorough
        self.must_support = must_support
        self.resolve = resolve
        self.problems: dict[Problem, None] = {}
        self.depth = 0
        self._checkers: dict[str, Check | None] = {}
        self._trials = [MAX_TRIALS]

    def checker(self, url: str) -> Check | None:
        """The check of a profile; None when it is not known or cannot be compiled, so that it cannot be told."""
        if url not in self._checkers:
            try:
                self._checkers[url] = self.profiles.checker(url)
            except FhirError:
                self._checkers[url] = None
        return self._checkers[url]

    def add(self, severity: Severity, code: str, text: str, place: str) -> None:
        """Report a problem, once; beyond MAX_PROBLEMS there is nothing more to learn."""
        if len(self.problems) < MAX_PROBLEMS:
            self.problems[Problem(severity, code, text, place)] = None

    def not_checked(self, text: str, place: str) -> None:
        """Report that something could not be checked, which is not the same as passed."""
        if self.thorough:
            self.add("information", "not-supported", f"Not checked: {text}", place)

    def inside(self, resource: dict[str, Any] | None = None) -> Run:
        """A check of its own for a part, to learn whether it has errors; FhirError when there were too many."""
        self._trials[0] -= 1
        if self._trials[0] < 0:
            text = "The profile tries too many combinations of other profiles on this resource."
            raise FhirError.of(Category.INCORRECT, "too-costly", text)
        run = Run(self.resource if resource is None else resource, self.profiles, self.codes, thorough=False)
        run.resolve, run.depth = self.resolve, self.depth + 1
        run._checkers, run._trials = self._checkers, self._trials
        return run

    @property
    def failed(self) -> bool:
        """Whether an error was found."""
        return any(p.severity in ("error", "fatal") for p in self.problems)
