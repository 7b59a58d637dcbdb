"""What the endpoints do: authorize, token, introspection, revocation; each in one transaction.

https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html
"""

from __future__ import annotations

import base64
import binascii
from typing import Any
from urllib.parse import unquote_plus

import msgspec
from authlib.oauth2.rfc6749 import InvalidClientError, InvalidRequestError, InvalidScopeError, OAuth2Error

from fhir_profiles.systems import JWT_BEARER_ASSERTION
from server.access.grants import read_scope
from server.store import Store, Tx
from server.store.keys import new_id
from server.store.texts import View

from . import keep, scopes
from .apps import App
from .assertions import Jwks, read_assertion
from .identify import ADMIN
from .launching import prepare_launch
from .model import Authorization, Client, Context, Pending, Person, Session, Token
from .oauth import Protocol, refusal, told_context
from .secrets import digest, is_password, new_token
from .signing import Keys
from .wire import Answer, Asked, Call

PENDING_SECONDS = 900
SECRET_LONGEST = 512
UNKNOWN = Answer(
    status=400,
    body={
        "error": "invalid_request",
        "error_description": "There is no client of this client_id with this redirect_uri, or one of them came twice.",
    },
)
"""What is told here and not to the app: the same whether there is such a client or not."""


class Endpoints:
    """The endpoints over one store. `issuer` is the FHIR base, `token_url` the token endpoint as clients see it."""

    def __init__(self, store: Store, keys: Keys, jwks: Jwks) -> None:
        self._store = store
        self._keys = keys
        self._jwks = jwks

    # Authorization

    def begin(self, call: Call, issuer: str) -> Pending | Answer:
        """A request for authorization, which waits for a person now; or where to go with what is wrong with it."""

        def run(tx: Tx) -> Pending | Answer:
            protocol = Protocol(tx, self._keys, issuer)
            asked = Asked(call)
            try:
                grant = protocol.get_consent_grant(asked, None)
            except OAuth2Error as error:
                found = protocol.handle_error_response(asked, error)
                return found if found.location is not None else UNKNOWN
            try:
                return self._pending(tx, call, asked, issuer)
            except OAuth2Error as error:
                error.redirect_uri, error.state = grant.redirect_uri, asked.payload.state
                return protocol.handle_error_response(asked, error)  # type: ignore[no-any-return]

        return self._store.write_sync(run)

    def _pending(self, tx: Tx, call: Call, asked: Asked, issuer: str) -> Pending:
        if [value.removesuffix("/") for name, value in call.pairs if name == "aud"] != [issuer]:
            raise InvalidRequestError("aud must be the FHIR base of this server.")
        given = scopes.split(asked.scope)
        launch = call.one("launch")
        context = Context()
        if launch is not None:
            found = keep.take_launch(tx, digest(launch), asked.payload.client_id)
            if found is None:
                raise InvalidRequestError("The launch has expired, was used, or is not this app's.")
            context = found.context
        elif "launch" in given:
            raise InvalidRequestError("The scope launch needs the parameter launch, which an EHR gives.")
        token = new_token()
        one = Pending(
            hash=digest(token),
            expires=keep.now() + PENDING_SECONDS * 1000,
            pairs=call.pairs,
            client=asked.payload.client_id,
            scopes=given,
            context=context,
            launched=launch is not None,
        )
        keep.put_pending(tx, one)
        return msgspec.structs.replace(one, hash=token)  # the caller gets the token itself, which is not kept

    def agree(
        self, token: str, person: Person, session: Session, given: tuple[str, ...], context: Context, issuer: str
    ) -> Answer:
        """The person's consent to some of the scopes: the way back to the app with a code; 400 when it is too late.

        `given` that were not asked for are left out; a scope at patient level needs a patient in the context.
        """

        def run(tx: Tx) -> Answer:
            one = keep.pending(tx, digest(token))
            if one is None or not keep.end_pending(tx, one.hash):
                return refusal(InvalidRequestError("The request has expired. Start again from the app."))
            kept = scopes.narrower([s for s in given if s in one.scopes or read_scope(s)], one.scopes) or ()
            if ADMIN in kept and not person.roles:
                kept = tuple(scope for scope in kept if scope != ADMIN)
            protocol, asked = Protocol(tx, self._keys, issuer), Asked(_call(one, issuer))
            grant = protocol.get_consent_grant(asked, person)
            if not kept:
                return self._denied(protocol, asked, grant)
            if needs_patient(kept) and context.patient is None:
                error = InvalidScopeError(redirect_uri=grant.redirect_uri, state=asked.payload.state)
                return protocol.handle_error_response(asked, error)  # type: ignore[no-any-return]
            granted = Authorization(
                id=new_id(),
                client=one.client,
                person=person.id,
                scopes=kept,
                context=context,
                roles=person.roles,
                fhir_user=person.fhir_user,
                session=session.hash,
                made=keep.now(),
            )
            keep.put_authorization(tx, granted)
            return protocol.create_authorization_response(asked, granted, grant)  # type: ignore[no-any-return]

        return self._store.write_sync(run)

    def deny(self, token: str, issuer: str) -> Answer:
        """The person says no: the way back to the app with access_denied."""

        def run(tx: Tx) -> Answer:
            one = keep.pending(tx, digest(token))
            if one is None or not keep.end_pending(tx, one.hash):
                return refusal(InvalidRequestError("The request has expired. Start again from the app."))
            protocol, asked = Protocol(tx, self._keys, issuer), Asked(_call(one, issuer))
            return self._denied(protocol, asked, protocol.get_consent_grant(asked, None))

        return self._store.write_sync(run)

    def _denied(self, protocol: Protocol, asked: Asked, grant: Any) -> Answer:
        return protocol.create_authorization_response(asked, None, grant)  # type: ignore[no-any-return]

    def launch(self, client: str, context: Context, seconds: int = 300) -> str:
        """Prepare a launch by an EHR: the value of its parameter `launch`, good once."""
        return prepare_launch(self._store, client, context, seconds)

    # Tokens

    def token(self, call: Call, issuer: str, audience: str) -> Answer:
        """Tokens for a code, a refresh token or a service."""
        try:
            app = App(self.authenticate(call, audience))
        except OAuth2Error as error:
            return refusal(error, basic=is_basic(call))

        self._keys.prepare()

        def run(tx: Tx) -> Answer:
            return Protocol(tx, self._keys, issuer, app).create_token_response(call)  # type: ignore[no-any-return]

        return self._store.write_sync(run)

    def authenticate(self, call: Call, audience: str) -> Client:
        """The client that a call is of, which has shown who it is in its own way; InvalidClientError otherwise."""
        names = [name for name, _ in call.pairs]
        if any(names.count(name) > 1 for name in names):
            raise InvalidRequestError("A parameter came twice.")
        if len(ways := _ways(call)) > 1:
            raise InvalidRequestError("A client shows who it is in one way only.")
        match ways:
            case ["private_key_jwt"]:
                return self._asserted(call, audience)
            case ["client_secret_basic"]:
                return self._with_secret(*basic_of(call), "client_secret_basic")
            case ["client_secret_post"]:
                return self._with_secret(
                    call.one("client_id") or "", call.one("client_secret") or "", "client_secret_post"
                )
        client = self._public(call)
        if client is None or client.method != "none" or not client.approved:
            raise _unknown()
        return client

    def _public(self, call: Call) -> Client | None:
        """A client without a secret, by its id or, of a refresh, by the token."""
        name, refresh = call.one("client_id"), call.one("refresh_token")
        if name is not None or refresh is None or call.one("grant_type") != "refresh_token":
            return keep.client(self._store, name) if name else None
        found = keep.token(self._store, digest(refresh))
        name = keep.client_of(self._store, found.authorization) if found else None
        return keep.client(self._store, name) if name else None

    def _asserted(self, call: Call, audience: str) -> Client:
        if call.one("client_assertion_type") != JWT_BEARER_ASSERTION:
            raise InvalidClientError(description="client_assertion_type must be that of a JWT.", status_code=401)
        text = call.one("client_assertion") or ""
        shown = read_assertion(text, lambda id: keep.client(self._store, id), self._jwks, audience)
        if call.one("client_id") not in (None, shown.client.id):
            raise InvalidClientError(description="client_id is another client's.", status_code=401)
        if not self._store.write_sync(lambda tx: keep.first_use(tx, shown.hash, shown.expires)):
            raise InvalidClientError(description="The client assertion was used before.", status_code=401)
        return shown.client

    def _with_secret(self, id: str, secret: str, method: str) -> Client:
        client = keep.client(self._store, id)
        known = client is not None and client.approved
        kept = client.secret if client is not None and known and _shows_so(client, method) else None
        if len(secret) > SECRET_LONGEST or not is_password(kept, secret) or client is None:
            raise _unknown()
        return client

    # Introspection and revocation

    def introspect(self, call: Call, issuer: str, audience: str, bearer: Authorization | None) -> Answer:
        """What a token is worth: to the client that has it, and to those who look after the server.

        `bearer` is what the access token in the Authorization header rests on, where there is one.
        """
        reader: str | None
        if bearer is not None:
            reader = None if ADMIN in bearer.scopes else bearer.client
        else:
            try:
                client = self.authenticate(call, audience)
            except OAuth2Error as error:
                return refusal(error, basic=is_basic(call))
            if client.method == "none":
                return refusal(InvalidClientError(description="Show who you are.", status_code=401))
            reader = client.id
        return Answer(status=200, body=introspected(self._store, call.one("token") or "", issuer, reader))

    def revoke(self, call: Call, audience: str) -> Answer:
        """End a token: an access token alone, a refresh token with its family. What is not the client's stays."""
        try:
            client = self.authenticate(call, audience)
        except OAuth2Error as error:
            return refusal(error, basic=is_basic(call))

        def run(tx: Tx) -> Answer:
            found = keep.token(tx, digest(call.one("token") or ""))
            granted = keep.authorization(tx, found.authorization) if found else None
            if found is not None and granted is not None and granted.client == client.id:
                if found.kind == "access":
                    keep.revoke_token(tx, found.hash)
                else:
                    keep.revoke(tx, granted.id)
            return Answer(status=200, body={})

        return self._store.write_sync(run)


