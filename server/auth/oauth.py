"""The protocol: Authlib's grants and endpoints over one transaction, with what their defaults leave open closed.

https://datatracker.ietf.org/doc/html/rfc6749, https://datatracker.ietf.org/doc/html/rfc9700
"""

from __future__ import annotations

import logging
from typing import Any

import msgspec
from authlib.oauth2.rfc6749 import (
    AuthorizationServer,
    InvalidGrantError,
    InvalidRequestError,
    InvalidScopeError,
    OAuth2Error,
    UnauthorizedClientError,
    grants,
)
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core import UserInfo
from authlib.oidc.core.grants import OpenIDCode

from server.store import Tx
from server.store.keys import new_id

from . import keep, scopes
from .apps import App, Given
from .model import Authorization, Person, Token
from .scopes import is_online
from .secrets import digest, new_token
from .signing import Keys
from .wire import Answer, Asked, Call

logging.getLogger("authlib").setLevel(logging.INFO)  # at DEBUG it writes down whole tokens

CODE_SECONDS = 60
ACCESS_SECONDS = 3600
BACKEND_SECONDS = 300
REFRESH_SECONDS = 90 * 86_400
METHODS = ["none", "client_secret_basic", "client_secret_post", "private_key_jwt"]


class Protocol(AuthorizationServer):  # type: ignore[misc]
    """Authlib's server within one transaction. `app` is the client that has shown who it is, if any had to."""

    def __init__(self, tx: Tx, keys: Keys, issuer: str, app: App | None = None) -> None:
        super().__init__()
        self.tx = tx
        self.keys = keys
        self.issuer = issuer
        self.app = app
        self.register_grant(CodeGrant, [Challenge(required=True), Identity(self)])
        self.register_grant(RefreshGrant, [Identity(self)])
        self.register_grant(BackendGrant)
        self.register_token_generator("default", _no_token)

    def query_client(self, client_id: str) -> App | None:
        """A client that is approved."""
        found = keep.client(self.tx, client_id)
        return App(found) if found is not None and found.approved else None

    def authenticate_client(self, _request: Asked, _methods: Any, _endpoint: str = "token") -> App:
        """The client that was authenticated before the transaction began: hashing a secret takes its time."""
        assert self.app is not None
        return self.app

    def validate_requested_scope(self, scope: str | None) -> None:
        """What may be asked for is the client's to say."""

    def create_oauth2_request(self, request: Call | Asked) -> Asked:
        """A call as Authlib wants it."""
        return request if isinstance(request, Asked) else Asked(request)

    def handle_response(self, status: int, body: Any, headers: Any) -> Answer:
        """An answer of ours."""
        location = next((value for name, value in headers if name == "Location"), None)
        told = tuple((name, value) for name, value in headers if name == "WWW-Authenticate")
        return Answer(
            status=status,
            body=_unquoted(dict(body)) if body else None,
            location=location,
            headers=Answer(status=status).headers + told,
        )

    def send_signal(self, *_: Any, **__: Any) -> None:
        """Nobody listens."""

    def save_token(self, token: dict[str, Any], request: Asked) -> None:
        """Tokens are kept when they are made."""


def _no_token(**_: Any) -> dict[str, Any]:
    raise NotImplementedError("every grant makes its own tokens")


class CodeGrant(grants.AuthorizationCodeGrant):  # type: ignore[misc]
    """The code: good for a minute, for one attempt, of the client it was given to, with a verifier in any case."""

    TOKEN_ENDPOINT_AUTH_METHODS = METHODS

    def save_authorization_code(self, code: str, request: Asked) -> None:
        """Keep the code, which rests on the authorization that the person gave."""
        granted: Authorization = request.user
        data = {
            "redirect_uri": request.payload.redirect_uri,
            "challenge": request.payload.data["code_challenge"],
            "nonce": request.payload.data.get("nonce"),
            "auth_time": keep.now() // 1000,
        }
        expires = keep.now() + CODE_SECONDS * 1000
        keep.put_token(
            self.server.tx,
            Token(hash=digest(code), kind="code", authorization=granted.id, expires=expires, data=data),
        )

    def query_authorization_code(self, code: str, client: App) -> Given | None:
        """The code, burnt with the first attempt; a second one ends all that came of it."""
        tx: Tx = self.server.tx
        found = keep.token(tx, digest(code))
        if found is None or found.kind != "code":
            return None
        granted = keep.authorization(tx, found.authorization)
        if not keep.use_token(tx, found.hash) or granted is None or granted.client != client.client.id:
            keep.revoke(tx, found.authorization)
            return None
        return Given(found, granted) if found.expires > keep.now() else None

    def delete_authorization_code(self, _code: Given) -> None:
        """It is burnt already."""

    def authenticate_user(self, code: Given) -> Authorization:
        """Whom the code speaks for."""
        return code.granted

    def generate_token(self, user: Authorization, **_: Any) -> dict[str, Any]:
        """Access token, refresh token where one was granted, and the launch context beside them."""
        return issue(self.server.tx, user, user.scopes, refresh=self.request.client.check_grant_type("refresh_token"))


