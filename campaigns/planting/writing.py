"""How an identifier may be written down, and a search of bytes for all of it at once.

Letters are compared without case but in base64, which is looked for at each of its three places in a stream.
"""

from __future__ import annotations

import base64
import json
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import quote, quote_plus

from ahocorasick_rs import BytesAhoCorasick

PLAIN = ("as it is", "without accents", "JSON escaped", "URL encoded", "UTF-16", "hexadecimal")
FORMS = (*PLAIN, "base64")
SHORTEST = 7
"""Letters below which a form proves nothing."""


def spoken(kind: str, value: str) -> list[str]:
    """The ways of writing a value of a kind without any encoding."""
    found = [value]
    if kind == "email":
        found.append(value.partition("@")[0])
    if kind == "url":
        found.append(value.split("//")[1].partition(".")[0])
    if kind == "street":
        found.append(value.split()[1])
    if kind == "serial":
        found.append(value.split("-")[1])
    if kind in ("ssn", "phone"):
        found.append("".join(letter for letter in value if letter.isdigit()))
    if kind == "phone":
        found.append(value[1:4] + "-" + value[6:])
    if kind == "born":
        year, month, day = value.split("-")
        found += [f"{month}/{day}/{year}", f"{int(month)}/{int(day)}/{year}", f"{year}{month}{day}"]
    return found


def encoded(text: str) -> Iterator[tuple[str, bytes]]:
    """The bytes that a text may stand as: form and bytes; what is told apart by case is base64 alone."""
    small = text.lower()
    for cased in dict.fromkeys((small, text.upper())):  # letters beyond ASCII are two values in one case each
        yield "as it is", cased.encode().lower()
        yield "JSON escaped", json.dumps(cased)[1:-1].encode().lower()
        yield "JSON escaped", "".join(f"\\u{ord(c):04x}" for c in cased).encode()
        yield "JSON escaped", cased.replace("/", "\\/").encode().lower()
        for quoted in (quote(cased, safe=""), quote_plus(cased), "".join(f"%{b:02x}" for b in cased.encode())):
            yield "URL encoded", quoted.lower().encode()
        yield "UTF-16", cased.encode("utf-16-le").lower()
        yield "UTF-16", cased.encode("utf-16-be").lower()
    bare = "".join(c for c in unicodedata.normalize("NFKD", small) if not unicodedata.combining(c))
    if bare != small:
        yield "without accents", bare.encode()
    yield "hexadecimal", text.encode().hex().encode()
    yield "hexadecimal", small.encode().hex().encode()
    yield "hexadecimal", text.upper().encode().hex().encode()


def in_base64(text: str) -> Iterator[bytes]:
    """What of a text stands in base64 whatever is before and behind it."""
    for written in {text, text.lower(), text.upper()}:
        for shift in range(3):
            data = b"\0" * shift + written.encode()
            whole = base64.b64encode(data)
            yield whole[0 if shift == 0 else 4 : len(data) // 3 * 4]


class Finder:
    """Looks for identifiers in bytes."""

    def __init__(self, planted: Mapping[tuple[str, str], str]) -> None:
        """`planted` are values by whose they are and what kind they are of."""
        small: dict[bytes, tuple[tuple[str, str], str]] = {}
        exact: dict[bytes, tuple[tuple[str, str], str]] = {}
        for name, value in planted.items():
            for text in spoken(name[1], value):
                for form, data in encoded(text):
                    if len(data) >= SHORTEST:
                        small.setdefault(data, (name, form))
                for data in in_base64(text):
                    if len(data) >= 2 * 4:
                        exact.setdefault(data, (name, "base64"))
        self._small, self._exact = list(small.values()), list(exact.values())
        self._texts = list(small)
        self._in_small, self._in_exact = BytesAhoCorasick(self._texts), BytesAhoCorasick(list(exact))

    def find(self, data: bytes) -> set[tuple[tuple[str, str], str]]:
        """Whose identifiers of what kinds stand there, and in what form."""
        low = data.lower()
        found = set()
        for number, start, end in self._in_small.find_matches_as_indexes(low, overlapping=True):
            if not self._texts[number].isdigit() or _alone(low, start, end):
                found.add(self._small[number])
        found |= {
            self._exact[number] for number, _, _ in self._in_exact.find_matches_as_indexes(data, overlapping=True)
        }
        return found


def _alone(data: bytes, start: int, end: int) -> bool:
    """Whether digits are no part of a longer number or word, as which they are chance."""
    around = data[max(start - 1, 0) : start] + data[end : end + 1]
    return not any(chr(byte).isalnum() for byte in around)


def several(finder: Finder, parts: Iterable[bytes]) -> set[tuple[tuple[str, str], str]]:
    """What is found in any of the parts."""
    found: set[tuple[tuple[str, str], str]] = set()
    for part in parts:
        found |= finder.find(part)
    return found
