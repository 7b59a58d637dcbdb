"""What a terminology operation was called with (https://hl7.org/fhir/R4/parameters.html)."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from datetime import date
from typing import Any

import msgspec

from fhir_profiles.errors import Category, FhirError
from terminology.operations.issues import Issue
from terminology.operations.versions import Pins, pins

Json = dict[str, Any]
MOST = 1_000
"""Parameters of one call."""

LONGEST = 16_384
"""Letters of a simple value, or of one inside a Coding."""

_DAY = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2})(?:T[0-9:.]+(?:Z|[+-][0-9:]+))?)?)?")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
SHARED = frozenset({
    "tx-resource", "system-version", "check-system-version", "force-system-version", "default-valueset-version",
    "displayLanguage", "useSupplement", "date", "uuid", "_format", "_pretty", "_summary", "_elements",
})  # fmt: skip
"""Parameters that every terminology operation takes; `uuid` names a client's cache, which is not needed."""


class Call(msgspec.Struct, frozen=True):
    """Parameters by name: simple values as texts, complex ones and resources as they came.

    `language` is the `Accept-Language` of the request.
    """

    parameters: tuple[tuple[str, Any], ...]
    language: str = ""
    _named: dict[str, list[Any]] = {}

    def __post_init__(self) -> None:
        named = self._named
        for name, value in self.parameters:
            if name in named:
                named[name].append(value)
            else:
                named[name] = [value]

    @classmethod
    def of(cls, parameters: Json, language: str = "") -> Call:
        """Read a Parameters resource; FhirError for one that is none."""
        return cls(tuple(_listed(parameters)), language)

    @classmethod
    def of_query(cls, pairs: Iterable[tuple[str, str]], language: str = "") -> Call:
        """Read the query of a GET."""
        found = tuple(pairs)
        for _, text in found:
            if not text.isprintable() or len(text) > LONGEST:
                _sound(text)
        return cls(found, language)

    def all(self, name: str) -> list[Any]:
        """Every value of a parameter."""
        return self._named.get(name, [])

    def text(self, name: str) -> str | None:
        """The one simple value of a parameter."""
        found = self._named.get(name)
        if found is None:
            return None
        if len(found) > 1 or not isinstance(found[0], str):
            raise wrong(f"{name} takes one simple value.", name)
        return found[0]

    def value(self, name: str) -> Json | None:
        """The one complex value or resource of a parameter."""
        found = self._named.get(name)
        if found is None:
            return None
        if len(found) > 1 or not isinstance(found[0], dict):
            raise wrong(f"{name} takes one complex value or resource.", name)
        return found[0]

    def flag(self, name: str) -> bool | None:
        """A boolean; None when absent."""
        text = self.text(name)
        if text not in (None, "true", "false"):
            raise wrong(f"{name} must be true or false.", name)
        return None if text is None else text == "true"

    def whole(self, name: str) -> int | None:
        """A whole number; None when absent."""
        text = self.text(name)
        if text is None:
            return None
        if not (text.isascii() and text.isdigit() and len(text) < 10):
            raise wrong(f"{name} must be a whole number.", name)
        return int(text)

    def otherwise(self, pairs: Iterable[tuple[str, str]]) -> Call:
        """The same call with parameters that count where it does not have them itself."""
        more = tuple((name, value) for name, value in pairs if name not in self._named)
        return Call((*self.parameters, *more), self.language) if more else self

    def day(self) -> date | None:
        """The date of service that the code is asked about."""
        text = self.text("date")
        if text is None:
            return None
        parts = _DAY.fullmatch(text)
        try:
            if parts is not None:
                return date(*(int(part or 1) for part in parts.groups()))
        except ValueError:
            pass  # no such day
        raise wrong("date must be a day of the calendar such as 2026-04-15, or a dateTime.", "date")

    def pins(self) -> Pins:
        """What is said of versions."""
        return Pins(*(pins(map(str, self.all(f"{p}system-version"))) for p in ("force-", "", "check-")))

    def resources(self) -> list[Json]:
        """The resources that came with the call and count for it alone."""
        return [r for r in self.all("tx-resource") if isinstance(r, dict)]

    def only(self, known: Collection[str]) -> None:
        """Refuse parameters that the operation does not know: none is silently ignored."""
        for name in self._named:
            if name not in known and name not in SHARED:
                text = f"The operation takes only these parameters: {', '.join(sorted({*known, *SHARED}))}."
                raise FhirError(Category.INCORRECT, Issue("error", "not-supported", text, kind="not-supported"))


def _listed(parameters: Json) -> Iterator[tuple[str, Any]]:
    listed = parameters.get("parameter", [])
    if parameters.get("resourceType") != "Parameters" or not isinstance(listed, list) or len(listed) > MOST:
        raise wrong(f"Send a Parameters resource with at most {MOST} parameters.", "Parameters")
    for number, one in enumerate(listed):
        name = one.get("name") if isinstance(one, dict) else None
        if not isinstance(name, str):
            raise wrong("Each parameter needs a name.", f"Parameters.parameter[{number}]")
        yield name, one["resource"] if "resource" in one else one["part"] if "part" in one else _plain(one)


def _plain(one: Json) -> Any:
    value: Any = ""
    for key, given in one.items():
        if key.startswith("value"):
            value = given
            break
    if isinstance(value, str):
        _sound(value)
        return value
    if isinstance(value, dict):
        for text in value.values():
            if isinstance(text, str):
                _sound(text)
        return value
    return str(value).lower() if isinstance(value, bool) else str(value)


def _sound(text: str) -> None:
    """Refuse what is too long, or holds characters that no FHIR text may have."""
    if len(text) > LONGEST:
        told = f"A parameter may have {LONGEST} letters, one of this call has more."
        raise FhirError.of(Category.INCORRECT, "too-long", told)
    if not text.isprintable() and _CONTROL.search(text):
        raise FhirError.of(Category.INCORRECT, "invalid", "A parameter has control characters. Leave them out.")


def wrong(text: str, where: str | None = None) -> FhirError:
    """A parameter that is not as it must be."""
    return FhirError(Category.INCORRECT, Issue("error", "invalid", text, where, "invalid-data"))


def answer(*parameters: Json) -> Json:
    """A Parameters resource."""
    return {"resourceType": "Parameters", "parameter": list(parameters)}
