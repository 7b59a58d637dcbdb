"""Faults in the enforcement, put in while the server runs: each must be found by the campaign."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

import msgspec

from fhir_profiles.errors import Category, FhirError
from server.access import consents, gate, honouring, reach
from server.access.caller import SHARED, SYSTEM, Caller
from server.access.reach import Rule
from server.interactions import conditional, create, delete, history, search, seen, transaction, update
from server.interactions import fhir as interactions
from server.interactions import patch as patching
from server.interactions.exchange import Request
from server.operations import document, everything, graphql, lastn, match, meta
from server.search import find, includes, order, tree
from server.search.custom import STANDARD
from server.search.nodes import compartment
from server.search.query import Condition, Some
from server.search.reach import whole
from server.search.sql import Sql, any_of, join
from server.search.total import count_matches

Change = tuple[Any, str, Any]

_rules_of = reach.rules_of
_condition = reach.condition
_meta_read, _of_patient, _join = meta._read, reach._of_patient, join


def _all(*_args: Any, **_more: Any) -> None:
    return None


def _yes(*_args: Any, **_more: Any) -> bool:
    return True


def _given(_tx: Any, _request: Any, current: Any, _right: Any) -> Any:
    return current


def _without_filters(caller: Caller, kind: str, right: Any) -> Any:
    rules = _rules_of(caller, kind, right)
    bare = tuple({Rule(rule.patient, ()): None for rule in rules or ()})
    return None if rules is None or Rule(None, ()) in bare else bare


def _without_patient(caller: Caller, kind: str, right: Any) -> Any:
    rules = _rules_of(caller, kind, right)
    return rules if not rules else tuple(Rule(None, rule.filters) for rule in rules)


def _own_patient_of_user(caller: Caller, kind: str, right: Any) -> Any:
    return _rules_of(msgspec.structs.replace(caller, role=None), kind, right)


def _any_right(caller: Caller, kind: str, right: Any) -> Any:
    return _rules_of(caller, kind, right) or (_rules_of(caller, kind, "r") if right == "s" else ())


def _reading_writes(caller: Caller, kind: str, right: Any) -> Any:
    return (
        _rules_of(caller, kind, "r")
        if right in "ud" and _rules_of(caller, kind, right) == ()
        else _rules_of(caller, kind, right)
    )


def _glass_wide(caller: Caller, kind: str, right: Any) -> Any:
    rules = _rules_of(caller, kind, right)
    more = [_of_patient(one, kind, right, ()) for one in caller.broken if right in "rs"]
    return rules if rules is None else (*rules, *(one for one in more if one is not None))


def _glass_writes(caller: Caller, kind: str, right: Any) -> Any:
    rules = _rules_of(caller, kind, right)
    more = [_rules_of(msgspec.structs.replace(caller, patient=one), kind, right) or () for one in caller.broken]
    return rules if rules is None else (*rules, *(rule for some in more for rule in some))


def _one_filter(caller: Caller, kind: str, right: Any) -> Any:
    rules = _rules_of(caller, kind, right)
    return rules if not rules else tuple(Rule(rule.patient, rule.filters[:1]) for rule in rules)


def _unfiltered_writes(view: Any, caller: Caller, kind: str, right: Any, base_url: str = "", **more: Any) -> Any:
    if right in "ud":
        with patch.object(reach, "rules_of", _without_filters):
            return _condition(view, caller, kind, right, base_url, **more)
    return _condition(view, caller, kind, right, base_url, **more)


def _as_system(original: Callable[..., Any]) -> Callable[..., Any]:
    def run(self: Any, request: Request, *rest: Any) -> Any:
        return original(self, msgspec.structs.replace(request, caller=SYSTEM), *rest)

    return run


def _members_too(patient: str, kind: str) -> Any:
    return compartment("Patient", patient, kind)


def _focus_too(patient: str, kind: str) -> Any:
    node = compartment("Patient", patient, kind)
    if kind != "Observation":
        return node
    return Some((node, Condition(kind, STANDARD.find(kind, "focus"), None, (f"Patient/{patient}",))))


def _whole_live(kind: str, alias: str, _reach: Any) -> Any:
    return _live(kind, alias, whole)


_live = tree.live
_include = includes.include
_count = count_matches


def _unseen_count(view: Any, _statement: Any, most: Any, *, whole: bool) -> int:
    return _count(view, Sql("SELECT rid FROM resource", ()), most, whole=whole)


def _later_pages(view: Any, query: Any, limit: Any) -> Any:
    return find.run_search(view, query, whole if query.cursor else limit)


def _shared_written(patient: Any, kind: str, right: Any, filters: Any) -> Any:
    return _of_patient(patient, kind, "r" if kind in SHARED else right, filters)


def _telling(view: Any, request: Request) -> Any:
    find_seen = seen.seen(view, request)

    def told(kind: str, name: str) -> Any:
        version = find_seen(kind, name)
        if version is None and view.read(kind, name) is not None:
            raise FhirError.of(Category.FORBIDDEN, "forbidden", "This is somebody else's.")
        return version

    return told


def _searchable(one: Any, _other: Any) -> Any:
    return one


_fits = consents._fits


def _trusting(rule: Any, who: Any, at: int) -> Any:
    return _fits(rule, who, at) or (rule.permit and _fits(rule, who, at) is None)


def _without_exceptions(rule: Any, *_who: Any) -> bool:
    return not rule.permit


def _first_patient(dialect: str, patients: Any) -> Any:
    """Only of the patient who stands in the row of what is referred to."""
    split = "substr(na.target, 1, instr(na.target, '/') - 1)", "substr(na.target, instr(na.target, '/') + 1)"
    if dialect != "sqlite":
        split = "split_part(na.target, '/', 1)", "split_part(na.target, '/', 2)"
    whose = any_of(dialect, "nb.patient", patients)
    text = f"nb.type = {split[0]} AND nb.id = {split[1]} WHERE na.rid = {{rid}} AND {whose.text}"
    return Sql(f"EXISTS (SELECT 1 FROM idx_reference na JOIN resource nb ON {text})", whose.params)


MUTATIONS: dict[str, list[Change]] = {
    "the reach is ignored by searches": [(search, "reach_of", lambda *_: whole)],
    "the reach is ignored by includes": [(find, "include", lambda v, q, m, _r: _include(v, q, m, whole))],
    "the reach is ignored by chains and _has": [(tree, "live", _whole_live)],
    "the reach is ignored by sort keys": [(order, "live", _whole_live)],
    "totals count what is hidden": [(find, "count_matches", _unseen_count)],
    "vread does not judge the version": [(interactions, "seen_version", lambda view, _request: view.read_version)],
    "read does not ask whether it is seen": [(seen, "within", _all)],
    "a history does not judge its versions": [(history, "judges", _yes)],
    "a history is not limited to what is seen now": [(history, "_within_reach", lambda *_: Sql("1 = 1"))],
    "rights on types are not required": [(seen, "require", _all), (gate, "require", _all)],
    "a search needs no right": [(search, "require_query", _all)],
    "a chain needs no right on what it passes": [(gate, "_passed", lambda _branch: ())],
    "rules are joined by AND": [(reach, "join", lambda _word, parts: _join("AND", parts))],
    "the parts of a rule are joined by OR": [(reach, "join", lambda _word, parts: _join("OR", parts))],
    "filters are ignored": [(reach, "rules_of", _without_filters)],
    "filters are ignored by update and delete": [(gate, "condition", _unfiltered_writes)],
    "only the first filter counts": [(reach, "rules_of", _one_filter)],
    "the patient is ignored": [(reach, "rules_of", _without_patient)],
    "the role of a user is ignored": [(reach, "rules_of", _own_patient_of_user)],
    "a broken glass is wider than the scopes": [(reach, "rules_of", _glass_wide)],
    "a broken glass lets write": [(reach, "rules_of", _glass_writes)],
    "reading is enough to search": [(reach, "rules_of", _any_right)],
    "reading is enough to write": [(reach, "rules_of", _reading_writes)],
    "what is shared is too wide": [(reach, "SHARED", SHARED | {"Coverage", "RelatedPerson", "Group"})],
    "a patient may write what is shared": [(reach, "_of_patient", _shared_written)],
    "a link to a patient opens the record": [(reach, "_within", _members_too)],
    "focus puts into the compartment": [(reach, "_within", _focus_too)],
    "a condition finds what is hidden": [
        (conditional, "reach_of", lambda *_: whole),
        (conditional, "both", lambda a, _: a),
    ],
    "a condition needs no right to search": [(conditional, "require_query", _all)],
    "a delete is not checked": [(delete, "changeable", _given)],
    "an update is not checked against what is there": [(update, "changeable", _given)],
    "a patch is not checked against what is there": [(patching, "changeable", _given), (update, "changeable", _given)],
    "what is written is not checked": [(update, "admit", _all), (create, "admit", _all)],
    "a patch shows what may not be read": [(patching, "judges", _yes)],
    "pages after the first are not limited": [(search, "run_search", _later_pages)],
    "$everything runs as the server": [(everything.Everything, "_get", _as_system(everything.Everything._get))],
    "$graphql runs as the server": [(graphql.GraphQL, "_run", _as_system(graphql.GraphQL._run))],
    "$lastn runs as the server": [(lastn.LastN, "_newest", _as_system(lastn.LastN._newest))],
    "$document runs as the server": [
        (document.DocumentOperation, "_gather", _as_system(document.DocumentOperation._gather))
    ],
    "$match runs as the server": [(match.Match, "_search", _as_system(match.Match._search))],
    "$meta runs as the server": [
        (meta, "_read", lambda request: msgspec.structs.replace(_meta_read(request), caller=SYSTEM))
    ],
    "what is hidden is answered by 403": [(interactions, "seen", _telling)],
    "every Binary is anybody's": [(reach, "binary_of", lambda *_: Sql("1 = 1"))],
    "a document may point to a hidden Binary": [(seen, "_admit_pointer", _all)],
    "a conditional delete ends what may only be searched": [(conditional, "both", _searchable)],
    "a transaction needs no right to create what is there": [(transaction, "require", _all)],
    "consents are ignored": [(reach, "taken_away", _all)],
    "consents are not asked of single versions": [(gate, "_taken", lambda *_: False)],
    "exceptions of consents are ignored": [(consents, "_denied", _without_exceptions)],
    "what nobody knows of a caller counts for the caller": [(consents, "_fits", _trusting)],
    "a file is not kept back with its document": [(honouring, "held", lambda *_: None)],
    "what tells of two people goes with the first alone": [(honouring, "refers_to", _first_patient)],
    "what a replaced Provenance told of is not followed": [(gate, "_told_of", lambda *_: [])],
    "labels that consents name are ignored": [(consents, "_labelled", lambda *_: False)],
}
"""What is wrong, and which names are replaced by what."""


@contextmanager
def broken(name: str) -> Iterator[None]:
    """The server with this fault, for the time of the block."""
    with ExitStack() as stack:
        for place, attribute, value in MUTATIONS[name]:
            stack.enter_context(patch.object(place, attribute, value))
        _forget()
        yield
    _forget()


def _forget() -> None:
    reach._rules.cache_clear()
    reach._within_any.cache_clear()
    for one in honouring._honoured.values():
        one._active = honouring._NEVER