class Challenge(CodeChallenge):  # type: ignore[misc]
    """PKCE with S256, asked of every client."""

    DEFAULT_CODE_CHALLENGE_METHOD = "S256"
    SUPPORTED_CODE_CHALLENGE_METHOD = ("S256",)

    def validate_code_challenge(self, grant: Any, redirect_uri: str) -> None:
        """Both parameters, S256."""
        data = grant.request.payload.data
        if not data.get("code_challenge") or data.get("code_challenge_method") != "S256":
            raise InvalidRequestError("Send a code_challenge with code_challenge_method=S256.")
        super().validate_code_challenge(grant, redirect_uri)

    def validate_code_verifier(self, grant: Any, result: Any) -> None:
        """The verifier, which is never left out and never the challenge itself."""
        verifier = grant.request.form.get("code_verifier")
        if not verifier or verifier == grant.request.authorization_code.code_challenge:
            raise InvalidGrantError("The code_verifier is missing, or is not the one of the challenge.")
        super().validate_code_verifier(grant, result)


class RefreshGrant(grants.RefreshTokenGrant):  # type: ignore[misc]
    """Refresh tokens: each good once; one that comes twice ends the family."""

    TOKEN_ENDPOINT_AUTH_METHODS = METHODS

    def authenticate_refresh_token(self, refresh_token: str) -> Given | None:
        """The token, if it is worth something."""
        tx: Tx = self.server.tx
        found = keep.token(tx, digest(refresh_token))
        if found is None or found.kind != "refresh":
            return None
        granted = keep.authorization(tx, found.authorization)
        if granted is None or granted.client != self.request.client.client.id or found.revoked:
            return None
        if found.used:
            keep.revoke(tx, granted.id)
            return None
        if found.expires <= keep.now() or not _has_session(tx, granted) or not _is_open(tx, granted):
            return None
        return Given(found, granted)

    def _validate_token_scope(self, token: Given) -> None:
        """The same scopes or fewer."""
        asked = scopes.split(self.request.payload.scope)
        if asked and scopes.narrower(asked, token.granted.scopes) is None:
            raise InvalidScopeError()

    def authenticate_user(self, token: Given) -> Authorization:
        """Whom the token speaks for."""
        return token.granted

    def issue_token(self, user: Authorization, token: Given) -> dict[str, Any]:
        """New tokens in place of the old one."""
        tx: Tx = self.server.tx
        if not keep.use_token(tx, token.token.hash):
            raise InvalidGrantError()
        if is_online(user.scopes) and user.session is not None:
            keep.touch_session(tx, user.session)  # whoever works in the app has not gone away
        asked = scopes.split(self.request.payload.scope)
        return issue(tx, user, asked or user.scopes, refresh=True)

    def revoke_old_credential(self, _token: Given) -> None:
        """It is used up already."""


class BackendGrant(grants.ClientCredentialsGrant):  # type: ignore[misc]
    """Services that act for themselves, within what was approved beforehand, for five minutes."""

    TOKEN_ENDPOINT_AUTH_METHODS = METHODS

    def validate_token_request(self) -> None:
        """The client is known; what it asks for must lie below its ceiling."""
        super().validate_token_request()
        app: App = self.request.client
        if app.client.method != "private_key_jwt" and not (app.client.post_secret and app.client.secret):
            raise UnauthorizedClientError("Services show who they are with private_key_jwt.")
        asked = scopes.split(self.request.payload.scope)
        if not asked and app.client.post_secret:
            asked = app.client.scopes  # clients that are not made for SMART do not name any
        found = scopes.allowed(asked, app.client.scopes, backend=True)
        if not found:
            raise InvalidScopeError()
        self.request.scope = " ".join(found)

    def generate_token(self, **_: Any) -> dict[str, Any]:
        """A short token, and none to refresh it."""
        app: App = self.request.client
        found = scopes.split(self.request.scope)
        granted = Authorization(id=new_id(), client=app.client.id, person=None, scopes=found)
        keep.put_authorization(self.server.tx, granted)
        return issue(self.server.tx, granted, found, refresh=False, seconds=BACKEND_SECONDS)


