"""The search parameters that can be asked for: those of R4 and the active SearchParameter resources of this store.

Whoever serves a database says once what is known of it; the store and every transaction over it find that again.
https://hl7.org/fhir/R4/searchparameter.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any
from weakref import WeakKeyDictionary

import msgspec

from fhir_profiles.definitions import SearchParam, load
from fhir_profiles.extract.own import Own
from terminology.value_sets.value_sets import ValueSets

from .codes import Codes
from .query import unsupported
from .view import View

ByType = Mapping[str, Mapping[str, SearchParam]]


class Params:
    """What can be searched for at one moment; `own` are the parameters beyond R4."""

    def __init__(self, own: Iterable[Own] = ()) -> None:
        extra: dict[str, dict[str, SearchParam]] = {}
        readers: dict[str, list[Own]] = {}
        for one in own:
            for name in one.read:
                codes = extra.setdefault(name, {})
                if one.param.code not in codes and one.param.code not in load().search_params(name):
                    codes[one.param.code] = one.param
                    readers.setdefault(name, []).append(one)
        self.extra: ByType = extra
        self.readers: Mapping[str, list[Own]] = readers
        """What reads the parameters beyond R4 of each type."""

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


class Known(msgspec.Struct, frozen=True):
    """The parameters that can be searched for, as a view sees them, and the value sets."""

    params: Callable[[View], Params]
    value_sets: Callable[[], ValueSets] | None = None


_NOTHING = Known(lambda _view: STANDARD)
_known: WeakKeyDictionary[Any, Known] = WeakKeyDictionary()


def remember(engine: object, known: Known) -> None:
    """Say what is known of the database behind an engine."""
    _known[engine] = known


def known(view: View) -> Known:
    """What is known of the database of a view."""
    return _known.get(view.engine, _NOTHING)


def codes_of(view: View) -> Codes | None:
    """The value sets that a search of the view can name; None when nobody said which."""
    value_sets = known(view).value_sets
    return None if value_sets is None else Codes(value_sets, view)


def params_of(view: View) -> Params:
    """The parameters that can be searched for in a store, as of now."""
    return known(view).params(view)
