"""Value sets that no table can list: media types, currencies, units, languages (https://hl7.org/fhir/R4/terminologies.html#strength).

Who is in them is told at start-up by whoever knows; what nobody tells is not checked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from fhir_profiles.definitions import Binding, load
from fhir_profiles.systems import ALL_LANGUAGES, LANGUAGES

Contains = Callable[[str | None, str], bool | None]
"""Whether a code of a system (None: of any) is a member; None when that cannot be told."""

_LIMITS = {LANGUAGES: ALL_LANGUAGES}
"""Value sets that are merely preferred but come, wherever R4 binds to them, with one that codes must not leave."""

_told: dict[str, Contains] = {}


def tell(sets: Mapping[str, Contains]) -> None:
    """From now on, codes bound to these value sets are checked."""
    _told.update(sets)


def unlisted(binding: Binding | None) -> str | None:
    """The value set that codes of an element must be in though no table lists it."""
    if binding is None:
        return None
    if binding.strength == "required" and binding.value_set not in load().value_sets:
        return binding.value_set
    return _LIMITS.get(binding.value_set)


def allows(value_set: str, code: str) -> bool:
    """Whether a code without a system may stand where the value set is bound."""
    contains = _told.get(value_set)
    return contains is None or contains(None, code) is not False


def allows_one(value_set: str, codings: Iterable[Mapping[str, Any]], *, required: bool) -> bool:
    """Whether one of the codings may; without any, whether that will do."""
    contains = _told.get(value_set)
    if contains is None:
        return True
    answers = [contains(c.get("system") or "", c["code"]) for c in codings if "code" in c]
    return any(answer is not False for answer in answers) if answers else not required
