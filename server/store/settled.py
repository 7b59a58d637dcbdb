"""Whether a database and the keys fit: a new one is sealed from its first row, a clear one must be converted first."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Engine, text

from server.phi.envelope import Broken, new_key, wrap
from server.phi.keys import Keys, KeysError

from .keys import RowIds
from .ring import FIXED
from .sealing import Sealing

ON, DOING = "on", "sealing"
_LOCK = 0x66686972
_INSERT = "INSERT INTO phi_key (number, owner, kek, made, wrapped) VALUES (:n, :o, :k, 0, :w)"


def settle(engine: Engine, keys: Keys | None, *, mixed: bool = False) -> Sealing | None:
    """The seals of the database; KeysError when they do not fit. With `mixed` a clear one begins to be sealed."""
    with engine.begin() as connection:
        if not engine.dialect.has_table(connection, "phi_state"):
            if keys is None:
                return None
            raise KeysError("The database has an older schema: run fhirwright migrate.")
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        mode = connection.scalar(text("SELECT value FROM phi_state WHERE name = 'mode'"))
        if keys is None:
            if mode is not None:
                raise KeysError("The database is encrypted: set encryption and encryption_keys.")
            return None
        if mode is None:
            mode = _begin(connection, keys, mixed=mixed)
        if mode == DOING and not mixed:
            raise KeysError("The database is partly encrypted: run fhirwright keys encrypt again to finish.")
        own = connection.scalar(text("SELECT value FROM phi_state WHERE name = 'place'"))
        sealing = Sealing(keys, engine.dialect.name, own, mixed=mode == DOING)
        try:
            sealing.prepare(lambda sql, params: _ask(connection, sql, params))
        except Broken:
            raise KeysError("The keys are not those that the database was encrypted with.") from None
        return sealing


def _begin(connection: Connection, keys: Keys, *, mixed: bool) -> str:
    """Note that the database is sealed from now on, or begins to be, and make the key of its index."""
    filled = connection.scalar(text("SELECT 1 FROM resource LIMIT 1")) is not None
    if filled and not mixed:
        raise KeysError("The database holds data in clear: stop the servers and run fhirwright keys encrypt.")
    ids, kek = RowIds(), keys.newest
    for owner in FIXED:
        number = ids.next()
        row = {"n": number, "o": owner, "k": kek, "w": wrap(keys.of(kek), kek, number, owner, new_key())}
        connection.execute(text(_INSERT), row)
    mode = DOING if mixed else ON
    state = [{"n": "mode", "v": mode}, {"n": "epoch", "v": "0"}, {"n": "place", "v": secrets.token_hex(8)}]
    connection.execute(text("INSERT INTO phi_state (name, value) VALUES (:n, :v)"), state)
    return mode


def _ask(connection: Connection, sql: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
    if connection.dialect.name == "postgresql":
        sql = sql.replace("?", "%s")
    return [tuple(row) for row in connection.exec_driver_sql(sql, tuple(params))]
