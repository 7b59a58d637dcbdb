"""Blind indexes: what says who a person is stands in the index as a keyed hash, with a key per tenant and field.

https://www.rfc-editor.org/rfc/rfc2104

Equality, and how often a value occurs, stay visible to whoever holds the database; the values do not.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from fhir_profiles.dates import OPEN_LOW
from server.store.version import Rows

from .envelope import place
from .fields import BORN, clear_tokens, clear_uris, hidden_composites, hidden_dates

PREFIX = 20
"""Letters of a text by whose beginnings it is found."""

NO_DATE = OPEN_LOW - 1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Blind:
    """The hashes of one tenant."""

    def __init__(self, key: bytes, tenant: str = "") -> None:
        self._field = lru_cache(maxsize=8192)(lambda field: hmac.digest(key, place(tenant, field), "sha256"))

    def word(self, field: int, text: str) -> str:
        """What stands for a text in a field: 22 characters."""
        return base64.urlsafe_b64encode(hmac.digest(self._field(field), text.encode(), "sha256")[:16])[:22].decode()

    def number(self, field: int, low: float, high: float) -> int:
        """What stands for an interval of time: 63 bits."""
        digest = hmac.digest(self._field(field), f"{int(low)}-{int(high)}".encode(), "sha256")
        return int.from_bytes(digest[:8], "big") >> 1

    def hides_token(self, field: int) -> bool:
        """Whether the tokens of a parameter are hashed."""
        return field not in clear_tokens()

    def hides_uri(self, field: int) -> bool:
        """Whether the URIs of a parameter are hashed."""
        return field not in clear_uris()

    def uri(self, field: int, written: str) -> str:
        """What stands for a URI; one that is relative names something of this server, and stays."""
        return self.word(field, written) if ":" in written and self.hides_uri(field) else written

    def hides_date(self, field: int) -> bool:
        """Whether the dates of a parameter are hashed."""
        return abs(field) in hidden_dates()

    def lacks(self, field: int) -> bool:
        """Whether a composite parameter is not indexed."""
        return abs(field) in hidden_composites()

    def rows(self, rows: Rows, kind: str) -> Rows:
        """Index rows of a resource type as they are kept: hashed where they must be, without the resource's words."""
        kept = {table: values for table, values in rows.items() if table != "idx_text"}
        if kind in BORN:  # their main date is the one of birth
            for table in ("idx_token", "idx_reference"):
                if table in kept:
                    kept[table] = [(*row[:-1], NO_DATE) for row in kept[table]]
        if tokens := kept.get("idx_token"):
            kept["idx_token"] = [
                (row[0], self.word(row[0], row[1]), *row[2:]) if self.hides_token(row[0]) else row for row in tokens
            ]
        if uris := kept.get("idx_uri"):
            kept["idx_uri"] = [(field, self.uri(field, value)) for field, value in uris]
        if strings := kept.get("idx_string"):
            kept["idx_string"] = list(dict.fromkeys(made for row in strings for made in self._text(*row)))
        if (dates := kept.get("idx_date")) and any(self.hides_date(row[0]) for row in dates):
            kept["idx_date"] = [made for row in dates for made in self._date(row)]
        if composites := kept.get("idx_composite"):
            kept["idx_composite"] = [row for row in composites if not self.lacks(row[0])]
        return kept

    def start(self, field: int, plain: str) -> str:
        """What the rows of texts that begin like this hold; all of a longer text stands for itself."""
        return self.word(field, f"^{plain}" if len(plain) <= PREFIX else f"={plain}")

    def whole(self, field: int, plain: str) -> str:
        """What the one row of a whole text holds."""
        return self.word(field, f"={plain}")

    def exact(self, field: int, written: str) -> str:
        """What stands in that row for the text as it is written."""
        return self.word(field, f"!{written}")

    def _text(self, field: int, value: str, exact: str, whole: str | None) -> Iterator[tuple[Any, ...]]:
        plain = whole or value
        yield field, self.whole(field, plain), self.exact(field, exact), None
        for length in range(1, min(len(plain), PREFIX) + 1):
            yield field, self.start(field, plain[:length]), "", None

    def _date(self, row: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
        field, low, high = row
        if not self.hides_date(field):
            yield row
        elif field > 0:  # the second rows of wide intervals have no use here
            for span in spans(low, high):
                number = self.number(field, *span)
                yield field, number, number


def spans(low: int, high: int) -> list[tuple[int, int]]:
    """An interval, and the day, the month and the year that it lies in; microseconds since 1970."""
    found = [(low, high)]
    try:
        first = _EPOCH + timedelta(microseconds=low)
        day = first.replace(hour=0, minute=0, second=0, microsecond=0)
        month, year = day.replace(day=1), day.replace(day=1, month=1)
        ends = [day + timedelta(1), (month + timedelta(32)).replace(day=1), year.replace(year=year.year + 1)]
    except (OverflowError, ValueError):
        return found
    for start, end in zip((day, month, year), ends, strict=True):
        span = (_micros(start), _micros(end))
        if span[0] <= low and high <= span[1] and span not in found:
            found.append(span)
    return found


def _micros(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)
