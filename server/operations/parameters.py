"""What an operation was called with: the query of a GET, the Parameters of a POST, or a resource as its body.

https://hl7.org/fhir/R4/operations.html#executing
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fhir_profiles import json
from fhir_profiles.errors import Category, FhirError
from server.interactions.exchange import Request

_MOST = 1000
_FORM = frozenset({"_format", "_pretty", "_summary", "_elements"})
"""What every operation takes, as it concerns the form of the answer."""


@dataclass(frozen=True, slots=True)
class Arguments:
    """Simple values as the texts that a query would hold, complex ones and resources as JSON, in their order."""

    texts: tuple[tuple[str, str], ...] = ()
    values: tuple[tuple[str, Any], ...] = ()

    def text(self, name: str) -> str | None:
        """The one value of a parameter; FhirError when there are several."""
        found = self.all(name)
        if len(found) > 1:
            raise wrong(f"{name} may be given once.", name)
        return found[0] if found else None

    def all(self, name: str) -> list[str]:
        """Every value of a parameter."""
        return [value for key, value in self.texts if key == name]

    def whole(self, name: str, default: int, most: int, least: int = 1) -> int:
        """A whole number; what is more than `most` is `most`."""
        text = self.text(name)
        if text is None:
            return default
        if not (text.isascii() and text.isdigit() and len(text) < 20 and int(text) >= least):
            raise wrong(f"{name} must be a whole number of at least {least}.", name)
        return min(int(text), most)

    def flag(self, name: str) -> bool:
        """A boolean; false when absent."""
        text = self.text(name)
        if text not in (None, "true", "false"):
            raise wrong(f"{name} must be true or false.", name)
        return text == "true"

    def value(self, name: str) -> Any:
        """The one resource or complex value of a parameter, None when absent."""
        found = [value for key, value in self.values if key == name]
        if len(found) > 1:
            raise wrong(f"{name} may be given once.", name)
        return found[0] if found else None

    def only(self, *known: str) -> None:
        """Refuse parameters that the operation does not know: none is silently ignored."""
        for name, _ in (*self.texts, *self.values):
            if name not in known and name not in _FORM:
                text = f"The operation takes only these parameters: {', '.join(known) or 'none'}."
                raise FhirError.of(Category.INCORRECT, "not-supported", text)


def read_arguments(request: Request, resource: str = "resource") -> Arguments:
    """The arguments of a call; a body that is not a Parameters is the parameter named `resource`."""
    texts, values = list(request.query), []
    if request.body:
        body = json.decode(request.body)
        if body.get("resourceType") == "Parameters":
            for name, value in _listed(body):
                if isinstance(value, str):
                    texts.append((name, value))
                else:
                    values.append((name, value))
        else:
            values.append((resource, body))
    return Arguments(tuple(texts), tuple(values))


def _listed(parameters: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    listed = parameters.get("parameter", [])
    if not isinstance(listed, list) or len(listed) > _MOST:
        raise wrong(f"parameter must be an array of at most {_MOST} objects.", "Parameters.parameter")
    for number, one in enumerate(listed):
        name = one.get("name") if isinstance(one, dict) else None
        if not isinstance(name, str):
            raise wrong("Each parameter needs a name.", f"Parameters.parameter[{number}]")
        if "resource" in one:
            yield name, one["resource"]
        elif "part" in one:
            yield name, one["part"]
        else:
            yield name, _plain(one)


def _plain(one: dict[str, Any]) -> Any:
    value = next((value for key, value in one.items() if key.startswith("value")), "")
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, dict | str) else str(value)


def wrong(text: str, where: str | None = None) -> FhirError:
    """A parameter that is not as it must be."""
    return FhirError.of(Category.INCORRECT, "value", text, where)
