"""`$accounts`: who may sign in and with which roles, for those who look after the server (docs/operations/accounts.md).

https://hl7.org/fhir/R4/operations.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fhir_profiles import json
from fhir_profiles.errors import Category, FhirError
from fhir_profiles.systems import BASE
from server.access.roles import Role, is_admin, read_roles
from server.auth import keep
from server.auth.model import Person
from server.auth.people import change_person
from server.interactions.exchange import Request, Response
from server.interactions.fhir import Fhir
from server.operations.parameters import read_arguments, wrong
from server.operations.registry import Operation

MOST = 1000
"""Accounts that are told."""

Json = dict[str, Any]


class Accounts:
    """Tells the accounts, and changes roles or closes one; passwords and second factors are for the command line."""

    def __init__(self, fhir: Fhir) -> None:
        self._store = fhir.store
        self._roles: Mapping[str, Role] = read_roles(fhir.settings.data)

    async def __call__(self, request: Request) -> Response:
        """The accounts as Parameters, after the change that a POST asks for."""
        if request.method == "POST":
            await self._store.run(self._change, request)
        people = await self._store.run(keep.people, self._store, MOST)
        told = [{"name": "account", "part": _parts(one)} for one in people]
        roles = [
            {"name": "role", "part": [{"name": "name", "valueCode": r.name}, {"name": "title", "valueString": r.title}]}
            for r in self._roles.values()
        ]
        return Response(status=200, body=json.encode({"resourceType": "Parameters", "parameter": [*told, *roles]}))

    def _change(self, request: Request) -> None:
        arguments = read_arguments(request)
        arguments.only("name", "role", "disabled")
        name, roles = arguments.text("name") or "", tuple(dict.fromkeys(arguments.all("role")))
        if unknown := [one for one in roles if one not in self._roles]:
            raise wrong(f"{len(unknown)} of the roles are not known; there are {', '.join(self._roles)}.", "role")
        changes: dict[str, object] = {"roles": roles} if roles else {}
        if arguments.text("disabled") is not None:
            changes["disabled"] = arguments.flag("disabled")
        if not changes:
            raise wrong("Name roles, or say whether the account is disabled.", "role")
        self._keep_an_admin(name, changes)
        change_person(self._store, name, **changes)

    def _keep_an_admin(self, name: str, changes: Mapping[str, object]) -> None:
        """409 where nobody would be left who looks after the server."""
        left = [
            one
            for one in keep.people(self._store, 100_000)
            if one.name.casefold() != name.casefold() and not one.disabled and is_admin(self._roles, one.roles)
        ]
        roles = changes.get("roles")
        stays = not changes.get("disabled") and (roles is None or is_admin(self._roles, roles))  # type: ignore[arg-type]
        known = keep.person_named(self._store, name)
        if not left and not stays and known is not None and is_admin(self._roles, known.roles):
            text = "Nobody would be left who looks after the server. Make another administrator first."
            raise FhirError.of(Category.CONFLICT, "business-rule", text)


def _parts(one: Person) -> list[Json]:
    parts: list[Json] = [
        {"name": "id", "valueId": one.id},
        {"name": "name", "valueString": one.name},
        *({"name": "role", "valueCode": role} for role in one.roles),
        {"name": "disabled", "valueBoolean": one.disabled},
        {"name": "secondFactor", "valueBoolean": one.totp is not None},
    ]
    return parts + ([{"name": "who", "valueReference": {"reference": one.fhir_user}}] if one.fhir_user else [])


def operations(fhir: Fhir) -> list[Operation]:
    """`$accounts` of the server."""
    definition = f"{BASE}/OperationDefinition/accounts"
    return [
        Operation(
            "accounts", frozenset({"system"}), Accounts(fhir), methods=frozenset({"GET", "POST"}), definition=definition
        )
    ]
