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


def refers_to(dialect: str, patients: tuple[str, ...], files: Sql | None) -> Sql:
    """The condition on `{rid}` that a resource refers to the patients, or to something that is any of theirs.

    `files` is the condition on `{rid}` that a Binary is.
    """
    split = "substr(na.target, 1, instr(na.target, '/') - 1)", "substr(na.target, instr(na.target, '/') + 1)"
    first, end = "+nc.param", ""
    if dialect != "sqlite":
        split = "split_part(na.target, '/', 1)", "split_part(na.target, '/', 2)"
        first, end = "nc.param + 0", " OFFSET 0"  # as in `server.search.tree.exists`
    named = [f"Patient/{one}" for one in patients]
    itself, whose = any_of(dialect, "na.target", named), any_of(dialect, "nb.patient", patients)
    also = any_of(dialect, "nc.target", named)
    keys = ",".join(map(str, _whose()))
    ways = [
        whose,
        Sql(
            f"EXISTS (SELECT 1 FROM idx_reference nc WHERE nc.rid = nb.rid AND {first} IN ({keys})"
            f" AND {also.text}{end})",
            also.params,
        ),
    ]
    if files is not None:
        ways.append(Sql(f"nb.type = '{BINARY}' AND ({about(files, 'nb.rid')})", files.params))
    theirs = join("OR", ways)
    text = (
        "EXISTS (SELECT 1 FROM idx_reference na"
        f" JOIN resource nb ON nb.type = {split[0]} AND nb.id = {split[1]} WHERE na.rid = {{rid}} AND ({theirs.text}))"
    )
    direct = Sql(f"EXISTS (SELECT 1 FROM idx_reference na WHERE na.rid = {{rid}} AND {itself.text})", itself.params)
    return join("OR", [direct, Sql(text, theirs.params)])


@cache
def _whose() -> tuple[int, ...]:
    """The keys of all parameters that say whose a resource is, of whatever type."""
    kinds = {*load().resource_types} - TELLING - {"Patient", BINARY}
    return tuple(sorted(param_key(kind, code) for kind in kinds for code in whose_codes(kind)))


def whose_codes(kind: str) -> list[str]:
    """The parameters that say whose resources of a type are; of a type in no compartment, whom they are about."""
    known = load().search_params(kind)
    codes = [code for code in load().compartment("Patient").get(kind, ()) if code in known]
    return codes or [
        code for code in ("patient", "subject") if code in known and "Patient" in (known[code].targets or ())
    ]
