"""The pages of the workbench as a table: where each stands, what it shows, and what somebody must be given to see it.

Who may see a page and who may act there follows from the grants of roles (`server/access/roles.toml`, or the operator's
own): a role that an operator adds finds its pages by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from fhir_profiles.systems import REVIEW_TAG
from server.access.grants import Grant, read_scope
from server.access.roles import Role, grants_of, is_admin, may_look

ADMIN = "admin"
"""What only those who look after the server are given."""

LOOKS = "second look"
"""What roles that take second looks are given."""


class Room(NamedTuple):
    """A page: its name, path, title, group of the navigation ("" for none), needs, and the needs of each act there."""

    name: str
    path: str
    title: str
    group: str
    needs: tuple[str, ...] = ()
    acts: Mapping[str, tuple[str, ...]] = {}
    about: str = ""


_READ = ("DocumentReference.rs", "Task.rs", "Provenance.rs", "Condition.rs", "Procedure.rs", "Claim.rs")
_DECIDE = ("Condition.u", "Procedure.u", "Claim.u", "Provenance.c", "Task.u")

ROOMS: tuple[Room, ...] = (
    Room("home", "/work", "Today", "", (), {}, "What waits for you, and where to go"),
    Room(
        "queue", "/work/queue", "Queue", "Coding", ("Task.rs", "DocumentReference.rs", "Condition.rs"),
        {"take": _DECIDE}, "Documents that wait for a coder, the most pressing first",
    ),
    Room(
        "review", "/work/review/{id}", "Review", "", _READ,
        {"decide": _DECIDE, "ask": ("CommunicationRequest.c", "Task.u")},
        "A document with its suggestions, and the claim that grows from them",
    ),
    Room(
        "second", "/work/second", "Second look", "Coding", (*_READ, LOOKS), {},
        "Documents to code again without seeing what was decided, and how far two people agree",
    ),
    Room(
        "upload", "/work/upload", "Upload", "Coding", ("DocumentReference.rs", "Task.rs"),
        {"upload": ("DocumentReference.c",)}, "Hand in a PDF, a scan or a note, and watch it being read",
    ),
    Room(
        "operations", "/work/figures/operations", "Operations", "Figures", ("Task.rs", "DocumentReference.rs"), {},
        "Documents, stages, the queue's age, failures",
    ),
    Room(
        "quality", "/work/figures/quality", "Coding quality", "Figures", ("Provenance.rs", "Condition.rs"), {},
        "What coders accept, reject and replace; drift; calibration",
    ),
    Room(
        "claims", "/work/figures/claims", "Claims", "Figures", ("Claim.rs", "ClaimResponse.rs"), {},
        "Clean claims, edits, money, filing limits, denials",
    ),
    Room("system", "/work/figures/system", "System", "Figures", (ADMIN,), {}, "Releases in use, jobs, audit chain"),
    Room(
        "terminology", "/work/terminology", "Terminology", "Develop", ("CodeSystem.rs", "ValueSet.rs"), {},
        "Code systems: search, tree, notes, editions",
    ),
    Room("console", "/work/console", "API console", "Develop", (), {}, "FHIR requests with your own scopes"),
    Room(
        "resource", "/work/resource", "Resources", "Develop", (), {},
        "A resource, its history and what changed between versions",
    ),
    Room("people", "/work/admin/people", "People", "Admin", (ADMIN,), {"change": (ADMIN,)}, "Accounts and roles"),
    Room("clients", "/auth/admin", "Apps", "Admin", (ADMIN,), {"change": (ADMIN,)}, "Registered clients"),
    Room("loaded", "/work/admin/loaded", "Loaded tables", "Admin", (ADMIN,), {}, "Terminologies, fee schedules, ages"),
    Room("jobs", "/work/admin/jobs", "Jobs", "Admin", (ADMIN,), {"retry": (ADMIN,)}, "What runs and what failed"),
    Room(
        "audit", "/work/admin/audit", "Audit", "Admin", ("AuditEvent.rs",), {}, "Who did what, when and from where"
    ),
)  # fmt: skip
BY_NAME = {room.name: room for room in ROOMS}


def allowed(roles: Mapping[str, Role], names: Iterable[str]) -> frozenset[str]:
    """What somebody with these roles may see and do: names of rooms, and `room:act`."""
    kept = [name for name in names if name in roles]
    grants, admin = grants_of(roles, kept), is_admin(roles, kept)
    special = {ADMIN: admin, LOOKS: may_look(roles, kept)}
    if not grants and not admin:
        return frozenset()
    found = set()
    for room in ROOMS:
        if not _holds(room.needs, grants, special):
            continue
        found.add(room.name)
        found.update(f"{room.name}:{act}" for act, needs in room.acts.items() if _holds(needs, grants, special))
    return frozenset(found)


EVERYTHING = frozenset({*BY_NAME, *(f"{room.name}:{act}" for room in ROOMS for act in room.acts)})
"""What may be seen and done where the server runs open."""


UNAIDED = (("_tag", f"{REVIEW_TAG}|unaided"),)
"""The one filter with which a grant opens pages: they then show the documents that are coded unaided."""


def _holds(needs: Iterable[str], grants: Iterable[Grant], special: Mapping[str, bool]) -> bool:
    return all(special[need] if need in special else _given(need, grants) for need in needs)


def _given(need: str, grants: Iterable[Grant]) -> bool:
    asked = read_scope(f"user/{need}")
    assert asked is not None, need
    rights = {
        letter
        for grant in grants
        if grant.filter in ((), UNAIDED)
        and (grant.type == asked.type or (grant.type == "*" and asked.type != "AuditEvent"))
        for letter in grant.rights
    }
    return rights >= set(asked.rights)
