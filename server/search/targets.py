"""What the value of a reference parameter can point to (https://hl7.org/fhir/R4/search.html#reference)."""

from __future__ import annotations

from functools import cache

from fhir_profiles.definitions import SearchParam, load
from fhir_profiles.extract.leaves import leaves
from server.store.keys import indexed, param_key

from .matches import LAST, either
from .query import Condition, unescape, unsupported
from .sql import Sql, any_of

PARENTS = ("partof", "part-of")
"""The parameters by which a resource names the one above it."""


def reference(dialect: str, condition: Condition, base_url: str) -> Sql:
    """The target is one of the values, or in `:below` and `:above` stands under or over one of them."""
    values = [unescape(value) for value in condition.values]
    if condition.modifier in ("below", "above"):
        return either([_related(dialect, condition, value, base_url) for value in values])
    targets = [target for value in values for target in targets_of(condition, value, base_url)]
    return any_of(dialect, "t.target", [indexed(target) for target in targets]) if targets else Sql("1 = 0")


def targets_of(condition: Condition, value: str, base_url: str) -> list[str]:
    """The targets that a reference value can mean: `Type/id` here or a URL elsewhere; a bare id means any type."""
    types = load().types
    only = condition.modifier if condition.modifier in types else None
    if base_url and value.startswith(f"{base_url}/"):
        value = value[len(base_url) + 1 :]
    head, slash, rest = value.partition("/")
    if slash and ":" not in head and head in types:
        target = f"{head}/{rest.partition('/')[0]}"
        return [target] if only in (None, head) else []
    if slash or ":" in value:
        return [value]
    if only:
        return [f"{only}/{value}"]
    return [f"{kind}/{value}" for kind in pointed_types(condition.type, condition.param)]


@cache
def pointed_types(resource_type: str, param: SearchParam) -> tuple[str, ...]:
    """The types that a bare id can mean: what the parameter is limited to, else what its element may point to."""
    definitions = load()
    found: set[str] = set()
    for leaf in leaves(definitions, resource_type, param):
        element = definitions.types[resource_type].by_key[leaf.hops[0].name][0]
        declared = element.targets if len(leaf.hops) == 1 else param.targets
        found.update((leaf.target,) if leaf.target else declared)
    known = found & set(param.targets or definitions.resource_types)
    return tuple(sorted(known)) or param.targets or definitions.resource_types


def _related(dialect: str, condition: Condition, value: str, base_url: str) -> Sql:
    """`:below` and `:above`: by the resources' own hierarchy, or by the versions of a canonical."""
    if "|" in value:
        url, _, version = value.partition("|")
        if condition.modifier == "above":
            raise unsupported(":above takes no version of a canonical.")
        exact = f"{url}|{version}"
        return Sql("(t.target = ? OR (t.target >= ? AND t.target < ?))", (exact, f"{exact}.", f"{exact}.{LAST}"))
    parts = [
        _hierarchy(dialect, target, down=condition.modifier == "below")
        for target in targets_of(condition, value, base_url)
    ]
    found = [part for part in parts if part is not None]
    if not found:
        raise unsupported(f"What {condition.param.code} refers to has no hierarchy here for :below and :above.")
    return either(found)


def _hierarchy(dialect: str, target: str, *, down: bool) -> Sql | None:
    """The target with all below it, or above; None when its type has no hierarchy."""
    kind = target.partition("/")[0]
    params = load().search_params(kind) if kind in load().resource_types else {}
    parent = next((code for code in PARENTS if code in params and kind in params[code].targets), None)
    if parent is None:
        return None
    prefix, key = f"{kind}/", param_key(kind, parent)
    if down:
        step = (
            "SELECT ? || r.id FROM h JOIN idx_reference x ON x.param = ? AND x.target = h.target"
            " JOIN resource r ON r.rid = x.rid AND r.change <> 'D'"
        )
        params_ = (target, prefix, key)
    else:
        step = (
            f"SELECT x.target FROM h JOIN resource r ON r.type = ? AND r.id = substr(h.target, {len(prefix) + 1})"
            " AND r.change <> 'D' JOIN idx_reference x ON x.rid = r.rid AND x.param + 0 = ?"
        )
        params_ = (target, kind, key)
    start = "?" if dialect == "sqlite" else '?::text COLLATE "C"'
    text = f"t.target IN (WITH RECURSIVE h(target) AS (SELECT {start} UNION {step}) SELECT target FROM h)"
    return Sql(text, params_)
