"""What whoever registered a client does with it later: read, change, end (https://datatracker.ietf.org/doc/html/rfc7592)."""

from __future__ import annotations

from typing import Any

import msgspec

from server.store import Store, Tx
from server.store.texts import View

from . import keep
from .model import Client
from .registering import RefusedError, information, read_client, told_wrong
from .secrets import digest, is_password, same
from .wire import Answer

LONGEST = 512
"""Characters of a token that is looked at."""

OURS = ("registration_access_token", "registration_client_uri", "client_secret_expires_at", "client_id_issued_at")
"""Members that the server says and no client."""


def read(store: Store, id: str, token: str, issuer: str) -> Answer:
    """The client as it is kept; its secret is not."""
    found = _owned(store, id, token)
    return Answer(status=200, body=information(found, None, token, issuer)) if found else _refused()


def change(store: Store, id: str, token: str, told: Any, issuer: str) -> Answer:
    """Put other metadata in place: it ends what the client was given, and waits for approval as a new one does.

    A client that goes on with its secret keeps it; one that begins to have a secret is told a new one.
    """
    known = _owned(store, id, token)
    if known is None:
        return _refused()
    try:
        asked, secret = read_client(told)
        if told.get("client_id") != id or any(name in told for name in OURS):
            text = "Name the client_id, and none of the members that only the server says."
            raise RefusedError("invalid_client_metadata", text)
        given = told.get("client_secret")
        if given is not None and (not isinstance(given, str) or not is_password(known.secret, given[:LONGEST])):
            raise RefusedError("invalid_client_metadata", "The client_secret is not the client's.")
    except RefusedError as error:
        return told_wrong(error)

    def run(tx: Tx) -> tuple[Client, str | None] | Answer:
        tx.lock("auth_client")
        found = _owned(tx, id, token)
        if found is None:
            return _refused()
        keeps = secret is not None and found.secret is not None
        made: Client = msgspec.structs.replace(
            asked, id=id, owner=found.owner, secret=found.secret if keeps else asked.secret, registered=keep.now()
        )
        keep.drop_client(tx, id)
        keep.put_client(tx, made)
        return made, None if keeps else secret

    done = store.write_sync(run)
    if isinstance(done, Answer):
        return done
    return Answer(status=200, body=information(*done, token, issuer))


def end(store: Store, id: str, token: str) -> Answer:
    """Forget the client, and end what it was given."""

    def run(tx: Tx) -> bool:
        found = _owned(tx, id, token)
        if found is not None:
            keep.drop_client(tx, id)
        return found is not None

    return Answer(status=204) if store.write_sync(run) else _refused()


def _owned(view: View, id: str, token: str) -> Client | None:
    """The client whose token this is; None for all others, whether there is such a client or not."""
    found = keep.client(view, id[:LONGEST])
    kept = found.owner if found is not None and found.owner is not None else digest("nobody's")
    right = same(kept, digest(token[:LONGEST]))
    return found if right and found is not None and found.owner is not None else None


def _refused() -> Answer:
    headers = (
        ("WWW-Authenticate", 'Bearer realm="registration", error="invalid_token"'),
        ("Cache-Control", "no-store"),
    )
    return Answer(status=401, body={"error": "invalid_token"}, headers=headers)