class Identity(OpenIDCode):  # type: ignore[misc]
    """The id_token beside an access token when openid was granted."""

    def __init__(self, server: Protocol) -> None:
        super().__init__(require_nonce=False)
        self.server = server

    def exists_nonce(self, _nonce: str, _request: Asked) -> bool:
        """A nonce is the app's to compare."""
        return False

    def get_client_claims(self, app: App) -> dict[str, Any]:
        """Who says it, and to whom."""
        return {"iss": self.server.issuer, "aud": app.client.id}

    def encode_id_token(self, token: dict[str, Any], request: Asked) -> str:
        """Signed with the current key."""
        claims = self.get_compatible_claims(request)
        code = request.authorization_code
        claims.pop("auth_time", None)
        if isinstance(code, Given):
            claims.update(self.get_authorization_code_claims(code))
        claims.update(self.generate_user_info(request.user, token["scope"]))
        return self.server.keys.sign(claims)

    def generate_user_info(self, user: Authorization, scope: str) -> UserInfo:
        """The subject, and who that is among the resources where that was granted."""
        told = UserInfo(sub=user.person or user.client)
        if user.fhir_user and "fhirUser" in scope.split():
            told["fhirUser"] = f"{self.server.issuer}/{user.fhir_user}"
        return told


def issue(
    tx: Tx, granted: Authorization, given: tuple[str, ...], *, refresh: bool, seconds: int = ACCESS_SECONDS
) -> dict[str, Any]:
    """Tokens of an authorization, kept by their hashes, as the token endpoint gives them."""
    access = new_token()
    put = keep.put_token
    session = keep.session(tx, granted.session) if granted.session and is_online(granted.scopes) else None
    if session is not None:  # it comes back while the session lasts
        seconds = min(seconds, max(session.idle // 2000, 1))
    put(tx, Token(hash=digest(access), kind="access", authorization=granted.id, expires=_in(seconds), scopes=given))
    told: dict[str, Any] = {
        "access_token": access,
        "token_type": "Bearer",
        "expires_in": seconds,
        "scope": " ".join(given),
        **told_context(granted),
    }
    if refresh and scopes.REFRESH & set(granted.scopes):
        told["refresh_token"] = again = new_token()
        put(tx, Token(hash=digest(again), kind="refresh", authorization=granted.id, expires=_in(REFRESH_SECONDS)))
    return told


def told_context(granted: Authorization) -> dict[str, Any]:
    """The launch context as it stands beside a token."""
    told: dict[str, Any] = msgspec.to_builtins(granted.context)
    if "fhir_context" in told:
        told["fhirContext"] = told.pop("fhir_context")
    return told


def _in(seconds: int) -> int:
    return keep.now() + seconds * 1000


def _has_session(tx: Tx, granted: Authorization) -> bool:
    """Whether the session still is in which an authorization was given that ends with it."""
    if not is_online(granted.scopes):
        return True
    return granted.session is not None and keep.session(tx, granted.session) is not None


def _is_open(tx: Tx, granted: Authorization) -> bool:
    """Whether the person may still sign in."""
    if granted.person is None:
        return True
    found: Person | None = keep.person(tx, granted.person)
    return found is not None and not found.disabled


def _unquoted(body: dict[str, Any]) -> dict[str, Any]:
    """An answer that quotes nothing of the request: its state comes back by a redirect or not at all."""
    if "error" not in body:
        return body
    told = {name: text for name, text in body.items() if name != "state"}
    if str(told.get("error_description", "")).startswith("Redirect URI "):
        told["error_description"] = "The redirect_uri is not registered for this client."
    return told


def refusal(error: OAuth2Error, *, basic: bool = False) -> Answer:
    """An error of the protocol; the header that makes a browser ask for a password only where a client sent one."""
    status, body, _ = error()
    told = _unquoted(dict(body))
    headers = Answer(status=status).headers
    if status == 401 and basic:
        headers += (("WWW-Authenticate", 'Basic realm="token"'),)
    return Answer(status=status, body=told, headers=headers)
