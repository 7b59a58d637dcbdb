"""What people may do by their role, as data: `roles.toml`, or a file of that name in the data directory."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from fhir_profiles.errors import Category, FhirError

from .grants import Grant, read_scope


class Role(msgspec.Struct, frozen=True):
    """A role: what it may do at user level; whether it looks after the server, breaks the glass, takes second looks.

    `purpose` is what for, by a code of v3-PurposeOfUse.
    """

    name: str
    title: str
    grants: tuple[Grant, ...]
    admin: bool = False
    emergency: bool = False
    purpose: str | None = None
    looks: bool = False


def read_roles(data: Path | None = None) -> Mapping[str, Role]:
    """The roles by name; FhirError when the operator's file cannot be read."""
    own = data / "roles.toml" if data is not None else None
    path = own if own is not None and own.is_file() else Path(__file__).with_name("roles.toml")
    try:
        found = tomllib.loads(path.read_text("utf-8"))
        return {name: _role(name, told) for name, told in found.items()}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, KeyError, TypeError, AttributeError):
        text = "roles.toml cannot be read: each role needs a title and scopes, a list of user/Type.cruds."
        raise FhirError.of(Category.INCORRECT, "structure", text) from None


def _role(name: str, told: dict[str, object]) -> Role:
    grants: list[Grant] = []
    scopes = told["scopes"]
    for scope in scopes if isinstance(scopes, list) else ():
        grant = read_scope(str(scope))
        if grant is None or grant.level != "user":
            text = f"roles.toml: the role {name} has a scope that is not of the form user/Type.cruds."
            raise FhirError.of(Category.INCORRECT, "value", text)
        grants.append(grant)
    purpose = str(told["purpose"]) if "purpose" in told else None
    flags = told.get("admin") is True, told.get("emergency") is True
    return Role(name, str(told["title"]), tuple(grants), *flags, purpose, told.get("second_look") is True)


def grants_of(roles: Mapping[str, Role], names: Iterable[str]) -> tuple[Grant, ...]:
    """What somebody with these roles may do; a role that is not known any more gives nothing."""
    return tuple(dict.fromkeys(grant for name in names if name in roles for grant in roles[name].grants))


def purpose_of(roles: Mapping[str, Role], names: Iterable[str]) -> str | None:
    """What somebody with these roles acts for; None where they do not all say the same."""
    found = {roles[name].purpose if name in roles else None for name in names}
    return found.pop() if len(found) == 1 else None


def is_admin(roles: Mapping[str, Role], names: Iterable[str]) -> bool:
    """Whether one of the roles looks after the server."""
    return any(name in roles and roles[name].admin for name in names)


def may_break(roles: Mapping[str, Role], names: Iterable[str]) -> bool:
    """Whether one of the roles may open a record in an emergency."""
    return any(name in roles and roles[name].emergency for name in names)


def may_look(roles: Mapping[str, Role], names: Iterable[str]) -> bool:
    """Whether one of the roles takes second looks."""
    return any(name in roles and roles[name].looks for name in names)
