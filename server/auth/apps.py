"""Clients and codes as Authlib asks about them (https://datatracker.ietf.org/doc/html/rfc6749#section-2)."""

from __future__ import annotations

from authlib.oauth2.rfc6749 import ClientMixin
from authlib.oidc.core import AuthorizationCodeMixin

from . import scopes
from .model import Authorization, Client, Token
from .secrets import is_password


class App(ClientMixin):  # type: ignore[misc]
    """A client."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def get_client_id(self) -> str:
        """Its id."""
        return self.client.id

    def get_default_redirect_uri(self) -> str | None:
        """None: a request names its redirect_uri."""
        return None

    def get_allowed_scope(self, scope: str | None) -> str | None:
        """What of the scopes it may have; None, which refuses the request, when that is nothing."""
        backend = "authorization_code" not in self.client.grants
        return " ".join(scopes.allowed(scopes.split(scope), self.client.scopes, backend=backend)) or None

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        """Whether the URI is registered, letter for letter."""
        return redirect_uri in self.client.redirects

    def check_client_secret(self, client_secret: str) -> bool:
        """Whether it is the secret."""
        return is_password(self.client.secret, client_secret)

    def check_endpoint_auth_method(self, method: str, _endpoint: str) -> bool:
        """Whether the client shows who it is in this way."""
        return method == self.client.method

    def check_response_type(self, response_type: str) -> bool:
        """Only codes are given."""
        return response_type == "code" and "authorization_code" in self.client.grants

    def check_grant_type(self, grant_type: str) -> bool:
        """Whether it may ask for tokens so."""
        return grant_type in self.client.grants


class Given(AuthorizationCodeMixin):  # type: ignore[misc]
    """A code or refresh token with what it rests on."""

    def __init__(self, token: Token, granted: Authorization) -> None:
        self.token = token
        self.granted = granted
        self.code_challenge = token.data.get("challenge")
        self.code_challenge_method = "S256"

    def get_redirect_uri(self) -> str:
        """Where the code went."""
        return str(self.token.data["redirect_uri"])

    def get_scope(self) -> str:
        """What was granted."""
        return " ".join(self.granted.scopes)

    def get_nonce(self) -> str | None:
        """What the app asked to find in its id_token."""
        return self.token.data.get("nonce")

    def get_auth_time(self) -> int | None:
        """When the person signed in, in seconds."""
        return self.token.data.get("auth_time")

    def get_acr(self) -> None:
        """Not told."""

    def get_amr(self) -> None:
        """Not told."""

    def check_client(self, app: App) -> bool:
        """Whether it was given to the client."""
        return self.granted.client == app.client.id
