"""Pieces of SQL with their parameters, and the few words in which the engines differ."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import orjson


class Sql(msgspec.Struct, frozen=True):
    """SQL text with `?` marks, and the values for them in order."""

    text: str
    params: tuple[Any, ...] = ()


def join(word: str, parts: Sequence[Sql]) -> Sql:
    """The parts in parentheses with AND or OR between them."""
    if len(parts) == 1:
        return parts[0]
    text = f" {word} ".join(part.text for part in parts)
    return Sql(f"({text})", tuple(value for part in parts for value in part.params))


def negate(part: Sql) -> Sql:
    """What holds when the part does not."""
    return Sql(f"NOT ({part.text})", part.params)


def any_of(dialect: str, column: str, values: Sequence[str]) -> Sql:
    """The column is one of the values, however many: one parameter, so that the statement stays the same."""
    if len(values) == 1:
        return Sql(f"{column} = ?", (values[0],))
    if dialect == "sqlite":
        return Sql(f"{column} IN (SELECT value FROM json_each(?))", (orjson.dumps(list(values)).decode(),))
    return Sql(f"{column} = ANY(?::text[])", (list(values),))


def any_rid(dialect: str, column: str, values: Sequence[int]) -> Sql:
    """The same for row ids."""
    if dialect == "sqlite":
        return Sql(f"{column} IN (SELECT value FROM json_each(?))", (orjson.dumps(list(values)).decode(),))
    return Sql(f"{column} = ANY(?::bigint[])", (list(values),))


def key_list(dialect: str, keys: Sequence[tuple[str, str]]) -> Sql:
    """A table `k(type, id)` of the given keys."""
    if dialect == "sqlite":
        text = "(SELECT json_extract(value, '$[0]') AS type, json_extract(value, '$[1]') AS id FROM json_each(?)) k"
        return Sql(text, (orjson.dumps(keys).decode(),))
    types, ids = zip(*keys, strict=True)
    return Sql("unnest(?::text[], ?::text[]) AS k(type, id)", (list(types), list(ids)))
