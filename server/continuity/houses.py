"""Whose backups go where: the server's own into the target, those of each tenant into `tenants/HOST` below it."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import NamedTuple

from fhir_profiles.errors import Category, FhirError
from server.settings import Settings
from server.tenants import FOLDER, settings_of

from .follow import SLOT
from .objects import Objects
from .target import Target

STAGING = "backup-staging"
"""In the data directory: where backups for stores of objects are made, and changes wait to be sent."""


class House(NamedTuple):
    """The server itself, with an empty name, or a tenant."""

    name: str
    settings: Settings
    place: str
    slot: str
    """The replication slot that keeps PostgreSQL's log for it."""

    def target(self, staging: Path | None = None) -> Target:
        """Where its backups are."""
        return target_at(self.place, staging or self.settings.data / STAGING)


def houses(settings: Settings, place: str, tenant: str | None = None, *, every: bool = False) -> list[House]:
    """The server itself, one tenant, or `every` one of them after the server; FhirError for a tenant nobody knows."""
    several = settings_of(settings)
    own = House("", settings, place, SLOT)
    if tenant is not None and tenant not in several:
        text = "There is no such tenant: FHIRWRIGHT_TENANTS names them by their hosts."
        raise FhirError.of(Category.NOT_FOUND, "not-found", text)
    if tenant is None and not every:
        return [own]
    chosen = several if tenant is None else {tenant: several[tenant]}
    found = [
        House(host, one, f"{place.rstrip('/')}/{FOLDER}/{host.replace(':', '_')}", f"{SLOT}_{_short(host)}")
        for host, one in chosen.items()
    ]
    return found if tenant is not None else [own, *found]


def target_at(place: str, staging: Path) -> Target:
    """A directory, or a store of objects where it is a URI; then `staging` is a directory of this disk."""
    return Objects(place, staging / _short(place)) if "://" in place else Target(Path(place))


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
