"""Whom a subscription is told for: its owner's reach, asked again whenever something is matched or told.

What the owner may not read now, or could not read in the version that was written, is not told, not even that it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

from fhir_profiles.errors import Category, FhirError
from server.access.caller import ANYBODY, Caller
from server.access.gate import judges, require, require_query, sees
from server.access.owning import owner_of
from server.access.reach import permits, rules_of
from server.access.standing import still
from server.interactions.fhir import Fhir
from server.search.custom import params_of
from server.search.query import Chain, Condition, Every, Has, Limits, Node, Not, Some, unescape
from server.search.reading import read_query
from server.search.view import View
from server.store.version import DELETE, Version
from server.subscriptions.definition import Definition


class Told(Protocol):
    """A version that may be told."""

    @property
    def type(self) -> str: ...  # noqa: D102
    @property
    def id(self) -> str: ...  # noqa: D102
    @property
    def version(self) -> int: ...  # noqa: D102
    @property
    def change(self) -> str: ...  # noqa: D102


T = TypeVar("T", bound=Told)
_SELF = ("Patient", "_id")


class Owners:
    """The callers of subscriptions, as they are now."""

    def __init__(self, fhir: Fhir, base_url: str = "") -> None:
        self._fhir = fhir
        self._base_url = base_url

    def of(self, subscription: str) -> Caller | None:
        """The owner; None where what it was given has ended, or nobody knows whose the subscription is."""
        store, settings = self._fhir.store, self._fhir.settings
        kept = owner_of(store, subscription)
        if kept is None:  # written by a server that kept no owners: those were open
            return ANYBODY if settings.open else None
        return still(store, kept, settings.data)

    def seen(self, owner: Caller, several: Iterable[T]) -> list[T]:
        """Of some versions, those that the owner may be told of."""
        return [one for one in several if owner.whole or self._sees(owner, one)]

    def _sees(self, owner: Caller, one: Told) -> bool:
        if not permits(owner, one.type, "r"):
            return False
        store = self._fhir.store
        current = store.read(one.type, one.id)
        if current is None or not (current.deleted or sees(store, owner, current, "r", self._base_url)):
            return False
        number = one.version - 1 if one.change == DELETE else one.version
        return self._judges(owner, current, number)

    def saw(self, owner: Caller, kind: str, name: str, number: int) -> bool:
        """Whether the owner may know of a version that was replaced: an event that depends on it would tell of it."""
        if owner.whole:
            return True
        current = self._fhir.store.read(kind, name)
        return current is not None and self._judges(owner, current, number)

    def _judges(self, owner: Caller, current: Version, number: int) -> bool:
        store = self._fhir.store
        version = store.read_version(current, number)
        return version is not None and judges(store, owner, version, "r", self._base_url)


def admit(view: View, caller: Caller, definition: Definition, base_url: str = "") -> None:
    """403 for a subscription to what the caller may not read or search, or that names another patient."""
    if caller.whole:
        return
    require(caller, definition.type, "r", "s")
    params = params_of(view)
    for pairs in (definition.criteria, *definition.filters):
        query = read_query(definition.type, pairs, strict=True, limits=Limits(), base_url=base_url, params=params)
        require_query(caller, query)
        _refuse_others(caller, definition.type, [node for branch in query.branches for node in branch.conditions])


def _refuse_others(caller: Caller, kind: str, nodes: Sequence[Node]) -> None:
    """403 where all that is allowed lies in compartments, and a condition names the patient of another."""
    rules = rules_of(caller, kind, "r")
    if rules is None or any(rule.patient is None for rule in rules):
        return
    own = {rule.patient for rule in rules}
    for node in nodes:
        about = isinstance(node, Condition) and (node.param.type == "reference" or (kind, node.param.code) == _SELF)
        if about and not {*_patients(node)} <= own:  # type: ignore[arg-type]
            text = "The criteria name somebody else than the patient whom you were given."
            raise FhirError.of(Category.FORBIDDEN, "forbidden", text, "Subscription.criteria")
        _refuse_others(caller, kind, _inner(node))


def _inner(node: Node) -> Sequence[Node]:
    match node:
        case Every() | Some():
            return node.parts
        case Not():
            return (node.part,)
        case Chain() | Has() | Condition():
            return ()


def _patients(condition: Condition) -> Iterable[str]:
    """Ids of the patients that a condition names."""
    for value in map(unescape, condition.values):
        head, _, name = value.partition("/_history/")[0].rpartition("/")
        if (not head and condition.modifier in (None, "Patient")) or head.rpartition("/")[2] == "Patient":
            yield name
