"""Callers that were kept: whether what they were given still stands when something is done for them later.

A job, a subscription and what waits for a moment keep who asked. Before they act for that one, this asks again: an
authorization that was revoked ends them, a person who was shut out too, and a role says what it says now.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from fhir_profiles.errors import Category, FhirError
from server.auth import keep
from server.store.texts import View

from .caller import Caller
from .roles import Role, grants_of, purpose_of, read_roles


def still(view: View, caller: Caller, data: Path) -> Caller | None:
    """The caller as it is now; None where what it was given has ended. `data` is the data directory."""
    if caller.token is None:
        return caller
    kept: dict[str, Any] = {"broken": (), "emergency": False, "purpose": None, "admin": False, "looks": False}
    granted = keep.authorization(view, caller.token)
    if granted is None:
        ours = view.query("SELECT 1 FROM auth_authorization WHERE id = ?", (caller.token,))
        return None if ours else msgspec.structs.replace(caller, **kept)  # another issuer's: it cannot be asked
    if granted.person is None:
        client = keep.client(view, granted.client)
        return None if client is None else msgspec.structs.replace(caller, **kept)
    person = keep.person(view, granted.person)
    if person is None or person.disabled:
        return None
    roles = _roles(data)
    return msgspec.structs.replace(
        caller, role=grants_of(roles, granted.roles), usual=purpose_of(roles, granted.roles), **kept
    )


def ended() -> FhirError:
    """What is told of something whose caller has nothing any more."""
    text = "What the request was allowed by was revoked before it was answered. Ask again with another token."
    return FhirError.of(Category.FORBIDDEN, "forbidden", text)


def _roles(data: Path) -> Mapping[str, Role]:
    own = data / "roles.toml"
    return _read(data, own.stat().st_mtime_ns if own.is_file() else 0)


@lru_cache(maxsize=16)
def _read(data: Path, _stamp: int) -> Mapping[str, Role]:
    return read_roles(data)
