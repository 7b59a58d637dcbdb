"""Which version of a code system speaks: as pinned, as asked for, or the newest.

`1.x` and `1.2.x` stand for any version of that beginning, `http://snomed.info/sct/MODULE` for any of that module.
https://build.fhir.org/valueset-operation-expand.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from fhir_profiles.systems import SNOMED, VERSION_ALGORITHM

Json = dict[str, Any]
_EDITION = re.compile(re.escape(SNOMED) + r"/\d{6,18}")
_DAY = re.compile(r"(\d{4})-?(?:(\d\d)(?:-?(\d\d))?)?")
_NUMBER = re.compile(r"\d+")
_ANY = frozenset(("x", "X", "*"))


def is_pattern(version: str) -> bool:
    """Whether a version names several."""
    return not _ANY.isdisjoint(version.split(".")) or _EDITION.fullmatch(version) is not None


def agrees(wanted: str, version: str | None) -> bool:
    """Whether a version is the one wanted, or one of those."""
    if version is None:
        return False
    if wanted == version:
        return True
    if not is_pattern(wanted):
        return False
    if _EDITION.fullmatch(wanted):
        return version.startswith(f"{wanted}/version/")
    parts = wanted.split(".")
    while parts and parts[-1] in _ANY:
        parts.pop()
    given = version.split(".")[: len(parts)]
    return len(parts) == len(given) and all(p in _ANY or p == g for p, g in zip(parts, given, strict=True))


def order(version: str) -> tuple[tuple[int, ...], tuple[tuple[int, int, str], ...], str]:
    """A key that puts versions in their order: dates by day, others by their numbers, previews before their release."""
    if (day := _DAY.fullmatch(version)) is not None:
        return tuple(int(part or 0) for part in day.groups()), (), version
    release, _, rest = version.partition("+")[0].partition("-")
    parts = [(0, int(p), "") if p.isdigit() else (1, 0, p) for p in rest.split(".") if p]
    return tuple(map(int, _NUMBER.findall(release))), tuple(parts) or ((2, 0, ""),), version


def newest(versions: Iterable[str], *, alphabetic: bool = False) -> str | None:
    """The newest of some versions; `alphabetic` where they are declared to have the order of their letters."""
    return max(versions, key=(lambda version: ((), (), version)) if alphabetic else order, default=None)


def is_alphabetic(head: Json) -> bool:
    """Whether a CodeSystem declares that its versions have the order of their letters."""
    said: Json = next((e for e in head.get("extension") or () if e.get("url") == VERSION_ALGORITHM), {})
    return "alpha" in (said.get("valueString"), said.get("valueCoding", {}).get("code"))


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
