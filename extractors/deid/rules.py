"""Identifiers by their shape and by the label before them: `data/rules.json`.

The eighteen kinds of 45 CFR 164.514(b)(2), but for faces and fingerprints; names are found by `names`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from extractors.deid.dates import find_dates
from extractors.deid.model import Kind, Mention
from extractors.deid.name_tokens import name_words, shouted_lines
from extractors.deid.vocabulary import Vocabulary, lists

_YEAR = re.compile(r"(?:19|20)\d\d")
_NDC = re.compile(r"\d{5}-\d{4}-\d{1,2}|\d{4}-\d{4}-\d{2}|\d{5}-\d{3}-\d{2}")
_CODED = re.compile(r"(?i)(?:snomed|sct|loinc|rxnorm|rxcui|ndc|icd|cpt|hcpcs)[\s\w:#=(-]{0,12}$")
_TIME = re.compile(r"\d{1,2}:\d{2}(?::\d{2})?")
_CAPITAL_RUN = (
    r"\b(?:St\.|Mt\.|[A-Z][\w'&-]{1,24})(?:[ \t]+(?:St\.|Mt\.|[A-Z&][\w'&-]{0,24}|of|and|the|for)){0,4}?[ \t]+"
)
_SAINTS = ("St", "Mt", "Mount", "Saint")
_WORD = re.compile(r"[\w']+")
_LOUD = re.compile(r"[^\W\d_]{3,}(?:['’][^\W\d_]+)?")
_MISREAD = re.compile(r"(?<![A-Za-z])[\dOolISL][\dOolISL/.() -]{4,18}[\dOolISL](?![A-Za-z])")
_READ = str.maketrans({"O": "0", "o": "0", "l": "1", "I": "1", "L": "1", "S": "5"})
_SAID = re.compile(r"(?i:\b(?:year|to|by|for|with|seen)\b)|\bold\b")
_BRACKETED = re.compile(r"\(((?:St\.[ ])?[A-Z][a-z'-]{2,24}(?:[ ][A-Z][a-z'-]{2,24})?)\)")
_TOWN = re.compile(r"[,\s]{1,3}((?:St\.[ ])?[A-Z][\w'-]{1,24}(?: [A-Z][\w'-]{1,24}){0,2})(?=[.,;\n]|$)")
_ZIP = re.compile(r"[,\s]{1,3}(\d{5}(?:-\d{4})?)(?!\d)")
_WHERE = re.compile(r"\b(?:[Ii]n|[Ff]rom|[Nn]ear|to|outside|of)[ \t]((?:St\.[ ])?[A-Z][a-z'-]{2,24})\b")
_WHERE_TWO = re.compile(
    r"\b(?:[Ii]n|[Nn]ear|outside)[ \t]([A-Z][a-z'-]{2,24}[ ][A-Z][a-z'-]{2,24})(?=[.,;)\n]|[ ][a-z])"
)
_TOWN_ZIP = re.compile(r"\b([A-Z][a-z'-]{2,24}),?[ ]{1,2}(\d{5}(?:-\d{4})?)(?=[ ]*(?:[\n.,;)|]|$))")
_PEOPLE = re.compile(r"(?:day|ese|ish|ian|ary|ber|[ij]an|n|ust|may|june|july|march|april)$")
_STATES = frozenset(
    [
        "alabama",
        "alaska",
        "arizona",
        "arkansas",
        "california",
        "colorado",
        "connecticut",
        "delaware",
        "florida",
        "georgia",
        "hawaii",
        "idaho",
        "illinois",
        "indiana",
        "iowa",
        "kansas",
        "kentucky",
        "louisiana",
        "maine",
        "maryland",
        "massachusetts",
        "michigan",
        "minnesota",
        "mississippi",
        "missouri",
        "montana",
        "nebraska",
        "nevada",
        "ohio",
        "oklahoma",
        "oregon",
        "pennsylvania",
        "tennessee",
        "texas",
        "utah",
        "vermont",
        "virginia",
        "washington",
        "wisconsin",
        "wyoming",
        "usa",
        "america",
        "us",
    ]
)


@dataclass(frozen=True, slots=True)
class Rule:
    """One shape. Of a match counts the group `it` where there is one, and `also` as a ZIP code."""

    kind: Kind
    pattern: re.Pattern[str]
    least: int
    not_year: bool
    not_ndc: bool
    digit: bool


@cache
def rules() -> tuple[Rule, ...]:
    """The rules, compiled once."""
    return tuple(
        Rule(
            rule["kind"],
            re.compile(rule["pattern"], 0 if rule.get("cased") else re.I),
            rule.get("least", 1),
            rule.get("not_year", False),
            rule.get("not_ndc", False),
            rule.get("digit", False),
        )
        for rule in _data()["rules"]
    )


@cache
def _data() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(files("extractors.deid").joinpath("data/rules.json").read_text("utf-8"))
    return found


@cache
def _facility() -> tuple[re.Pattern[str], frozenset[str]]:
    told = _data()["facility"]
    return re.compile(rf"({_CAPITAL_RUN}){told['ends']}"), frozenset(told["generic"])


@cache
def kinds_of_houses() -> frozenset[str]:
    """Words in the names of hospitals and firms that say what they are, and not which."""
    told = _data()["facility"]
    return _facility()[1] | frozenset(re.findall(r"[a-z]{3,}", f"{told['ends']} {told['weak']}".lower()))


@cache
def _firm() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Names whose last word says less, which count beside a word that is none; and where a house stands."""
    told = _data()["facility"]
    return re.compile(rf"({_CAPITAL_RUN}){told['weak']}"), re.compile(told["towns"])


