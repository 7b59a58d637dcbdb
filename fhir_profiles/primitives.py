"""Whether a JSON value is a well-formed primitive of a FHIR type (https://hl7.org/fhir/R4/datatypes.html#primitive)."""

from __future__ import annotations

import binascii
import re
from calendar import monthrange
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any

Predicate = Callable[[Any], bool]

MAX_STRING = 1_048_576
MAX_INT = 2**31 - 1
MAX_EXPONENT = 300
"""Decimals beyond this size fit no double: what reads them next would make them infinite or zero."""

_HUGE = 10**MAX_EXPONENT

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_CODE = re.compile(r"[^\s]+( [^\s]+)*")
_SPACE = re.compile(r"\s")
_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_OID = re.compile(r"urn:oid:[0-2](\.(0|[1-9][0-9]*))+")
_UUID = re.compile(r"urn:uuid:[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_TIME = r"([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?"
_DATE = re.compile(r"(\d{4})(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?", re.ASCII)
_MOMENT = re.compile(
    rf"(\d{{4}})(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01])))T{_TIME}(Z|[+-]((0\d|1[0-3]):[0-5]\d|14:00))", re.ASCII
)
_CLOCK = re.compile(_TIME, re.ASCII)
_BLANK = str.maketrans("", "", " \t\r\n")


def _text(value: Any) -> bool:
    if type(value) is not str or not value or len(value) > MAX_STRING:
        return False
    return value.isprintable() or _CONTROL.search(value) is None


def _code(value: Any) -> bool:
    if type(value) is not str or not value:
        return False
    return (value.isprintable() and " " not in value) or _CODE.fullmatch(value) is not None


def _uri(value: Any) -> bool:
    if type(value) is not str or not value:
        return False
    return (value.isprintable() and " " not in value) or (
        _SPACE.search(value) is None and _CONTROL.search(value) is None
    )


def _matches(pattern: re.Pattern[str]) -> Predicate:
    def test(value: Any) -> bool:
        return type(value) is str and pattern.fullmatch(value) is not None

    return test


def _boolean(value: Any) -> bool:
    return value is True or value is False


def _between(low: int, high: int) -> Predicate:
    def test(value: Any) -> bool:
        return type(value) is int and low <= value <= high

    return test


def _decimal(value: Any) -> bool:
    kind = type(value)
    if kind is Decimal:
        return bool(-MAX_EXPONENT < value.adjusted() < MAX_EXPONENT)
    return (kind is int and abs(value) < _HUGE) or (kind is float and value - value == 0)


def _base64(value: Any) -> bool:
    if type(value) is not str or not value:
        return False
    return _is_base64(value) or (_SPACE.search(value) is not None and _is_base64(value.translate(_BLANK)))


def _is_base64(value: str) -> bool:
    try:
        return bool(binascii.a2b_base64(value, strict_mode=True))
    except ValueError:
        return False


@lru_cache(maxsize=16_384)
def _is_date(value: str) -> bool:
    found = _DATE.fullmatch(value)
    return found is not None and _exists(found[1], found[3], found[5])


@lru_cache(maxsize=16_384)
def _is_moment(value: str) -> bool:
    found = _MOMENT.fullmatch(value)
    return found is not None and _exists(found[1], found[3], found[5])


def _exists(year: str, month: str | None, day: str | None) -> bool:
    if year == "0000":
        return False
    return day is None or month is None or day < "29" or int(day) <= monthrange(int(year), int(month))[1]


def _date(value: Any) -> bool:
    return type(value) is str and _is_date(value)


def _date_time(value: Any) -> bool:
    return type(value) is str and (_is_moment(value) if len(value) > 10 else _is_date(value))


def _instant(value: Any) -> bool:
    return type(value) is str and _is_moment(value)


PREDICATES: Mapping[str, Predicate] = {
    "base64Binary": _base64,
    "boolean": _boolean,
    "canonical": _uri,
    "code": _code,
    "date": _date,
    "dateTime": _date_time,
    "decimal": _decimal,
    "id": _matches(_ID),
    "instant": _instant,
    "integer": _between(-(2**31), MAX_INT),
    "markdown": _text,
    "oid": _matches(_OID),
    "positiveInt": _between(1, MAX_INT),
    "string": _text,
    "time": _matches(_CLOCK),
    "unsignedInt": _between(0, MAX_INT),
    "uri": _uri,
    "url": _uri,
    "uuid": _matches(_UUID),
}

EXPECTED: Mapping[str, str] = {
    "base64Binary": "base64 text",
    "boolean": "true or false, without quotes",
    "canonical": "a URI without spaces",
    "code": "a code: no spaces at the ends and no double spaces",
    "date": "a real date: YYYY, YYYY-MM or YYYY-MM-DD",
    "dateTime": "a real date, or a date and time with seconds and a time zone",
    "decimal": "a number, without quotes, of a size below 1E300",
    "id": "1 to 64 letters, digits, '-' or '.'",
    "instant": "a real date and time with seconds and a time zone",
    "integer": "a whole number of 32 bits, without quotes",
    "markdown": "text that is not empty, without control characters, of 1 MB at most",
    "oid": "urn:oid: and a dotted number",
    "positiveInt": "a whole number from 1 to 2147483647, without quotes",
    "string": "text that is not empty, without control characters, of 1 MB at most",
    "time": "hh:mm:ss",
    "unsignedInt": "a whole number from 0 to 2147483647, without quotes",
    "uri": "a URI without spaces",
    "url": "a URL without spaces",
    "uuid": "urn:uuid: and a UUID",
}
