"""Who may see a Binary at patient level (https://hl7.org/fhir/R4/binary.html#security).

By `securityContext`: the Patient itself, or a resource that the caller may read. Without one, by a DocumentReference
that the caller may read and that points to it. Whoever writes such a pointer must be able to see where it points.
For Consents a Provenance is whose that is which it refers to, and a document whose its Composition is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Any

from fhir_profiles.definitions import load
from server.search.rows import CONTEXT, POINTER
from server.search.sql import Sql, any_of, join
from server.search.tree import about
from server.store.keys import param_key

BINARY = "Binary"
TELLING = frozenset({"Bundle", "Provenance"})
"""What tells of resources that it refers to, and is in no compartment but where one of them is the Patient."""

CONTEXTS = ("DiagnosticReport", "DocumentReference", "Encounter", "Media", "Observation")
"""Types beside Patient that a security context is followed to."""

_IN_CONTEXT = (
    "EXISTS (SELECT 1 FROM idx_reference ba JOIN resource bc ON ba.target = bc.type || '/' || bc.id"
    " WHERE ba.rid = {rid} AND ba.param = ? AND ba.target LIKE ? AND bc.type = ? AND bc.change <> 'D'"
)
_POINTED = (
    "EXISTS (SELECT 1 FROM resource bb JOIN idx_uri bu ON bu.param IN (?, ?)"
    " AND bu.value = 'Binary/' || bb.id JOIN resource bd ON bd.rid = bu.rid"
    " WHERE bb.rid = {rid} AND bd.type = 'DocumentReference' AND bd.change <> 'D'"
)
_POINTERS = tuple(param_key("DocumentReference", code) for code in ("location", POINTER))
_LOCAL = re.compile(r"Binary/([A-Za-z0-9\-.]{1,64})(?:/_history/[A-Za-z0-9\-.]{1,64})?")
Readable = Callable[[str], Sql | None]
"""From a type to the condition on what the caller may read of it."""


def binary_of(patient: str, readable: Readable | None) -> Sql:
    """The condition on `{rid}` that a Binary is the patient's; without `readable` by its security context alone."""
    key = param_key(BINARY, CONTEXT)
    own = "EXISTS (SELECT 1 FROM idx_reference ba WHERE ba.rid = {rid} AND ba.param = ? AND ba.target = ?)"
    ways = [Sql(own, (key, f"Patient/{patient}"))]
    if readable is None:
        return ways[0]
    ways += [_and_readable(_IN_CONTEXT, _context(name), name, readable, "bc.rid") for name in CONTEXTS]
    text = f"{_POINTED} AND NOT EXISTS (SELECT 1 FROM idx_reference ba WHERE ba.rid = bb.rid AND ba.param = ?)"
    ways.append(_and_readable(text, (*_POINTERS, key), "DocumentReference", readable, "bd.rid"))
    return join("OR", ways)


def held(dialect: str, patients: tuple[str, ...], inside: Readable) -> Sql | None:
    """The condition on `{rid}` that a Binary is one of the patients', or of a resource that lies inside, by any road.

    Here a type of which nothing lies inside is None; the condition is too when nothing can.
    """
    ways = []
    if patients:
        target = any_of(dialect, "ba.target", [f"Patient/{one}" for one in patients])
        text = f"EXISTS (SELECT 1 FROM idx_reference ba WHERE ba.rid = {{rid}} AND ba.param = ? AND {target.text})"
        ways.append(Sql(text, (param_key(BINARY, CONTEXT), *target.params)))
    found = [name for name in CONTEXTS if inside(name) is not None]
    ways += [_and_readable(_IN_CONTEXT, _context(name), name, inside, "bc.rid") for name in found]
    if inside("DocumentReference") is not None:
        ways.append(_and_readable(_POINTED, _POINTERS, "DocumentReference", inside, "bd.rid"))
    return join("OR", ways) if ways else None


def _context(name: str) -> tuple[Any, ...]:
    return (param_key(BINARY, CONTEXT), f"{name}/%", name)


