"""The workbench's own SMART launch, made on the server: no token ever reaches the browser.

Whoever has signed in gets an authorization like that of any other app, with the scopes of their roles, by the same
endpoints; it ends with the session. https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html
"""

from __future__ import annotations

import base64
import hashlib
import threading
from collections.abc import Mapping
from urllib.parse import parse_qs, urlsplit

import msgspec

from fhir_profiles.errors import Category, FhirError
from fhir_profiles.systems import WORKBENCH_REDIRECT
from server.access.roles import Role, grants_of, is_admin
from server.auth import keep
from server.auth.discovery import urls
from server.auth.endpoints import Endpoints
from server.auth.identify import ADMIN, WORKBENCH
from server.auth.model import Client, Context, Pending, Person, Session
from server.auth.secrets import new_token
from server.auth.wire import Call
from server.store import Store

ID = WORKBENCH
SCOPES = ("openid", "fhirUser", "online_access")
EARLY = 60_000
"""Milliseconds before its end in which a token is not used any more."""

MOST = 10_000
"""Sessions whose tokens are known at a time."""

_CLIENT = Client(
    id=ID, title="fhirwright workbench", redirects=(WORKBENCH_REDIRECT,), scopes=(*SCOPES, ADMIN, "user/*.cruds")
)


class Launched(msgspec.Struct, frozen=True):
    """An access token of somebody's session, and until when it is good, in milliseconds since 1970."""

    token: str
    until: int


class Launches:
    """The tokens of the sessions of this process; another process launches for itself."""

    def __init__(self, store: Store, endpoints: Endpoints, roles: Mapping[str, Role]) -> None:
        self._store = store
        self._endpoints = endpoints
        self._roles = roles
        self._known: dict[tuple[str, tuple[str, ...]], Launched] = {}
        self._lock = threading.Lock()

    def of(self, session: Session, person: Person, issuer: str) -> Launched:
        """The token of a session, launched anew where there is none that is good for a while."""
        key = session.hash, person.roles
        found = self._known.get(key)
        if found is not None and found.until - EARLY > keep.now():
            return found
        made = self._launch(session, person, issuer)
        with self._lock:
            if len(self._known) >= MOST:
                self._known.clear()
            self._known[key] = made
        return made

    def forget(self, session: Session) -> None:
        """A session's token was refused: the next request launches again."""
        with self._lock:
            for key in [key for key in self._known if key[0] == session.hash]:
                del self._known[key]

    def _launch(self, session: Session, person: Person, issuer: str) -> Launched:
        self._register()
        verifier = new_token() + new_token()
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
        scopes = self._scopes(person)
        asked = {
            "response_type": "code", "client_id": ID, "redirect_uri": WORKBENCH_REDIRECT, "scope": " ".join(scopes),
            "state": new_token(), "aud": issuer, "code_challenge": challenge, "code_challenge_method": "S256",
        }  # fmt: skip
        places = urls(issuer)
        pending = self._endpoints.begin(
            Call(method="GET", url=places["authorization_endpoint"], pairs=tuple(asked.items())), issuer
        )
        if not isinstance(pending, Pending):
            raise _failed()
        agreed = self._endpoints.agree(pending.hash, person, session, scopes, Context(), issuer)
        code = parse_qs(urlsplit(agreed.location or "").query).get("code")
        if not code:
            raise _failed()
        form = {
            "grant_type": "authorization_code", "code": code[0], "redirect_uri": WORKBENCH_REDIRECT,
            "client_id": ID, "code_verifier": verifier,
        }  # fmt: skip
        at = places["token_endpoint"]
        told = self._endpoints.token(Call(method="POST", url=at, pairs=tuple(form.items())), issuer, at)
        if told.status != 200 or told.body is None:
            raise _failed()
        return Launched(told.body["access_token"], keep.now() + 1000 * int(told.body["expires_in"]))

    def _scopes(self, person: Person) -> tuple[str, ...]:
        """All that the person's roles give."""
        given = tuple(str(grant) for grant in grants_of(self._roles, person.roles))
        return (*SCOPES, *given, *((ADMIN,) if is_admin(self._roles, person.roles) else ()))

    def _register(self) -> None:
        """The workbench stands among the clients, so that its authorizations can be seen and taken back."""
        if keep.client(self._store, ID) != _CLIENT:
            self._store.write_sync(lambda tx: keep.put_client(tx, _CLIENT))


def _failed() -> FhirError:
    return FhirError.of(Category.FORBIDDEN, "forbidden", "The workbench was not given access. Sign out and in again.")