def _unknown() -> InvalidClientError:
    return InvalidClientError(description="The client is not known, or has not shown who it is.", status_code=401)


def _shows_so(client: Client, method: str) -> bool:
    """Whether a client may show its secret in this way."""
    in_body = method == "client_secret_post" and client.post_secret and client.method == "client_secret_basic"
    return client.method == method or in_body


def needs_patient(given: tuple[str, ...]) -> bool:
    """Whether scopes mean nothing without a patient in the context."""
    grants = (read_scope(scope) for scope in given)
    return "launch/patient" in given or any(grant is not None and grant.level == "patient" for grant in grants)


def is_basic(call: Call) -> bool:
    """Whether the client sent a name and a secret in the Authorization header."""
    return call.headers.get("authorization", "")[:6].lower() == "basic "


def _ways(call: Call) -> list[str]:
    """How a client shows who it is; mostly one way, none of a public one."""
    found = []
    if call.one("client_assertion") is not None or call.one("client_assertion_type") is not None:
        found.append("private_key_jwt")
    if is_basic(call):
        found.append("client_secret_basic")
    if call.one("client_secret") is not None:
        found.append("client_secret_post")
    return found


def basic_of(call: Call) -> tuple[str, str]:
    """The name and the secret in the Authorization header, empty where they cannot be read."""
    try:
        text = base64.b64decode(call.headers["authorization"][6:].strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        return "", ""
    name, _, secret = text.partition(":")
    return unquote_plus(name), unquote_plus(secret)


def _call(one: Pending, issuer: str) -> Call:
    return Call(method="GET", url=issuer, pairs=one.pairs)


def _is_live(token: Token) -> bool:
    return token.kind != "code" and not token.used and not token.revoked and token.expires > keep.now()


def introspected(view: View, token: str, issuer: str, reader: str | None = None) -> dict[str, Any]:
    """What a token is worth; with `reader`, only to the client of this id."""
    found = keep.token(view, digest(token))
    granted = keep.authorization(view, found.authorization) if found else None
    if found is None or granted is None or not _is_live(found) or reader not in (None, granted.client):
        return {"active": False}
    return _told(found, granted, issuer)


def _told(token: Token, granted: Authorization, issuer: str) -> dict[str, Any]:
    told: dict[str, Any] = {
        "active": True,
        "scope": " ".join(token.scopes or granted.scopes),
        "client_id": granted.client,
        "exp": token.expires // 1000,
        "token_type": "Bearer" if token.kind == "access" else "refresh_token",
        **told_context(granted),
    }
    if "openid" in granted.scopes and granted.person:
        told |= {"iss": issuer, "sub": granted.person}
        if granted.fhir_user and "fhirUser" in granted.scopes:
            told["fhirUser"] = f"{issuer}/{granted.fhir_user}"
    return told