def _and_readable(text: str, params: tuple[Any, ...], name: str, readable: Readable, rid: str) -> Sql:
    seen = readable(name)
    if seen is None:
        return Sql(f"{text})", params)
    return Sql(f"{text} AND {about(seen, rid)})", (*params, *seen.params))


def pointed(uris: Iterable[tuple[Any, ...]], base_url: str) -> Iterator[str]:
    """Ids of the Binaries of this server that a DocumentReference points to, by its index rows."""
    location = param_key("DocumentReference", "location")
    for param, value in uris:
        found = _LOCAL.fullmatch(value.removeprefix(f"{base_url}/")) if param == location else None
        if found is not None:
            yield found[1]


def refers_to(dialect: str, patients: tuple[str, ...]) -> Sql:
    """The condition on `{rid}` that a resource refers to the patients, or to something that is any of theirs.

    Each way is one join: SQLite's parser has no room for conditions within conditions here.
    """
    named = [f"Patient/{one}" for one in patients]
    ways = [("", any_of(dialect, "na.target", named))]
    there, mine = _resource(dialect, "nb", "na"), any_of(dialect, "nb.patient", patients)
    ways.append((there, mine))
    also = any_of(dialect, "nc.target", named)
    plus = "+{}" if dialect == "sqlite" else "{} + 0"  # as in `server.search.tree.exists`
    context, first = param_key(BINARY, CONTEXT), plus.format("ba.param")
    pointers = ",".join(map(str, _POINTERS))
    near = f" JOIN idx_reference ba ON ba.rid = nb.rid AND {first} = {context}{_resource(dialect, 'bc', 'ba')}"
    for road, whose in (
        (f"{there} JOIN idx_reference nc ON nc.rid = nb.rid", (*_whose(None), context)),
        (f"{there} AND nb.type = '{BINARY}'{near} JOIN idx_reference nc ON nc.rid = bc.rid", _whose(CONTEXTS)),
        (
            f" JOIN idx_uri bu ON bu.param IN ({pointers}) AND bu.value = na.target"
            f" AND substr(na.target, 1, 7) = '{BINARY}/' JOIN idx_reference nc ON nc.rid = bu.rid",
            _whose(("DocumentReference",)),
        ),
    ):
        keys = f"{plus.format('nc.param')} IN ({','.join(map(str, whose))})"
        ways.append((road, Sql(f"{keys} AND {also.text}", also.params)))
    text = "EXISTS (SELECT 1 FROM idx_reference na{} WHERE na.rid = {{rid}} AND {})"
    return join("OR", [Sql(text.format(road, where.text), where.params) for road, where in ways])


def _resource(dialect: str, alias: str, of: str) -> str:
    """A join with the resource that a row of the index refers to."""
    split = (
        f"substr({of}.target, 1, instr({of}.target, '/') - 1)",
        f"substr({of}.target, instr({of}.target, '/') + 1)",
    )
    if dialect != "sqlite":
        split = f"split_part({of}.target, '/', 1)", f"split_part({of}.target, '/', 2)"
    return f" JOIN resource {alias} ON {alias}.type = {split[0]} AND {alias}.id = {split[1]}"


@cache
def _whose(kinds: tuple[str, ...] | None) -> tuple[int, ...]:
    """The keys of the parameters that say whose a resource is: of these types, or of all that are told of."""
    named = {*load().resource_types} - TELLING - {"Patient", BINARY} if kinds is None else kinds
    return tuple(sorted(param_key(kind, code) for kind in named for code in whose_codes(kind)))


def whose_codes(kind: str) -> list[str]:
    """The parameters that say whose resources of a type are; of a type in no compartment, whom they are about."""
    known = load().search_params(kind)
    codes = [code for code in load().compartment("Patient").get(kind, ()) if code in known]
    return codes or [
        code for code in ("patient", "subject") if code in known and "Patient" in (known[code].targets or ())
    ]
