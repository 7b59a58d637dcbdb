"""Stand-ins of the same type and shape, the map between the two, and the way back.

Names keep sex and origin, digits keep their number behind a reserved head, dates move by one number of days for each
patient, ages end at 90. A stand-in is no word of the text, of medicine or of anybody who is known. The same key and
patient give the same stand-ins.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

import msgspec

from extractors.deid.dates import find_dates, shift
from extractors.deid.identify import folded
from extractors.deid.model import Known, Mention
from extractors.deid.nicknames import also_called
from extractors.deid.rules import kinds_of_houses
from extractors.deid.vocabulary import Vocabulary, lists
from fhir_profiles.systems import DEIDENTIFIED

HEAD = "90"  # digits of a stand-in begin with it where four or more follow
_WORD = re.compile(r"[^\W\d_]+")
_DIGIT_RUN = re.compile(r"\d+")
_KEPT = frozenset(
    [
        "street",
        "st",
        "avenue",
        "ave",
        "av",
        "road",
        "rd",
        "drive",
        "dr",
        "lane",
        "ln",
        "boulevard",
        "blvd",
        "court",
        "ct",
        "place",
        "pl",
        "terrace",
        "circle",
        "parkway",
        "pkwy",
        "way",
        "apt",
        "apartment",
        "unit",
        "suite",
        "ste",
        "floor",
        "po",
        "box",
        "north",
        "south",
        "east",
        "west",
        "n",
        "s",
        "e",
        "w",
        "ne",
        "nw",
        "se",
        "sw",
        "hospital",
        "clinic",
        "medical",
        "center",
        "centre",
        "group",
        "general",
        "regional",
        "memorial",
        "health",
        "system",
        "infirmary",
        "nursing",
        "home",
        "rehabilitation",
        "hospice",
        "pharmacy",
        "family",
        "medicine",
        "associates",
        "physicians",
        "practice",
        "elementary",
        "high",
        "school",
        "college",
        "university",
        "church",
        "county",
        "the",
        "of",
        "and",
        "mrn",
        "mr",
        "no",
        "id",
        "st.",
        "inc",
        "llc",
        "corp",
        "x",
        "ext",
        "extension",
        "t",
        "z",
        "th",
        "nd",
        "rd",
    ]
)


class Seen(msgspec.Struct, frozen=True):
    """A pair of the map: what stood in the text, and what left."""

    original: str
    surrogate: str
    kind: str


@dataclass
class Map:
    """What was replaced by what, for one patient: it stays on our side. `days` is how far dates move."""

    patient: str
    days: int
    pairs: dict[str, Seen] = field(default_factory=dict)  # by surrogate, folded
    _used: dict[tuple[str, str], str] = field(default_factory=dict)


def new_map(key: bytes, patient: str) -> Map:
    """An empty map; its dates move 30 to 52 whole weeks back, so that no other day becomes the day of birth."""
    drawn = int.from_bytes(_digest(key, patient, "days")[:4])
    return Map(patient, -7 * (30 + drawn % 23))


class Surrogates:
    """Stand-ins for the mentions of one text, entered into a map."""

    def __init__(self, key: bytes, known: Known, kept: Map, vocabulary: Vocabulary, text: str) -> None:
        self._key, self._map, self._vocabulary = key, kept, vocabulary
        people = " ".join(f"{name.family} {' '.join(name.given)}" for name in known.names)
        self._taken = {folded(word) for word in _WORD.findall(f"{text} {people} {' '.join(known.cities)}")}
        self._runs = set(_DIGIT_RUN.findall(text)) | {
            "".join(filter(str.isdigit, v)) for v in (*known.ids, *known.phones)
        }
        self._sexes = {folded(given): name.sex for name in known.names for given in name.given if name.sex}

    def of(self, mention: Mention, text: str) -> str:
        """The stand-in of a mention."""
        printed = text[mention.start : mention.end]
        surrogate = self._made(mention, printed)
        self._map.pairs.setdefault(normal(surrogate), Seen(printed, surrogate, mention.kind))
        return surrogate

    def _made(self, mention: Mention, printed: str) -> str:
        match mention.kind:
            case "date":
                return "".join(self._moved(printed)) or self._digits(printed)
            case "age":
                return "90" if printed.isdigit() else "ninety"
            case "name":
                return self._words(printed, self._name)
            case "place" | "address":
                return self._digits(self._words(printed, self._place))
            case "email":
                return f"{self._digits(self._words(printed.partition('@')[0], self._place))}@example.invalid"
            case "url":
                return f"{DEIDENTIFIED}/{_digest(self._key, self._map.patient, printed).hex()[:8]}"
            case "ip":
                return f"192.0.2.{_digest(self._key, self._map.patient, printed)[0]}"
            case "phone":
                return self._digits(printed, "555")
            case "zip":
                return self._digits(printed, "00")
            case _:
                return self._digits(self._letters(printed))

    def _moved(self, printed: str) -> str:
        found = find_dates(printed) or find_dates(f"on {printed}")
        lead = 0 if find_dates(printed) else 3
        if not found:
            return ""
        source = printed if not lead else f"on {printed}"
        first = found[0]
        return source[lead : first.start] + shift(source, first, self._map.days) + source[first.end :]

    def _words(self, printed: str, of: Callable[[str], str]) -> str:
        return _WORD.sub(lambda m: _cased(m[0], of(folded(m[0]))) if len(m[0]) > 1 else self._initial(m[0]), printed)

    def _initial(self, letter: str) -> str:
        """A single letter, which of itself says little, becomes another."""
        drawn = _digest(self._key, self._map.patient, f"initial {letter.lower()}")[0]
        other = "bcdfghjklmnprstvw"[drawn % 17]
        return other.upper() if letter.isupper() else letter

    def _name(self, word: str) -> str:
        if word in lists().given or word in self._sexes:
            sex = self._sexes.get(word) or lists().given.get(word, "")
            for full in sorted(also_called(word)):  # Bill and William stay one person's names
                if (found := self._map._used.get(("given", full))) is not None:
                    return found
            return self._pick("given", word, _given(sex or "fm"))
        return self._pick("family", word, _families(lists().family.get(word, "")))

    def _place(self, word: str) -> str:
        known = word in _KEPT or word in kinds_of_houses()
        return word if known else self._pick("family", word, _families(""))

    def _pick(self, kind: str, word: str, candidates: Sequence[str]) -> str:
        used = self._map._used
        if (kind, word) in used:
            return used[kind, word]
        others = {normal(pair.surrogate) for pair in self._map.pairs.values()} | set(used.values())
        for n in range(1000):
            drawn = int.from_bytes(_digest(self._key, self._map.patient, f"{kind} {word} {n}")[:4])
            found = candidates[drawn % len(candidates)]
            if found not in self._taken and found not in others and not self._vocabulary.is_word(found):
                break
        used[kind, word] = found
        return found

    def _letters(self, printed: str) -> str:
        def other(match: re.Match[str]) -> str:
            if match[0].lower() in _KEPT or len(match[0]) <= 3:
                return match[0]  # a prefix of a system, which names nobody
            drawn = _digest(self._key, self._map.patient, f"letters {match[0].lower()}")
            made = "".join("BCDFGHJKLMNPRSTVWXZ"[d % 19] for d in drawn[: len(match[0])])
            return made if match[0].isupper() else made.lower()

        return _WORD.sub(other, printed)

    def _digits(self, printed: str, head: str = HEAD) -> str:
        """Other digits in the same places, behind the head where there is room."""
        count = sum(c.isdigit() for c in printed)
        if not count:
            return printed
        bare = "".join(c for c in printed if c.isdigit())
        for n in range(100):
            drawn = _digest(self._key, self._map.patient, f"digits {bare} {n}")
            stream = (head if count >= len(head) + 2 else "") + "".join(str(d % 10) for d in (*drawn, *drawn))
            if stream[:count] not in self._runs and stream[:count] != bare:
                break
        digits = iter(stream[:count])
        return "".join(next(digits) if c.isdigit() else c for c in printed)


@cache
def _families(group: str) -> tuple[str, ...]:
    """Family names to draw from: borne often, and no word."""
    listed = lists()
    common = [n for n, g in listed.family.items() if g == group and len(n) > 3][:6000]
    return tuple(n for n in common if n not in listed.words and n not in listed.given and n not in listed.eponyms)


@cache
def _given(sex: str) -> tuple[str, ...]:
    listed = lists()
    plain = (n for n, s in listed.given.items() if (s == sex or sex == "fm") and len(n) > 3 and n not in listed.words)
    return tuple(n for n in plain if n not in listed.proper or n not in listed.eponyms)[:900]


def _cased(printed: str, made: str) -> str:
    return made.upper() if printed.isupper() else made if printed.islower() else made.capitalize()


def normal(text: str) -> str:
    """The form in which a stand-in is known again: no case, no break, no possessive, single blanks."""
    joined = re.sub(r"(?<=\w)[-\u00ad]\s*\n\s*(?=\w)", "", text)
    return " ".join(re.sub(r"['’]s\b", "", folded(joined)).split())


def _digest(key: bytes, patient: str, what: str) -> bytes:
    return hmac.new(key, f"{patient}\0{what}".encode(), hashlib.sha256).digest()


def by_word(kept: Map) -> Mapping[str, str]:
    """The words of names in the map, stand-in → original: a paraphrase may take a name apart."""
    found: dict[str, str] = {}
    for pair in kept.pairs.values():
        if pair.kind == "name":
            ours, theirs = _WORD.findall(pair.original), _WORD.findall(pair.surrogate)
            if len(ours) == len(theirs):
                found.update({normal(t): o for t, o in zip(theirs, ours, strict=True) if len(t) > 1})
    return found
