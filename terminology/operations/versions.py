"""Which version of a code system speaks: as pinned, as asked for, or the newest.

`1.x` and `1.2.x` stand for any version of that beginning. https://build.fhir.org/valueset-operation-expand.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from fhir_profiles.conform.registry import version_key

_ANY = frozenset(("x", "X", "*"))


def is_pattern(version: str) -> bool:
    """Whether a version names several."""
    return not _ANY.isdisjoint(version.split("."))


def agrees(wanted: str, version: str | None) -> bool:
    """Whether a version is the one wanted, or one of those."""
    if version is None:
        return False
    if wanted == version:
        return True
    if not is_pattern(wanted):
        return False
    parts = wanted.split(".")
    while parts and parts[-1] in _ANY:
        parts.pop()
    given = version.split(".")[: len(parts)]
    return len(parts) == len(given) and all(p in _ANY or p == g for p, g in zip(parts, given, strict=True))


def newest(versions: Iterable[str]) -> str | None:
    """The newest of some versions."""
    return max(versions, key=version_key, default=None)


@dataclass(frozen=True, slots=True)
class Pins:
    """What a call says about versions: code system → version, each as `system|version` in the parameters."""

    force: dict[str, str] = field(default_factory=dict)
    default: dict[str, str] = field(default_factory=dict)
    check: dict[str, str] = field(default_factory=dict)

    def renamed(self, canonical: Callable[[str], str]) -> Pins:
        """The same, said of systems by their URIs."""
        said = (self.force, self.default, self.check)
        return Pins(*({canonical(system): version for system, version in one.items()} for one in said))

    def version(self, system: str, declared: str | None) -> str | None:
        """The version to use where `declared` stands (None: none does)."""
        forced = self.force.get(system)
        if forced is not None or declared:
            return forced or declared
        return self.default.get(system) or self.check.get(system)

    def forbids(self, system: str, version: str | None) -> str | None:
        """The version that a check asks for, when `version` is another."""
        wanted = self.check.get(system)
        return None if wanted is None or agrees(wanted, version) else wanted


def pins(pairs: Iterable[str]) -> dict[str, str]:
    """`system|version` texts as a mapping."""
    return {system: version for system, bar, version in (text.partition("|") for text in pairs) if bar and version}
