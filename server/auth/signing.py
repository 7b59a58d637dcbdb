"""The keys that id_tokens are signed with: RS256, rotated, published as a JWKS without a private part.

https://openid.net/specs/openid-connect-core-1_0.html#RotateSigningKeys
"""

from __future__ import annotations

import json
import time
from typing import Any

from joserfc import jwt
from joserfc.jwk import RSAKey

from server.audit import security
from server.store import Store, Tx
from server.store.texts import opened, sealed

from . import keep

ALGORITHM = "RS256"
PUBLISHED_DAYS = 7
"""How long a key is published after the next one was made: no id_token lives as long."""


class Keys:
    """The signing keys in the database, shared by all processes."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def current(self) -> RSAKey:
        """The key to sign with; the first one is made when it is asked for."""
        rows = self._store.query("SELECT kid, data FROM auth_key ORDER BY made DESC, kid LIMIT 1")
        if rows:
            return self._opened(*rows[0])
        self.rotate(first=True)
        return self.current()

    def prepare(self) -> None:
        """Make the first key where there is none: what signs in a transaction cannot wait for one to be written."""
        if not self._store.query("SELECT 1 FROM auth_key LIMIT 1"):
            self.rotate(first=True)

    def rotate(self, *, first: bool = False) -> str:
        """Make a new key and sign with it from now on; its kid. With `first` only where there is none."""
        key = RSAKey.generate_key(2048, {"use": "sig", "alg": ALGORITHM}, private=True, auto_kid=True)
        data = json.dumps(key.as_dict(private=True))

        def write(tx: Tx) -> None:
            tx.lock("auth_key")
            if first and tx.query("SELECT 1 FROM auth_key LIMIT 1"):
                return
            kept = sealed(tx, "auth_key", str(key.kid), data)
            tx.execute("INSERT INTO auth_key (kid, made, data) VALUES (?, ?, ?)", (key.kid, keep.now(), kept))
            tx.audit(security.rotated(str(key.kid)))

        self._store.write_sync(write)
        return str(key.kid)

    def published(self) -> dict[str, Any]:
        """The JWKS: the current key and those before it that tokens may still be signed with."""
        self.current()
        rows = self._store.query("SELECT kid, data, made FROM auth_key ORDER BY made DESC, kid LIMIT 20")
        keys: list[dict[str, Any]] = []
        replaced: int | None = None
        for kid, data, made in rows:
            if replaced is None or keep.now() - replaced < PUBLISHED_DAYS * 86_400_000:
                keys.append(self._opened(kid, data).as_dict(private=False))
            replaced = made
        return {"keys": keys}

    def _opened(self, kid: str, data: str) -> RSAKey:
        return RSAKey.import_key(json.loads(opened(self._store, "auth_key", kid, data)))

    def sign(self, claims: dict[str, Any]) -> str:
        """Claims as a signed token."""
        key = self.current()
        return jwt.encode({"alg": ALGORITHM, "kid": key.kid, "typ": "JWT"}, claims, key, algorithms=[ALGORITHM])


def seconds() -> int:
    """Seconds since 1970."""
    return int(time.time())
