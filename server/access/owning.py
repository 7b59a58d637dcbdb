"""Whose a Subscription is: its header may hold a secret, its criteria name people, and what it tells is for one caller.

Nobody but its owner reads, searches or changes it. Whoever looks after the server may delete it. The caller is kept
beside it, so that what is told later is asked of the same reach.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from server.search.sql import Sql
from server.store.texts import opened, sealed

from .caller import Caller
from .grants import Right

if TYPE_CHECKING:
    from server.search.view import View
    from server.store import Tx, Version
    from server.store.texts import View as Texts

OWNED = frozenset({"Subscription"})
_NOT_KEPT: dict[str, Any] = {"broken": (), "emergency": False, "looks": False, "purpose": None}
_KEEP = (
    "INSERT INTO subscription_owner (rid, id, owner, data) VALUES (?, ?, ?, ?)"
    " ON CONFLICT (rid) DO UPDATE SET owner = excluded.owner, data = excluded.data"
)


def keep_owner(tx: Tx, version: Version, caller: Caller) -> None:
    """Note whose a Subscription is; it stays noted when that is deleted, for its history."""
    data = msgspec.json.encode(msgspec.structs.replace(caller, **_NOT_KEPT)).decode()
    tx.execute(_KEEP, (version.rid, version.id, caller.key, sealed(tx, "subscription_owner", version.id, data)))


def owner_of(view: Texts, subscription: str) -> Caller | None:
    """The caller that a Subscription belongs to, as it was; None for one that was written before owners were kept."""
    rows = view.query("SELECT data FROM subscription_owner WHERE id = ?", (subscription,))
    if not rows:
        return None
    return msgspec.json.decode(opened(view, "subscription_owner", subscription, rows[0][0]), type=Caller)


def owned(caller: Caller, resource_type: str, right: Right) -> Sql | None:
    """The condition on `{rid}` that it is the caller's own; None where that is not asked."""
    if resource_type not in OWNED or caller.whole or (right == "d" and caller.admin):
        return None
    return Sql("EXISTS (SELECT 1 FROM subscription_owner so WHERE so.rid = {rid} AND so.owner = ?)", (caller.key,))


def owns(view: View, caller: Caller, version: Version, right: Right) -> bool:
    """The same for any version; one that is about to be made becomes the caller's own."""
    if owned(caller, version.type, right) is None:
        return True
    rows = view.query("SELECT owner FROM subscription_owner WHERE rid = ?", (version.rid,))
    return rows[0][0] == caller.key if rows else version.version == 1 and right in "cu"
