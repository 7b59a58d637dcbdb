"""Apps and services that register themselves, and wait until an administrator approves (https://datatracker.ietf.org/doc/html/rfc7591)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, get_args
from urllib.parse import urlsplit

import msgspec

from fhir_profiles.errors import Category, FhirError
from server.access.grants import read_scope
from server.store import Store, Tx
from server.store.keys import new_id

from . import keep, scopes
from .discovery import urls
from .model import Client, Method
from .secrets import digest, hash_password, new_token
from .wire import Answer

METHODS: tuple[Method, ...] = get_args(Method)
MOST_WAITING = 100
"""Registrations that may wait for approval at once."""

WAIT_DAYS = 7
"""After so many days a registration that nobody approved is forgotten."""

LIST_MOST, TEXT_MOST, URI_MOST = 20, 100, 2048
_GRANTS = frozenset({"authorization_code", "refresh_token", "client_credentials"})
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_PRIVATE_SCHEME = re.compile(r"[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+")


class RefusedError(FhirError):
    """What is wrong with a client; `error` is the word of RFC 7591 for it."""

    def __init__(self, error: str, text: str) -> None:
        super().__init__(Category.INCORRECT, *FhirError.of(Category.INCORRECT, "value", text).problems)
        self.error = error
        self.text = text


def check_client(one: Client) -> Client:
    """A client whose parts fit together; RefusedError says what does not."""
    backend = "authorization_code" not in one.grants
    title = one.title
    if not 1 <= len(title) <= TEXT_MOST or any(ord(letter) < 32 or ord(letter) == 127 for letter in title):
        raise RefusedError("invalid_client_metadata", f"A title has 1 to {TEXT_MOST} characters, none for control.")
    if max(len(one.redirects), len(one.origins)) > LIST_MOST or len(one.scopes) > scopes.MOST:
        raise RefusedError("invalid_client_metadata", f"At most {LIST_MOST} URIs and {scopes.MOST} scopes are kept.")
    if backend and one.method != "private_key_jwt" and not (one.post_secret and one.method == "client_secret_basic"):
        raise RefusedError("invalid_client_metadata", "Services show who they are with private_key_jwt.")
    if not backend and not one.redirects:
        raise RefusedError("invalid_redirect_uri", "An app needs a redirect_uri.")
    for uri in one.redirects:
        _check_redirect(uri)
    for origin in one.origins:
        parts = urlsplit(origin)
        if origin != f"{parts.scheme}://{parts.netloc}" or not _is_safe(origin):
            raise RefusedError("invalid_client_metadata", "An origin is https and a host, without a path.")
    if (one.method == "private_key_jwt") != (one.jwks is not None or one.jwks_uri is not None):
        text = "private_key_jwt needs the public keys, as a JWKS or at a jwks_uri; no other method has any."
        raise RefusedError("invalid_client_metadata", text)
    if one.jwks is not None and one.jwks_uri is not None:
        raise RefusedError("invalid_client_metadata", "Give jwks or jwks_uri, not both.")
    if one.jwks is not None:
        _check_keys(one.jwks)
    if one.jwks_uri is not None and (not _is_safe(one.jwks_uri) or len(one.jwks_uri) > URI_MOST):
        raise RefusedError("invalid_client_metadata", "A jwks_uri is an https URL.")
    if one.launch_uri is not None and (not _is_safe(one.launch_uri) or len(one.launch_uri) > URI_MOST):
        raise RefusedError("invalid_client_metadata", "A launch URL is an https URL.")
    if not one.scopes or any(scope not in scopes.WORDS and not _fits(scope, backend) for scope in one.scopes):
        text = (
            "Name the scopes that it may be given at most: patient/*.rs or user/*.rs of apps, system/*.rs of services."
        )
        raise RefusedError("invalid_client_metadata", text)
    return one


def _check_redirect(uri: str) -> None:
    parts = urlsplit(uri)
    private = _PRIVATE_SCHEME.fullmatch(parts.scheme) is not None
    if "#" in uri or len(uri) > URI_MOST or not uri.isascii() or not uri.isprintable() or " " in uri:
        raise RefusedError("invalid_redirect_uri", "A redirect_uri is a URL in ASCII without a fragment.")
    if not private and not _is_safe(uri):
        text = "A redirect_uri is https, http of this machine only, or of an app with a scheme like com.example.app."
        raise RefusedError("invalid_redirect_uri", text)


def _is_safe(uri: str) -> bool:
    """Whether it is https, or http of the machine itself, and names a host and nobody."""
    try:
        parts = urlsplit(uri)
        host, port = parts.hostname, parts.port
    except ValueError:
        return False
    if not host or "@" in parts.netloc or (port is not None and port < 1):
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK)


def _fits(scope: str, backend: bool) -> bool:
    grant = read_scope(scope)
    return grant is not None and (grant.level == "system") == backend


def _check_keys(jwks: Mapping[str, Any]) -> None:
    keys = jwks.get("keys")
    good = isinstance(keys, list) and 1 <= len(keys) <= LIST_MOST and all(isinstance(key, dict) for key in keys)
    if not good or any(key.get("kty") not in ("RSA", "EC") or "d" in key for key in keys or ()):
        text = "A JWKS holds 1 to 20 public keys, RSA or EC, and no private part."
        raise RefusedError("invalid_client_metadata", text)


def register(store: Store, told: Any, issuer: str) -> Answer:
    """Keep a registration, which is worth nothing until an administrator approves it."""
    try:
        asked, secret = read_client(told)
    except RefusedError as error:
        return told_wrong(error)
    token = new_token()
    asked = msgspec.structs.replace(asked, owner=digest(token))

    def run(tx: Tx) -> bool:
        tx.lock("auth_client")
        waiting = [one for one in keep.clients(tx, 100_000) if not one.approved]
        for one in waiting:
            if keep.now() - one.registered > WAIT_DAYS * 86_400_000:
                keep.drop_client(tx, one.id)
                waiting = [other for other in waiting if other.id != one.id]
        if len(waiting) >= MOST_WAITING:
            return False
        keep.put_client(tx, asked)
        return True

    if not store.write_sync(run):
        text = "Too many registrations wait for approval. Ask the operator."
        return Answer(status=503, body={"error": "temporarily_unavailable", "error_description": text})
    return Answer(status=201, body=information(asked, secret, token, issuer))


def information(one: Client, secret: str | None, token: str, issuer: str) -> dict[str, Any]:
    """What a client is told of itself: its metadata, a secret that is new, and where it is looked after."""
    body: dict[str, Any] = {
        "client_id": one.id,
        "client_id_issued_at": one.registered // 1000,
        "client_name": one.title,
        "redirect_uris": list(one.redirects),
        "token_endpoint_auth_method": one.method,
        "grant_types": list(one.grants),
        "response_types": ["code"] if one.redirects else [],
        "scope": " ".join(one.scopes),
        "registration_access_token": token,
        "registration_client_uri": f"{urls(issuer)['registration_endpoint']}/{one.id}",
    }
    body |= {"client_secret": secret, "client_secret_expires_at": 0} if secret else {}
    body |= {"jwks_uri": one.jwks_uri} if one.jwks_uri else {}
    body |= {"jwks": one.jwks} if one.jwks else {}
    return body


def told_wrong(error: RefusedError) -> Answer:
    """400 with what is wrong with a client."""
    return Answer(status=400, body={"error": error.error, "error_description": error.text})


def read_client(told: Any) -> tuple[Client, str | None]:
    """A client from its metadata, with its secret where it gets one."""
    if not isinstance(told, dict):
        raise RefusedError("invalid_client_metadata", "Send the client's metadata as a JSON object.")
    method = told.get("token_endpoint_auth_method", "client_secret_basic")
    if method not in METHODS or method == "client_secret_post":
        raise RefusedError("invalid_client_metadata", "The method is none, client_secret_basic or private_key_jwt.")
    grants = _texts(told, "grant_types") or ("authorization_code",)
    if not set(grants) <= _GRANTS:
        raise RefusedError("invalid_client_metadata", f"Of grant types there are {', '.join(sorted(_GRANTS))}.")
    jwks, jwks_uri, scope, name = (told.get(key) for key in ("jwks", "jwks_uri", "scope", "client_name"))
    right = isinstance(jwks, dict | None) and all(isinstance(one, str | None) for one in (jwks_uri, scope, name))
    if not right:
        raise RefusedError("invalid_client_metadata", "jwks is an object; jwks_uri, scope and client_name are texts.")
    redirects = _texts(told, "redirect_uris")
    secret = new_token() if method == "client_secret_basic" else None
    client = Client(
        id=new_id(),
        title=name or "(no name)",
        method=method,
        secret=hash_password(secret) if secret else None,
        redirects=redirects,
        origins=tuple(dict.fromkeys(_origin(uri) for uri in redirects if _is_safe(uri))) if method == "none" else (),
        scopes=scopes.split(scope),
        jwks=jwks,
        jwks_uri=jwks_uri,
        grants=grants,
        approved=False,
        registered=keep.now(),
    )
    return check_client(client), secret


def _texts(told: dict[str, Any], key: str) -> tuple[str, ...]:
    found = told.get(key, [])
    if not isinstance(found, list) or len(found) > LIST_MOST or not all(isinstance(one, str) for one in found):
        raise RefusedError("invalid_client_metadata", f"{key} is a list of at most {LIST_MOST} texts.")
    return tuple(dict.fromkeys(found))


def _origin(uri: str) -> str:
    parts = urlsplit(uri)
    return f"{parts.scheme}://{parts.netloc}"


def approve(store: Store, id: str) -> Client:
    """Let a client that registered itself in; FhirError when there is none."""

    def run(tx: Tx) -> Client:
        found = keep.client(tx, id)
        if found is None:
            raise FhirError.of(Category.NOT_FOUND, "not-found", "There is no client of this id.")
        approved: Client = msgspec.structs.replace(found, approved=True)
        keep.put_client(tx, approved)
        return approved

    return store.write_sync(run)


def remove(store: Store, id: str) -> None:
    """Forget a client and end all it was given; FhirError when there is none."""

    def run(tx: Tx) -> None:
        if keep.client(tx, id) is None:
            raise FhirError.of(Category.NOT_FOUND, "not-found", "There is no client of this id.")
        keep.drop_client(tx, id)

    store.write_sync(run)
