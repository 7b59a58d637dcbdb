"""Each field of two Patients compared, at levels from equal to different (Fellegi and Sunter, JASA 64:1183, 1969).

A field that one of them does not have says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from rapidfuzz.distance import JaroWinkler

from fhir_profiles.extract import normalise
from server.matching.names import is_nickname, sound

Json = Mapping[str, Any]

_CLOSE = 0.9
_NOT_LETTERS = re.compile(r"[^\w]+")


def compare(one: Json, other: Json) -> Iterator[tuple[str, str]]:
    """Field and level for every field that both have."""
    for field, comparison in _FIELDS.items():
        level = comparison(one, other)
        if level is not None:
            yield field, level


def _identifier(one: Json, other: Json) -> str | None:
    """Only identifiers of one system can differ; a person has many systems."""
    mine, theirs = _identifiers(one), _identifiers(other)
    if mine & theirs:
        return "equal"
    return "different" if {system for system, _ in mine} & {system for system, _ in theirs} else None


def _identifiers(patient: Json) -> set[tuple[str, str]]:
    given = patient.get("identifier", ())
    return {(i["system"], i["value"]) for i in given if i.get("system") and i.get("value") and i.get("use") != "old"}


def _family(one: Json, other: Json) -> str | None:
    return _best(_families(one), _families(other), _family_level, ("equal", "sounds", "close", "different"))


def _family_level(one: str, other: str) -> str:
    if one == other:
        return "equal"
    if sound(one) == sound(other):
        return "sounds"
    short, long = sorted((one, other), key=len)
    parts = len(short) > 2 and short in long.split()  # of a double name
    return "close" if parts or JaroWinkler.similarity(one, other) >= _CLOSE else "different"


def _given(one: Json, other: Json) -> str | None:
    levels = ("equal", "nickname", "close", "initial", "different")
    return _best(_givens(one), _givens(other), _given_level, levels)


def _given_level(one: str, other: str) -> str:
    if one == other:
        return "equal"
    if is_nickname(one, other):
        return "nickname"
    if one[0] == other[0] and min(len(one), len(other)) == 1:
        return "initial"
    return "close" if JaroWinkler.similarity(one, other) >= _CLOSE else "different"


def _birthdate(one: Json, other: Json) -> str | None:
    mine, theirs = one.get("birthDate"), other.get("birthDate")
    if not mine or not theirs:
        return None
    if mine == theirs:
        return "equal"
    first, second = mine.split("-"), theirs.split("-")
    if min(len(first), len(second)) < 3:
        shared = min(len(first), len(second))
        return "year" if first[:shared] == second[:shared] else "different"
    if first[0] == second[0] and (first[1], first[2]) == (second[2], second[1]):
        return "swapped"
    same = sum(a == b for a, b in zip(first, second, strict=True))
    if same == 2 or (same == 1 and sorted("".join(first)) == sorted("".join(second))):
        return "part"
    return "year" if first[0] == second[0] else "different"


def _gender(one: Json, other: Json) -> str | None:
    mine, theirs = one.get("gender"), other.get("gender")
    if not mine or not theirs or "unknown" in (mine, theirs):
        return None
    return "equal" if mine == theirs else "different"


def _postal(one: Json, other: Json) -> str | None:
    return _best(
        _postals(one), _postals(other), lambda a, b: "equal" if a == b else "different", ("equal", "different")
    )


def _address(one: Json, other: Json) -> str | None:
    def level(a: str, b: str) -> str:
        return "equal" if a == b else "close" if JaroWinkler.similarity(a, b) >= _CLOSE else "different"

    return _best(_lines(one), _lines(other), level, ("equal", "close", "different"))


def _telecom(one: Json, other: Json) -> str | None:
    mine, theirs = contacts(one), contacts(other)
    if not mine or not theirs:
        return None
    return "equal" if mine & theirs else "different"


def _best(mine: set[str], theirs: set[str], level: Any, order: tuple[str, ...]) -> str | None:
    """The best level of any pair."""
    found = {level(a, b) for a in mine for b in theirs}
    return next((name for name in order if name in found), None)


def _words(text: str) -> str:
    return " ".join(_NOT_LETTERS.sub(" ", normalise(text)).split())


def _families(patient: Json) -> set[str]:
    return {text for name in patient.get("name", ())[:5] if (text := _words(name.get("family", "")))}


def _givens(patient: Json) -> set[str]:
    return {
        text for name in patient.get("name", ())[:5] for given in name.get("given", ())[:1] if (text := _words(given))
    }


def _postals(patient: Json) -> set[str]:
    return {text for a in patient.get("address", ())[:5] if (text := _words(a.get("postalCode", ""))[:5])}


def _lines(patient: Json) -> set[str]:
    return {text for a in patient.get("address", ())[:5] if (text := _words(" ".join(a.get("line", ()))))}


def contacts(patient: Json) -> set[str]:
    """Telephone numbers as their last ten digits, the rest in lower case."""
    found = set()
    for one in patient.get("telecom", ())[:10]:
        value = one.get("value", "")
        digits = re.sub(r"\D", "", value)
        found.add(digits[-10:] if one.get("system") in ("phone", "sms", "fax") else normalise(value))
    return found - {""}


_FIELDS = {
    "identifier": _identifier,
    "family": _family,
    "given": _given,
    "birthdate": _birthdate,
    "gender": _gender,
    "postal": _postal,
    "address": _address,
    "telecom": _telecom,
}
