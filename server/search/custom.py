"""The search parameters that can be asked for: those of R4 and the active SearchParameter resources of this store.

https://hl7.org/fhir/R4/searchparameter.html
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from fhir_profiles.definitions import SearchParam, load

from .query import unsupported
from .view import View

ByType = Mapping[str, Mapping[str, SearchParam]]


class Params:
    """What can be searched for at one moment; `extra` holds the parameters beyond R4 by type and code."""

    def __init__(self, extra: ByType = MappingProxyType({})) -> None:
        self.extra = extra

    def of(self, resource_type: str) -> Mapping[str, SearchParam]:
        """Every parameter of a type by its code."""
        standard = load().search_params(resource_type)
        more = self.extra.get(resource_type)
        return {**more, **standard} if more else standard

    def find(self, resource_type: str, code: str) -> SearchParam:
        """One parameter; an error that names it when there is none."""
        found = load().search_params(resource_type).get(code) or self.extra.get(resource_type, {}).get(code)
        if found is None:
            shown = code if code.replace("-", "").replace("_", "").isalnum() and len(code) <= 64 else "(not a name)"
            raise unsupported(f"{resource_type} has no search parameter {shown}.")
        return found


STANDARD = Params()
"""R4 without anything of one's own."""


def params_of(view: View) -> Params:  # noqa: ARG001 - until stored parameters are read from the view
    """The parameters that can be searched for in a store, as of now."""
    return STANDARD
