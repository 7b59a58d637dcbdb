"""Who may see and change what, worked out resource by resource from the specifications; slow and plain on purpose.

Nothing here is shared with the enforcement. https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html,
https://hl7.org/fhir/R4/compartmentdefinition-patient.html; what both leave open is decided in docs/authorization.md:
a resource that says whom it is about by `link` only, or by its creator, is not shared by that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl

from campaigns.reaching import consenting
from campaigns.reaching.world import BASE, Json
from campaigns.searching.meaning import targets, token
from campaigns.searching.paths import select
from fhir_profiles.definitions import load

OPEN_TO_PATIENTS = ("Location", "Medication", "Organization", "Practitioner")
"""What is no patient's, and what each may read."""

CONTEXTS = ("DiagnosticReport", "DocumentReference", "Encounter", "Media", "Observation")
"""Types beside Patient whose readers may read a Binary that names one as its context."""

There = Mapping[tuple[str, ...], Json | None]
"""The resources as they are now, by type and id."""

Way = tuple[str | None, list[tuple[str, str]]]
"""One way to be allowed: within the compartment of a patient or not, and the parameters that must hold."""


@dataclass(frozen=True)
class Holder:
    """Somebody with a token: scopes, the patient of the launch, and the scopes of the role where one holds them.

    `opened` are the patients for whom the glass is broken.
    """

    name: str
    scopes: tuple[str, ...] = ()
    patient: str | None = None
    role: tuple[str, ...] | None = None
    opened: tuple[str, ...] = ()
    known: consenting.Known = consenting.NOBODY


def read(scope: str) -> tuple[str, str, str, list[tuple[str, str]]]:
    """Level, type, letters and parameters of a scope that is well formed."""
    head, _, query = scope.partition("?")
    level, _, rest = head.partition("/")
    kind, _, letters = rest.partition(".")
    spelled = {"read": "rs", "write": "cud", "*": "cruds"}.get(letters, letters)
    return level, kind, spelled, parse_qsl(query)


def ways(holder: Holder, kind: str, right: str) -> Iterator[Way]:
    """Every way in which the holder has the right on the type."""
    for scope in holder.scopes:
        level, named, letters, filters = read(scope)
        if named not in (kind, "*") or right not in letters:
            continue
        if level != "system" and right in ("r", "s") and kind != "Subscription":
            yield from (
                (None if kind in OPEN_TO_PATIENTS else one, filters) for one in holder.opened if _has_place(kind)
            )
        if level == "patient" and holder.patient is not None:
            if kind == "Subscription":  # whose it is is asked besides, at every level
                yield None, filters
            elif kind in OPEN_TO_PATIENTS:
                if right in ("r", "s"):
                    yield None, filters
            elif _has_place(kind):
                yield holder.patient, filters
        elif level == "system" or (level == "user" and holder.role is None):
            yield None, filters
        elif level == "user":
            for policy in holder.role or ():
                _, also, its, more = read(policy)
                if also in (kind, "*") and right in its:
                    yield None, filters + more


def _has_place(kind: str) -> bool:
    """Whether resources of a type can be a patient's, or are everybody's to read."""
    return kind in ("Patient", "Binary", *OPEN_TO_PATIENTS) or bool(load().compartment("Patient").get(kind))


def ways_to_trail(holder: Holder) -> list[Way]:
    """Every way in which the holder may search the audit trail, which `*` in a role does not give."""
    role = holder.role and tuple(scope for scope in holder.role if read(scope)[1] != "*")
    return list(ways(replace(holder, role=role), "AuditEvent", "s"))


def may_some(holder: Holder, kind: str, right: str) -> bool:
    """Whether the holder has the right on any resource of the type."""
    return any(True for _ in ways(holder, kind, right))


def may_all(holder: Holder, kind: str, right: str) -> bool:
    """Whether the holder has the right on every resource of the type, ended ones too."""
    return any(patient is None and not filters for patient, filters in ways(holder, kind, right))


def may(holder: Holder, kind: str, right: str, resource: Json | None, there: There, *, stored: bool = True) -> bool:
    """Whether the holder has the right on a version; None for one that says the resource is gone.

    `there` are the resources as they are now, for a Binary, which others say whose it is. What is not `stored` yet is
    kept from nobody by Consents.
    """
    if stored and may_some(holder, kind, right) and not (kind == "Consent" and may_some(holder, kind, "u")):
        own = (holder.known.user.removeprefix("Patient/"),) if holder.known.user.startswith("Patient/") else ()
        opened = own + (holder.opened if right in ("r", "s") else ())
        if resource is None and consenting.limited(holder.known, opened, kind, there):
            return False
        if resource is not None and consenting.withheld(holder.known, opened, resource, there):
            return False
    return _given(holder, kind, right, resource, there)


def _given(holder: Holder, kind: str, right: str, resource: Json | None, there: There) -> bool:
    """The same by the scopes alone."""
    if may_all(holder, kind, right):
        return True
    if resource is None:
        return False
    for patient, filters in ways(holder, kind, right):
        within = patient is None or belongs(resource, patient)
        within = within or (kind == "Binary" and _filed(holder, right, resource, there))
        if within and all(_holds(resource, *pair) for pair in filters):
            return True
    return False


def _filed(holder: Holder, right: str, binary: Json, there: There) -> bool:
    """Whether a Binary that is to be read is that of a resource which the holder may read.

    It says so by its context; one without any is that of the documents that point to it.
    """
    if right not in ("r", "s"):
        return False
    context = binary.get("securityContext", {}).get("reference")
    if context is not None:
        other = there.get(tuple(context.removeprefix(f"{BASE}/").split("/")[:2]))
        return (
            other is not None
            and other["resourceType"] in CONTEXTS
            and may(holder, other["resourceType"], "r", other, there)
        )
    urls = (f"Binary/{binary['id']}", f"{BASE}/Binary/{binary['id']}")
    return any(
        part["attachment"].get("url") in urls
        for (kind, _), one in there.items()
        if kind == "DocumentReference" and one is not None and may(holder, kind, "r", one, there)
        for part in one["content"]
    )


def may_point(holder: Holder, resource: Json, there: There) -> bool:
    """Whether the holder has a right on every Binary of this server that a document to be written points to."""
    if resource["resourceType"] != "DocumentReference":
        return True
    urls = [part["attachment"].get("url", "").removeprefix(f"{BASE}/") for part in resource["content"]]
    files = [there.get(("Binary", url.removeprefix("Binary/"))) for url in urls if url.startswith("Binary/")]
    return all(one is not None and any(may(holder, "Binary", right, one, there) for right in "rcu") for one in files)


def belongs(resource: Json, patient: str) -> bool:
    """Whether a resource is in the compartment of a patient. Another's record is not, whatever it is linked to."""
    kind = resource["resourceType"]
    if kind == "Patient":
        return bool(resource["id"] == patient)
    if kind == "Binary":
        context = resource.get("securityContext", {}).get("reference", "")
        return bool(context.removeprefix(f"{BASE}/") == f"Patient/{patient}")
    params = load().search_params(kind)
    codes = [code for code in load().compartment("Patient").get(kind, ()) if code in params]
    return any(f"Patient/{patient}" in targets(select(resource, params[code]), BASE) for code in codes)


def _holds(resource: Json, name: str, value: str) -> bool:
    """Whether a token parameter without a modifier finds the resource."""
    nodes = select(resource, load().search_params(resource["resourceType"])[name])
    return any(token(one)(nodes) for one in value.split(","))
