"""Columns of text that are sealed beside the bodies of resources: of requests, people, grants, keys and subscriptions.

Each value is bound to its table, row and column.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

from .keys import param_key
from .ring import AUTH, JOBS
from .sealing import Sealing, from_text
from .tx import Tx

_NAME = param_key("auth_person", "name")


class View(Protocol):
    """A store or a transaction."""

    @property
    def sealing(self) -> Sealing | None:
        """How the database is sealed."""

    def query(self, sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of a SELECT."""


class Texts(NamedTuple):
    """A column of text, what names its rows, and whose key seals it."""

    table: str
    key: str
    column: str
    owner: str = AUTH
    whose: str = ""
    """The column that names the owner of each row instead."""


SEALED = (
    Texts("later", "id", "request", JOBS),
    *(Texts(f"auth_{one}", "id", "data") for one in ("person", "client", "authorization")),
    *(Texts(f"auth_{one}", "hash", "data") for one in ("session", "pending", "launch", "token")),
    Texts("auth_key", "kid", "data"),
    Texts("subscription_owner", "id", "data"),
    Texts("arrival_raw", "id", "raw", JOBS),
    Texts("learn_file", "hash", "body", JOBS),
    Texts("unaided_apart", "document", "body", JOBS, "owner"),
)
"""All of them; the outputs of jobs' steps are sealed apart, with a key that needs no database."""

_BY_TABLE = {one.table: one for one in SEALED}


def sealed(tx: Tx, table: str, name: str, text: str, owner: str = "") -> str:
    """The text of a row as it is kept; `owner` is whose key seals it where the rows have owners of their own."""
    column = _BY_TABLE[table]
    return tx.seal_text(owner or column.owner, (table, name, column.column), text)


def opened(view: View, table: str, name: str, text: str) -> str:
    """Such a text as it was."""
    if (sealing := view.sealing) is None:
        return text
    return sealing.read_text(view.query, (table, name, _BY_TABLE[table].column), text)


def blind_name(view: View, name: str) -> str:
    """What somebody who signs in is found by: the name in small letters, or a hash where it is sealed."""
    plain = name.casefold()
    return plain if view.sealing is None else view.sealing.blind.word(_NAME, plain)


def seal_again(tx: Tx, wanted: Callable[[bytes], bool]) -> int:
    """Seal every such text anew whose stored value is wanted; how many those are."""
    count = 0
    for table, key, column, _, whose in SEALED:
        for name, kept, owner in tx.query(f"SELECT {key}, {column}, {whose or repr('')} FROM {table}"):
            if wanted(from_text(kept)):
                again = sealed(tx, table, name, opened(tx, table, name, kept), owner)
                count += tx.execute(f"UPDATE {table} SET {column} = ? WHERE {key} = ?", (again, name))
    return count


def blind_names(tx: Tx) -> None:
    """Hash the names of people whose rows are clear as yet."""
    for name, kept in tx.query("SELECT id, name FROM auth_person WHERE substr(data, 1, 7) <> 'sealed:'"):
        tx.execute("UPDATE auth_person SET name = ? WHERE id = ?", (blind_name(tx, kept), name))


def seal_steps(tx: Tx) -> None:
    """Seal what steps of jobs answered in clear."""
    if (sealing := tx.sealing) is None:
        return
    for job, step, kept in tx.query("SELECT job, step, output FROM job_step WHERE substr(output, 2, 7) <> 'sealed:'"):
        told = json.dumps(sealing.hide(("job_step", job, step), kept))
        tx.execute("UPDATE job_step SET output = ? WHERE job = ? AND step = ?", (told, job, step))