def find_shapes(text: str, vocabulary: Vocabulary) -> list[Mention]:
    """What looks like an identifier; mentions may overlap."""
    found = [Mention(d.start, d.end, "date") for d in find_dates(text)]
    plain = _unshouted(text)
    for rule in rules():
        for match in rule.pattern.finditer(plain if rule.kind in ("address", "place") else text):
            found += _mentions(rule, match, text)
    if (read := _digits_read(text)) != text:
        found += [Mention(d.start, d.end, "date") for d in find_dates(read)]
        found += [m for r in rules() if r.kind in ("phone", "id") for f in r.pattern.finditer(read)
                  for m in _mentions(r, f, read)]  # fmt: skip
    streets = [m.end for m in found if m.kind == "address"]
    towns = [m for at in streets if (m := _TOWN.match(text, at))]
    found += [Mention(*m.span(1), "place") for m in towns]
    found += [Mention(*m.span(1), "zip") for town in towns if (m := _ZIP.match(text, town.end()))]
    places = list(_places(plain, vocabulary))
    found += [Mention(*m.span(1), "place") for p in places if (m := _BRACKETED.match(plain, p.end + 1))]
    return found + places + list(_towns(plain, vocabulary)) + list(_zips(plain, vocabulary))


def _unshouted(text: str) -> str:
    """The text with the words of lines in capitals begun by a capital only; every offset stays."""
    for start, end in shouted_lines(text):
        made = _LOUD.sub(lambda m: m[0][0] + m[0][1:].lower(), text[start:end])
        if len(made) == end - start:
            text = text[:start] + made + text[end:]
    return text


def _digits_read(text: str) -> str:
    """The text with letters that a scanner reads for digits put right where digits stand around; offsets stay."""
    return _MISREAD.sub(lambda m: m[0].translate(_READ) if sum(map(str.isdigit, m[0])) >= 4 else m[0], text)


def _mentions(rule: Rule, match: re.Match[str], text: str) -> Iterator[Mention]:
    groups = match.groupdict()
    start, end = match.span("it") if groups.get("it") else match.span()
    printed = text[start:end]
    if len(printed) < rule.least or (rule.not_year and _YEAR.fullmatch(printed)):
        return
    if rule.digit and not any(c.isdigit() for c in printed):
        return
    if rule.kind == "id" and (_NDC.fullmatch(printed) or _CODED.search(text, max(0, start - 30), start)):
        return
    if rule.kind == "address" and _SAID.search(printed):
        return  # SEEN BY DR
    if rule.kind == "ip" and _TIME.fullmatch(printed):
        return
    if rule.kind == "place" and printed.lower() in _STATES:
        return
    yield Mention(start, end, rule.kind)
    if groups.get("also"):
        yield Mention(*match.span("also"), "zip")


def _towns(text: str, vocabulary: Vocabulary) -> Iterator[Mention]:
    """Words that English writes with a capital only, after `in` or `from`; states, days and peoples are none."""
    for match in _WHERE_TWO.finditer(text):
        first, last = match[1].lower().split(" ")
        if (
            not (first in vocabulary.clinical and last in vocabulary.clinical)
            and last not in _facility()[1]
            and not first.endswith("ology")
        ):
            yield Mention(*match.span(1), "place")
    for match in _WHERE.finditer(text):
        low = match[1].lower()
        person = low in lists().given and text[match.start() : match.start() + 2].lower() != "in"
        known = (
            not person
            and (low in lists().proper or low in lists().given)
            and low not in lists().words
            and low not in _STATES
            and not _PEOPLE.search(low)
        )
        if known and low not in lists().eponyms:
            yield Mention(*match.span(1), "place")


def _places(text: str, vocabulary: Vocabulary) -> Iterator[Mention]:
    """Hospitals, practices, schools and firms: the words of a name that are no plain words of medicine."""
    pattern, generic = _facility()
    for match in pattern.finditer(text):
        every = words = [word for word in _WORD.finditer(text, *match.span(1)) if word[0][:1].isupper()]
        town = _firm()[1].match(text, match.end())
        while words and not _is_holy(words) and _is_plain(words[0][0], generic, vocabulary):
            words = words[1:]
        words = words or (every if town else [])  # Children's Hospital of Erie
        if words and text[words[0].start() :].startswith(words[0][0]):
            yield Mention(words[0].start(), town.end() if town else match.end(), "place")
    for match in _firm()[0].finditer(text):
        words = [word for word in _WORD.finditer(text, *match.span(1)) if word[0][0].isupper()]
        while words and (words[0][0].lower() in generic or words[0][0].lower() in name_words().services):
            words.pop(0)
        if len(words) > 1 or any(not vocabulary.is_word(word[0]) for word in words):
            yield Mention(words[0].start(), match.end(), "place")


def _zips(text: str, vocabulary: Vocabulary) -> Iterator[Mention]:
    """Five digits behind a word that is none, at the end of a line or a clause: a town and its ZIP code."""
    for match in _TOWN_ZIP.finditer(text):
        if not vocabulary.is_word(match[1]) or match[1].lower() in _STATES:
            yield Mention(*match.span(2), "zip")


def _is_holy(words: list[re.Match[str]]) -> bool:
    """Whether the name begins as those of saints do: St. Mary, Our Lady."""
    return words[0][0] in _SAINTS or (words[0][0] == "Our" and len(words) > 1 and words[1][0] in ("Lady", "Savior"))


def _is_plain(word: str, generic: frozenset[str], vocabulary: Vocabulary) -> bool:
    low = word.lower()
    return (
        low in generic
        or (low in vocabulary.clinical and low not in lists().family)
        or low.endswith(("ology", "atrics"))
    )
