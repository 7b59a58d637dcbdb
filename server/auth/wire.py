"""Requests and answers of the authorization server, free of the web framework, and as Authlib wants them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import msgspec
from authlib.oauth2.rfc6749 import OAuth2Payload, OAuth2Request

Pairs = tuple[tuple[str, str], ...]
NO_STORE = (("Cache-Control", "no-store"), ("Pragma", "no-cache"))


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One call of an endpoint: `pairs` is the query or the form, in order; header names are in lower case."""

    method: str
    url: str
    pairs: Pairs
    headers: Mapping[str, str] = {}

    def one(self, name: str) -> str | None:
        """A parameter, None where it is absent."""
        return next((value for key, value in self.pairs if key == name), None)


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """A status with JSON (`body`) or with a place to go (`location`)."""

    status: int
    body: dict[str, Any] | None = None
    location: str | None = None
    headers: tuple[tuple[str, str], ...] = NO_STORE


class Payload(OAuth2Payload):  # type: ignore[misc]
    """The parameters of a call."""

    def __init__(self, pairs: Pairs) -> None:
        self._list: defaultdict[str, list[str]] = defaultdict(list)
        for name, value in pairs:
            self._list[name].append(value)
        self._data = {name: values[0] for name, values in self._list.items()}

    @property
    def data(self) -> dict[str, str]:
        """Each parameter once."""
        return self._data

    @property
    def datalist(self) -> defaultdict[str, list[str]]:
        """Each parameter with all its values."""
        return self._list


class Asked(OAuth2Request):  # type: ignore[misc]
    """A call as Authlib wants it. Whether it came by TLS is decided before: Authlib is always told so."""

    def __init__(self, call: Call) -> None:
        _, _, rest = call.url.partition("://")
        super().__init__(call.method, f"https://{rest}", headers=dict(call.headers))
        self.payload = Payload(call.pairs)

    @property
    def args(self) -> dict[str, str]:
        """The parameters."""
        return self.payload.data

    @property
    def form(self) -> dict[str, str]:
        """The parameters."""
        return self.payload.data


def with_pairs(url: str, pairs: Pairs) -> str:
    """A URL with parameters added to its query, those it has kept."""
    head, mark, fragment = url.partition("#")
    joined = f"{head}{'&' if '?' in head else '?'}{urlencode(pairs)}"
    return f"{joined}{mark}{fragment}"
