"""Tokens of an issuer that this server trusts: signed JWTs, checked with its key set.

Whoever such a token speaks for is told apart from the people and clients of this server, whatever they are called, and
one that is meant for several FHIR bases is taken by none: a patient's id means somebody else at each.
https://datatracker.ietf.org/doc/html/rfc9068
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry

from fhir_profiles import json
from fhir_profiles.errors import FhirError
from server.access.caller import Caller
from server.access.grants import read_scopes
from server.access.roles import Role, grants_of, is_admin, purpose_of

from .identify import ADMIN, NotAuthorizedError
from .jwks import KeySets
from .model import Client
from .scopes import MOST, split

ALGORITHMS = {"RS256": "RSA", "RS384": "RSA", "ES256": "EC", "ES384": "EC"}
LEEWAY = 5
LONGEST = 255
"""Characters of a subject, a client, a patient's id and the URL of a person."""
_HEADER = frozenset({"alg", "kid", "typ"})
_PUBLIC = frozenset({"kty", "kid", "alg", "use", "n", "e", "crv", "x", "y"})


class Outsiders:
    """Finds who calls by a token of one other issuer; `audience` is what its tokens for this server name."""

    def __init__(self, issuer: str, jwks_uri: str, audience: str, keys: KeySets) -> None:
        self._issuer = issuer
        self._audience = audience
        self._keys = keys
        self._client = Client(id="issuer", title="the trusted issuer", jwks_uri=jwks_uri)

    def __call__(self, token: str, roles: Mapping[str, Role]) -> Caller:
        """Who a token speaks for; NotAuthorizedError (401) for one that is not good."""
        try:
            claims = self._verified(token)
        except (JoseError, FhirError, ValueError, TypeError, KeyError, AttributeError):
            raise _refused() from None
        return self._caller(claims, roles)

    def _verified(self, token: str) -> dict[str, Any]:
        opened = jws.extract_compact(token.encode())
        header, claims = opened.headers(), json.decode(opened.payload)
        kind = ALGORITHMS.get(header["alg"])
        if kind is None or set(header) - _HEADER:
            raise _refused()
        keys = [key for key in self._keys(self._client)["keys"] if key["kid"] == header["kid"] and key["kty"] == kind]
        if len(keys) != 1:
            raise _refused()
        public = JWKRegistry.import_key({name: value for name, value in keys[0].items() if name in _PUBLIC})
        jws.deserialize_compact(token.encode(), public, algorithms=[header["alg"]])
        audience = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
        ours = {one for one in audience if urlsplit(one).path == urlsplit(self._audience).path} == {self._audience}
        now = time.time()
        good = claims["iss"] == self._issuer and ours and now - LEEWAY < float(claims["exp"])
        if not good or float(claims.get("nbf", 0)) > now + LEEWAY or _text(claims["sub"]) is None:
            raise _refused()
        return claims

    def _caller(self, claims: Mapping[str, Any], roles: Mapping[str, Role]) -> Caller:
        scopes = split(claims["scope"] if isinstance(claims.get("scope"), str) else "")[:MOST]
        named = claims.get("roles")
        names = [name for name in named if isinstance(name, str)] if isinstance(named, list) else []
        patient, user, client = (_text(claims.get(name)) for name in ("patient", "fhirUser", "client_id"))
        return Caller(
            who=self._named(claims["sub"]),
            grants=read_scopes(scopes),
            patient=patient,
            role=grants_of(roles, names),
            usual=purpose_of(roles, names),
            client=None if client is None else self._named(client),
            user=None if user is None else "/".join(user.split("/")[-2:]),
            token=hashlib.sha256(str(claims.get("jti", "")).encode()).hexdigest()[:32],
            admin=ADMIN in scopes and is_admin(roles, names),
        )

    def _named(self, name: str) -> str:
        """A subject or client of the issuer: none of this server's has `#` in its id."""
        return f"{self._issuer}#{name}"


def _text(value: Any) -> str | None:
    """The value of a claim; NotAuthorizedError for one too long: cut off it would be another's."""
    if not isinstance(value, str) or not value:
        return None
    if len(value) > LONGEST:
        raise _refused()
    return value


def _refused() -> NotAuthorizedError:
    return NotAuthorizedError("expired", "The access token is not one that this server trusts.", "invalid_token")
