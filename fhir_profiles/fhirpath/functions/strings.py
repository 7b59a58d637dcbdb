"""Text (http://hl7.org/fhirpath/N1/#string-manipulation)."""

from __future__ import annotations

import base64
import binascii
import html
import json
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import re2

from fhir_profiles.fhirpath.context import MAX_TEXT, Context, Items, Step, single
from fhir_profiles.fhirpath.errors import PathError, TooCostly
from fhir_profiles.fhirpath.functions.table import argument, table
from fhir_profiles.fhirpath.operators import integer, text

MAX_PATTERN = 2_000
_SHORT = 100

_GROUP = re.compile(r"\$\{?(\d+)\}?")

_JSON_ESCAPE = re.compile(r"(?:\\u[0-9a-fA-F]{4})+|\\[\\\"/bfnrt]")


def _simple(call: Callable[[str], Any]) -> Callable[[Context, Items], Items]:
    """A function of the text alone."""

    def apply(_context: Context, focus: Items) -> Items:
        value = text(single(focus))
        return [] if value is None else [call(value)]

    return apply


def _with(call: Callable[[str, str], Any]) -> Callable[[Context, Items, Step], Items]:
    """A function of the text and one more."""

    def apply(context: Context, focus: Items, other: Step) -> Items:
        value, more = text(single(focus)), text(argument(context, other))
        return [] if value is None or more is None else [call(value, more)]

    return apply


def _with_two(call: Callable[[str, str, str], str]) -> Callable[[Context, Items, Step, Step], Items]:
    def apply(context: Context, focus: Items, first: Step, second: Step) -> Items:
        value, one, two = text(single(focus)), text(argument(context, first)), text(argument(context, second))
        if value is None or one is None or two is None:
            return []
        if (len(value) + 1) * (len(two) + 1) > MAX_TEXT and len(one) * 4 < len(two):
            raise TooCostly("a text grows too long.")
        return [call(value, one, two)]

    return apply


def _substring(context: Context, focus: Items, start: Step, length: Step | None = None) -> Items:
    value, first = text(single(focus)), integer(argument(context, start))
    if value is None or first is None or not 0 <= first < len(value):
        return []
    size = None if length is None else integer(argument(context, length))
    return [value[first:] if size is None else value[first : first + max(size, 0)]]


def _to_chars(_context: Context, focus: Items) -> Items:
    return list(text(single(focus)) or "")


def _split(context: Context, focus: Items, separator: Step) -> Items:
    value, by = text(single(focus)), text(argument(context, separator))
    if value is None or by is None:
        return []
    return value.split(by) if by else list(value)


def _join(context: Context, focus: Items, separator: Step | None = None) -> Items:
    by = "" if separator is None else text(argument(context, separator)) or ""
    texts = [t for t in (text(item) for item in focus) if t is not None]
    if sum(map(len, texts)) + len(by) * len(texts) > MAX_TEXT:
        raise TooCostly("a text grows too long.")
    return [by.join(texts)]


def _options() -> Any:
    options = re2.Options()
    options.dot_nl = True
    options.log_errors = False
    options.max_mem = 4_194_304
    return options


@lru_cache(maxsize=512)
def _pattern(source: str) -> Any:
    """The pattern, for an engine that never backtracks: its time grows with the text alone."""
    if len(source) > MAX_PATTERN:
        raise TooCostly(f"a pattern is longer than {MAX_PATTERN} characters.")
    try:
        return re2.compile(source, options=_options())
    except re2.error:
        raise PathError("a pattern is no regular expression, or looks ahead, behind or back.") from None


def _matches(value: str, pattern: str) -> bool:
    return _found(value, pattern) if len(value) < _SHORT else _pattern(pattern).search(value) is not None


@lru_cache(maxsize=8_192)
def _found(value: str, pattern: str) -> bool:
    """Whether the pattern is in a short text: the paths and codes of definitions come again and again."""
    return _pattern(pattern).search(value) is not None


def _matches_full(value: str, pattern: str) -> bool:
    return _pattern(pattern).fullmatch(value) is not None


def _replace_matches(value: str, pattern: str, by: str) -> str:
    """`$1` and `${1}` in the replacement stand for what a group has matched."""
    if not pattern:
        return value

    def group(found: Any, name: re.Match[str]) -> str:
        try:
            return str(found.group(int(name[1])) or "")
        except IndexError:
            raise PathError("a replacement names a group that the pattern does not have.") from None

    def one(found: Any) -> str:
        return _GROUP.sub(lambda name: group(found, name), by) if "$" in by else by

    return str(_pattern(pattern).sub(one, value))


def _encode(value: str, form: str) -> str:
    raw = value.encode()
    match form:
        case "hex":
            return raw.hex()
        case "base64":
            return base64.b64encode(raw).decode()
        case "urlbase64":
            return base64.urlsafe_b64encode(raw).decode()
    raise PathError("encode() knows hex, base64 and urlbase64.")


def _decode(value: str, form: str) -> str:
    try:
        match form:
            case "hex":
                return bytes.fromhex(value).decode()
            case "base64":
                return base64.b64decode(value, validate=True).decode()
            case "urlbase64":
                return base64.urlsafe_b64decode(value).decode()
    except (ValueError, binascii.Error):
        raise PathError("the text cannot be decoded.") from None
    raise PathError("decode() knows hex, base64 and urlbase64.")


def _escape(value: str, target: str) -> str:
    if target == "html":
        return html.escape(value)
    if target == "json":
        return json.dumps(value, ensure_ascii=False)[1:-1]
    raise PathError("escape() knows html and json.")


def _unescape(value: str, target: str) -> str:
    if target == "html":
        return html.unescape(value)
    if target != "json":
        raise PathError("unescape() knows html and json.")
    return _JSON_ESCAPE.sub(lambda found: str(json.loads(f'"{found[0]}"')), value)


FUNCTIONS = table(
    indexOf=_with(str.find),
    lastIndexOf=_with(str.rfind),
    substring=_substring,
    startsWith=_with(str.startswith),
    endsWith=_with(str.endswith),
    contains=_with(str.__contains__),
    upper=_simple(str.upper),
    lower=_simple(str.lower),
    trim=_simple(str.strip),
    length=_simple(len),
    toChars=_to_chars,
    split=_split,
    join=_join,
    replace=_with_two(str.replace),
    matches=_with(_matches),
    matchesFull=_with(_matches_full),
    replaceMatches=_with_two(_replace_matches),
    encode=_with(_encode),
    decode=_with(_decode),
    escape=_with(_escape),
    unescape=_with(_unescape),
)
