"""Clients that show who they are by a signed assertion: RS384 or ES384, five minutes, each once.

https://hl7.org/fhir/smart-app-launch/STU2.2/client-confidential-asymmetric.html
"""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable, Mapping
from typing import Any

from authlib.oauth2.rfc6749 import InvalidClientError
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry

from fhir_profiles import json
from fhir_profiles.errors import FhirError

from .model import Client

ALGORITHMS = ("RS384", "ES384")
WINDOW = 300
LEEWAY = 5
LONGEST = 16 * 1024
_HEADER = frozenset({"alg", "kid", "typ", "jku"})

Jwks = Callable[[Client], Mapping[str, Any]]
"""The key set of a client, inline or fetched; FhirError when it cannot be had."""


class Shown:
    """An assertion that is good but for having been used: `hash` names it, `expires` in milliseconds."""

    def __init__(self, client: Client, hash: str, expires: int) -> None:
        self.client = client
        self.hash = hash
        self.expires = expires


def read_assertion(text: str, find: Callable[[str], Client | None], jwks: Jwks, audience: str) -> Shown:
    """Who an assertion speaks for; InvalidClientError for any fault, without saying whether there is such a client."""
    if not text or len(text) > LONGEST or not text.isascii() or text.count(".") != 2:
        raise _refused("The client assertion is not a signed JWT.")
    try:
        opened = jws.extract_compact(text.encode())
        header, claims = opened.headers(), json.decode(opened.payload)
    except (JoseError, FhirError, ValueError, TypeError, KeyError, AttributeError):
        raise _refused("The client assertion is not a signed JWT.") from None
    if header.get("alg") not in ALGORITHMS or set(header) - _HEADER or not isinstance(header.get("kid"), str):
        raise _refused("The client assertion must name a kid and be signed with RS384 or ES384, nothing else.")
    client = find(str(claims.get("sub"))) if isinstance(claims.get("sub"), str) else None
    if client is None or client.method != "private_key_jwt" or not client.approved:
        raise _refused("The client assertion was not accepted.")
    _verify(text, header, client, jwks)
    return _checked(client, claims, audience)


def _verify(text: str, header: Mapping[str, Any], client: Client, jwks: Jwks) -> None:
    """The signature, with a key of the client's set that has the kid and fits the algorithm."""
    if "jku" in header and header["jku"] != client.jwks_uri:
        raise _refused("The client assertion names a key set that is not the registered one.")
    kind = {"RS384": "RSA", "ES384": "EC"}[header["alg"]]
    try:
        keys = [
            key
            for key in jwks(client).get("keys", ())
            if isinstance(key, dict) and key.get("kid") == header["kid"] and key.get("kty") == kind
        ]
        if len(keys) == 1:  # a kid that stands for two keys stands for none
            public = JWKRegistry.import_key({name: keys[0][name] for name in keys[0] if name in _PUBLIC})
            jws.deserialize_compact(text.encode(), public, algorithms=[header["alg"]])
            return
    except (JoseError, ValueError, TypeError, KeyError, AttributeError, FhirError):
        pass
    raise _refused("The client assertion was not accepted.")


_PUBLIC = frozenset({"kty", "kid", "alg", "use", "n", "e", "crv", "x", "y"})


def _checked(client: Client, claims: Mapping[str, Any], audience: str) -> Shown:
    now = time.time()
    expires, jti = _number(claims.get("exp")), claims.get("jti")
    not_before = _number(claims.get("nbf")) if "nbf" in claims else now
    if expires is None or not_before is None:
        raise _refused("exp and nbf of a client assertion are numbers of seconds.")
    if claims.get("iss") != client.id:
        raise _refused("iss and sub of a client assertion are both the id of the client.")
    if claims.get("aud") != audience and claims.get("aud") != [audience]:
        raise _refused("aud of a client assertion is the URL of the token endpoint.")
    if not now - LEEWAY < expires <= now + WINDOW + LEEWAY or not_before > now + LEEWAY:
        raise _refused("A client assertion is good for at most five minutes, and not before its time.")
    if not isinstance(jti, str) or not 0 < len(jti) <= 256:
        raise _refused("A client assertion needs a jti.")
    hashed = hashlib.sha256(f"{client.id}\n{jti}".encode()).hexdigest()
    return Shown(client, hashed, int(expires + LEEWAY + 1) * 1000)


def _number(value: Any) -> float | None:
    if isinstance(value, bool | str) or value is None:
        return None
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return found if math.isfinite(found) and 0 <= found < 2**40 else None


def _refused(text: str) -> InvalidClientError:
    return InvalidClientError(description=text, status_code=401)
