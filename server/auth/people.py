"""Making and changing the people who sign in; what a password must be.

https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html#scopes-for-requesting-identity-data
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import msgspec

from fhir_profiles.definitions import load
from fhir_profiles.errors import Category, FhirError
from server.access.roles import Role, is_admin
from server.store import Store, Tx
from server.store.keys import new_id

from . import keep, totp
from .model import Person
from .secrets import hash_password
from .signin import LONGEST, SHORTEST, plain

USERS = frozenset({"Patient", "Practitioner", "PractitionerRole", "RelatedPerson", "Person"})
"""What somebody can be among the resources."""

_NAME = re.compile(r"[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f]{0,98}[^\s\x00-\x1f\x7f]|[^\s\x00-\x1f\x7f]")
_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")


def add_person(
    store: Store, roles: Mapping[str, Role], name: str, password: str, given: Iterable[str], user: str | None,
    patients: Iterable[str] = (),
) -> Person:  # fmt: skip
    """Make somebody who signs in; FhirError when the name is taken, or says what is wrong."""
    told = tuple(dict.fromkeys(given))
    if not _NAME.fullmatch(name):
        raise _wrong("A name has 1 to 100 characters, no control characters, and no space at its ends.")
    if not told:
        raise _wrong(f"Name at least one role of {', '.join(roles)}.")
    if unknown := [one for one in told if one not in roles]:
        raise _wrong(f"There is no role {', '.join(unknown)}; there are {', '.join(roles)}.")
    kind, _, id = (user or "").partition("/")
    if user is not None and not (kind in USERS and kind in load().resource_types and _ID.fullmatch(id)):
        raise _wrong(f"Who that is among the resources is Type/id, of one of {', '.join(sorted(USERS))}.")
    ids = tuple(dict.fromkeys(one.removeprefix("Patient/") for one in patients))
    if not all(_ID.fullmatch(one) for one in ids):
        raise _wrong("Patients are named by their ids.")
    person = Person(
        id=new_id(), name=name, password=kept_password(name, password), roles=told, fhir_user=user, patients=ids
    )

    def run(tx: Tx) -> None:
        tx.lock("auth_person")
        if keep.person_named(tx, name) is not None:
            raise FhirError.of(Category.CONFLICT, "duplicate", "There is somebody of this name already.")
        keep.put_person(tx, person)

    store.write_sync(run)
    return person


def kept_password(name: str, password: str) -> str:
    """What is kept of a new password; FhirError when it is none that may be had."""
    text = plain(password)
    if not SHORTEST <= len(text) <= LONGEST:
        raise _wrong(f"A password has {SHORTEST} to {LONGEST} characters; any may be used.")
    if len(set(text)) < 5 or (len(name) > 3 and name.casefold() in text.casefold()):
        raise _wrong("The password is too simple: it repeats few characters, or holds the name.")
    return hash_password(text)


def change_person(store: Store, name: str, **changes: object) -> Person:
    """Change somebody, and end all sessions; FhirError when there is nobody of the name."""

    def run(tx: Tx) -> Person:
        person = keep.person_named(tx, name)
        if person is None:
            raise FhirError.of(Category.NOT_FOUND, "not-found", "There is nobody of this name.")
        tx.lock(f"person {person.id}")
        changed: Person = msgspec.structs.replace(person, **changes)
        keep.put_person(tx, changed)
        keep.end_sessions(tx, person.id)
        if changed.disabled:
            keep.revoke_all(tx, person.id)
        return changed

    return store.write_sync(run)


def new_factor(store: Store, name: str) -> tuple[str, tuple[str, ...]]:
    """A new second factor for somebody: its key and recovery codes, which are told this once."""
    key, codes = totp.new_key(), totp.new_recovery_codes()
    change_person(store, name, totp=key, totp_step=-1, recovery=tuple(totp.kept_code(one) for one in codes))
    return key, codes


def has_admin(store: Store, roles: Mapping[str, Role]) -> bool:
    """Whether somebody can look after the server."""
    return any(is_admin(roles, one.roles) and not one.disabled for one in keep.people(store, 100_000))


def _wrong(text: str) -> FhirError:
    return FhirError.of(Category.INCORRECT, "value", text)
