"""Reading and writing what the authorization server knows, in the database that everything else is in."""

from __future__ import annotations

import time
from typing import Any, TypeVar

import msgspec

from server.audit import security
from server.store import Tx
from server.store.texts import View, blind_name, opened, sealed

from .memo import forget_after
from .model import Authorization, Client, Launch, Pending, Person, Session, Token

MOST_CLIENTS = 10_000
"""Clients whose origins are known."""

S = TypeVar("S", bound=msgspec.Struct)
_BY_ID = ("auth_person", "auth_client", "auth_authorization")


def now() -> int:
    """Milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def _read(view: View, kind: type[S], table: str, row: tuple[Any, ...]) -> S:
    """What stands in a row of a table: its key, and its data as they are kept."""
    return msgspec.json.decode(opened(view, table, row[0], row[1]), type=kind)


def _one(view: View, kind: type[S], table: str, rest: str, *params: Any) -> S | None:
    key = "id" if table in _BY_ID else "hash"
    rows = view.query(f"SELECT {key}, data FROM {table} WHERE {rest}", params)
    return _read(view, kind, table, rows[0]) if rows else None


def _put(tx: Tx, table: str, columns: dict[str, Any], data: msgspec.Struct) -> None:
    """Write a row in place of the one with the same key, the first column."""
    key, name = next(iter(columns.items()))
    kept = {**columns, "data": sealed(tx, table, name, msgspec.json.encode(data).decode())}
    others = ", ".join(f"{name} = excluded.{name}" for name in list(kept)[1:])
    marks = ", ".join("?" * len(kept))
    sql = f"INSERT INTO {table} ({', '.join(kept)}) VALUES ({marks}) ON CONFLICT ({key}) DO UPDATE SET {others}"
    tx.execute(sql, tuple(kept.values()))


# People


def person(view: View, id: str) -> Person | None:
    """One person."""
    return _one(view, Person, "auth_person", "id = ?", id)


def person_named(view: View, name: str) -> Person | None:
    """The person with this name to sign in by, whatever its case."""
    return _one(view, Person, "auth_person", "name = ?", blind_name(view, name))


def people(view: View, limit: int = 1000) -> list[Person]:
    """Everybody, by name."""
    rows = view.query("SELECT id, data FROM auth_person ORDER BY name LIMIT ?", (limit,))
    return sorted((_read(view, Person, "auth_person", row) for row in rows), key=lambda one: one.name.casefold())


def put_person(tx: Tx, one: Person) -> None:
    """Keep a person."""
    _put(tx, "auth_person", {"id": one.id, "name": blind_name(tx, one.name)}, one)


# Clients


def client(view: View, id: str) -> Client | None:
    """One client. No id has letters that a database cannot keep."""
    if not id.isprintable():
        return None
    return _one(view, Client, "auth_client", "id = ?", id)


def clients(view: View, limit: int = 1000) -> list[Client]:
    """Every client, by id."""
    rows = view.query("SELECT id, data FROM auth_client ORDER BY id LIMIT ?", (limit,))
    return [_read(view, Client, "auth_client", row) for row in rows]


def origins(view: View) -> frozenset[str]:
    """The origins from which pages of approved clients may call."""
    return frozenset(origin for one in clients(view, MOST_CLIENTS) if one.approved for origin in one.origins)


def put_client(tx: Tx, one: Client) -> None:
    """Keep a client."""
    _put(tx, "auth_client", {"id": one.id}, one)


def drop_client(tx: Tx, id: str) -> None:
    """Forget a client, and end what it was given."""
    tx.execute("DELETE FROM auth_client WHERE id = ?", (id,))
    forget_after(tx)
    tx.execute("UPDATE auth_authorization SET revoked = ? WHERE client = ? AND revoked = 0", (now(), id))


# Sessions


def session(view: View, hash: str) -> Session | None:
    """One session that has not ended by itself."""
    rows = view.query("SELECT hash, data, seen FROM auth_session WHERE hash = ?", (hash,))
    if not rows:
        return None
    found = msgspec.structs.replace(_read(view, Session, "auth_session", rows[0]), seen=rows[0][2])
    return None if found.ended else found


def put_session(tx: Tx, one: Session) -> None:
    """Keep a session."""
    _put(tx, "auth_session", {"hash": one.hash, "person": one.person, "seen": one.seen}, one)


def touch_session(tx: Tx, hash: str) -> None:
    """Somebody is still there."""
    tx.execute("UPDATE auth_session SET seen = ? WHERE hash = ?", (now(), hash))


def end_session(tx: Tx, hash: str) -> None:
    """End a session: whoever has its cookie is nobody."""
    tx.execute("DELETE FROM auth_session WHERE hash = ?", (hash,))


def end_sessions(tx: Tx, person_id: str) -> None:
    """End every session of a person."""
    tx.execute("DELETE FROM auth_session WHERE person = ?", (person_id,))


# Launches


def put_launch(tx: Tx, one: Launch) -> None:
    """Keep a launch."""
    _put(tx, "auth_launch", {"hash": one.hash, "expires": one.expires}, one)


def take_launch(tx: Tx, hash: str, client_id: str) -> Launch | None:
    """The launch of a client that has not expired; it is gone then."""
    found = _one(tx, Launch, "auth_launch", "hash = ? AND expires > ?", hash, now())
    if found is None or found.client != client_id:
        return None
    return found if tx.execute("DELETE FROM auth_launch WHERE hash = ?", (hash,)) == 1 else None


# Requests that wait for a person


def put_pending(tx: Tx, one: Pending) -> None:
    """Keep a request."""
    _put(tx, "auth_pending", {"hash": one.hash, "expires": one.expires}, one)


def pending(view: View, hash: str) -> Pending | None:
    """A request that has not expired."""
    return _one(view, Pending, "auth_pending", "hash = ? AND expires > ?", hash, now())


def end_pending(tx: Tx, hash: str) -> bool:
    """Forget a request; False when somebody was faster."""
    return tx.execute("DELETE FROM auth_pending WHERE hash = ?", (hash,)) == 1


# Authorizations and their tokens


def put_authorization(tx: Tx, one: Authorization) -> None:
    """Keep what was granted."""
    row = {"id": one.id, "client": one.client, "person": one.person or "", "revoked": 0}
    _put(tx, "auth_authorization", row, one)
    tx.audit(security.granted(one))
    if one.broken:  # it stood before: a new one is in nobody's memory
        forget_after(tx)


def authorization(view: View, id: str) -> Authorization | None:
    """What was granted, unless it was revoked."""
    return _one(view, Authorization, "auth_authorization", "id = ? AND revoked = 0", id)


def client_of(view: View, id: str) -> str | None:
    """The id of the client that was given an authorization, also when it was revoked since."""
    rows = view.query("SELECT client FROM auth_authorization WHERE id = ?", (id,))
    return str(rows[0][0]) if rows else None


def revoke(tx: Tx, id: str) -> None:
    """End an authorization: every token of the family is worth nothing from now on."""
    if tx.execute("UPDATE auth_authorization SET revoked = ? WHERE id = ? AND revoked = 0", (now(), id)):
        tx.audit(security.ended("authorization", id))
        forget_after(tx)


def authorizations_of(view: View, person_id: str, limit: int = 1000) -> list[Authorization]:
    """What a person gave and still is worth something: a token of the family can be used, or refreshed."""
    rows = view.query(
        "SELECT a.id, a.data FROM auth_authorization a WHERE a.person = ? AND a.revoked = 0 AND EXISTS (SELECT 1 FROM"
        " auth_token t WHERE t.granted = a.id AND t.used = 0 AND t.revoked = 0 AND t.expires > ?)"
        " ORDER BY a.id LIMIT ?",
        (person_id, now(), limit),
    )
    return [_read(view, Authorization, "auth_authorization", row) for row in rows]


def revoke_all(tx: Tx, person_id: str) -> None:
    """End everything that a person gave."""
    if tx.execute("UPDATE auth_authorization SET revoked = ? WHERE person = ? AND revoked = 0", (now(), person_id)):
        tx.audit(security.ended("person", person_id))
        forget_after(tx)


def put_token(tx: Tx, one: Token) -> None:
    """Keep a token by its hash."""
    row = {"hash": one.hash, "granted": one.authorization, "kind": one.kind, "expires": one.expires}
    _put(tx, "auth_token", {**row, "used": int(one.used), "revoked": int(one.revoked)}, one)
    tx.audit(security.given(one, authorization(tx, one.authorization)))


def token(view: View, hash: str) -> Token | None:
    """One token, whatever its state."""
    rows = view.query("SELECT hash, data, used, revoked FROM auth_token WHERE hash = ?", (hash,))
    if not rows:
        return None
    found = _read(view, Token, "auth_token", rows[0])
    return msgspec.structs.replace(found, used=bool(rows[0][2]), revoked=bool(rows[0][3]))


def use_token(tx: Tx, hash: str) -> bool:
    """Mark a code or refresh token as used; False when somebody was faster."""
    return tx.execute("UPDATE auth_token SET used = 1 WHERE hash = ? AND used = 0", (hash,)) == 1


def revoke_token(tx: Tx, hash: str) -> None:
    """End one token."""
    if tx.execute("UPDATE auth_token SET revoked = 1 WHERE hash = ? AND revoked = 0", (hash,)):
        tx.audit(security.ended("token", ""))
        forget_after(tx)


def live_token(view: View, hash: str) -> tuple[Token, Authorization] | None:
    """An access token that is worth something, with what it rests on."""
    rows = view.query(
        "SELECT t.hash, t.data, a.id, a.data FROM auth_token t JOIN auth_authorization a ON a.id = t.granted"
        " WHERE t.hash = ? AND t.kind = 'access' AND t.revoked = 0 AND t.expires > ? AND a.revoked = 0",
        (hash, now()),
    )
    if not rows:
        return None
    row = rows[0]
    return _read(view, Token, "auth_token", row[:2]), _read(view, Authorization, "auth_authorization", row[2:])


# Assertions


def first_use(tx: Tx, hash: str, expires: int) -> bool:
    """Whether an assertion (the hash of its issuer and jti) was never seen; it is kept until it expires."""
    sql = "INSERT INTO auth_assertion (hash, expires) VALUES (?, ?) ON CONFLICT (hash) DO NOTHING"
    return tx.execute(sql, (hash, expires)) == 1


def prune(tx: Tx) -> None:
    """Forget what has expired."""
    for table in ("auth_token", "auth_launch", "auth_assertion", "auth_pending"):
        tx.execute(f"DELETE FROM {table} WHERE expires < ?", (now() - 86_400_000,))
    tx.execute("DELETE FROM auth_session WHERE seen < ?", (now() - 7 * 86_400_000,))
    tx.execute("DELETE FROM auth_attempt WHERE last < ?", (now() - 86_400_000,))
