"""Apps that have access, and those that wait for an administrator: what was agreed to can be taken back."""

from __future__ import annotations

import time
from collections.abc import Mapping

from fastapi import Response

from fhir_profiles.errors import FhirError
from server.access.roles import Role, is_admin
from server.auth import keep
from server.auth.choosing import Choosing
from server.auth.consenting import place_of, told
from server.auth.model import Authorization, Person
from server.auth.registering import approve, remove
from server.store import Store

from .flow import HOME, go
from .render import page
from .visit import Form, Visit

MOST = 100
ADMIN_HOME = "/auth/admin"


class LookingAfter:
    """The pages of a person's own authorizations, and of administrators."""

    def __init__(self, store: Store, choosing: Choosing, roles: Mapping[str, Role]) -> None:
        self._store = store
        self._choosing = choosing
        self._roles = roles

    def manage(self, visit: Visit) -> Response:
        """The apps that have access for this person."""
        assert visit.person is not None
        rows = self._rows(visit.person, visit.person)
        admin = is_admin(self._roles, visit.person.roles)
        return page(
            "manage", csrf=visit.csrf, person=visit.person, rows=rows, admin=admin, of=None, action=f"{HOME}/revoke"
        )

    def revoke(self, visit: Visit, form: Form) -> Response:
        """Take back what this person gave."""
        assert visit.person is not None
        self._revoke(visit.person, form.one("authorization"))
        return go(HOME)

    def _rows(self, whose: Person, reader: Person) -> list[dict[str, object]]:
        rows: list[dict[str, object]] = []
        for one in keep.authorizations_of(self._store, whose.id, MOST):
            client = keep.client(self._store, one.client)
            about = self._choosing.patient(reader, one.context.patient) if one.context.patient else None
            rows.append(
                {
                    "id": one.id,
                    "title": client.title if client else one.client,
                    "since": _day(one),
                    "told": told(one.scopes),
                    "patient": about,
                }
            )
        return rows

    def _revoke(self, person: Person, id: str) -> None:
        own = {one.id for one in keep.authorizations_of(self._store, person.id)}
        if id in own:
            self._store.write_sync(lambda tx: keep.revoke(tx, id))

    # Administrators

    def admin(self, visit: Visit, name: str = "") -> Response:
        """Clients that wait for approval, those that are approved, and the authorizations of somebody."""
        if (refusal := self._not_admin(visit)) is not None:
            return refusal
        assert visit.person is not None
        clients = keep.clients(self._store)
        whose = keep.person_named(self._store, name) if name else None
        return page(
            "admin", csrf=visit.csrf, person=visit.person, place_of=place_of, told=told, name=name, of=whose,
            waiting=[one for one in clients if not one.approved], approved=[one for one in clients if one.approved],
            rows=self._rows(whose, visit.person) if whose else [], action=f"{ADMIN_HOME}/revoke",
        )  # fmt: skip

    def decide(self, visit: Visit, form: Form) -> Response:
        """Approve a client, or remove it."""
        if (refusal := self._not_admin(visit)) is not None:
            return refusal
        try:
            (approve if form.one("decision") == "approve" else remove)(self._store, form.one("client"))
        except FhirError:
            return page("message", 404, title="Not found", text="There is no client of this id any more.")
        return go(ADMIN_HOME)

    def revoke_of(self, visit: Visit, form: Form) -> Response:
        """Take back what somebody gave."""
        if (refusal := self._not_admin(visit)) is not None:
            return refusal
        whose = keep.person_named(self._store, form.one("name"))
        if whose is not None:
            self._revoke(whose, form.one("authorization"))
        return self.admin(visit, form.one("name"))

    def _not_admin(self, visit: Visit) -> Response | None:
        if visit.person is not None and is_admin(self._roles, visit.person.roles):
            return None
        return page("message", 403, title="Not allowed", text="This page is for those who look after the server.")


def _day(one: Authorization) -> str:
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(one.made // 1000)) if one.made else ""
