"""Where known identifiers stand in a text: exact, in any case, misread by OCR, broken at a line's end, shortened."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator

from extractors.deid.dates import find_dates
from extractors.deid.model import Kind, Known, Mention, Name
from extractors.deid.nicknames import also_called
from extractors.deid.vocabulary import Vocabulary, lists

_ALIKE = {
    "o": "o0", "0": "0o", "q": "q9g", "l": "l1i|!", "1": "1li|!", "i": "il1|!", "s": "s5$", "5": "5s", "b": "b8",
    "8": "8b",
    "z": "z2", "2": "2z", "g": "g9q", "6": "6b", "9": "9g", "u": "uv", "v": "vu", "c": "ce", "e": "ec",
}  # fmt: skip
_PAIRS = {"m": "(?:m|rn|nn)", "w": "(?:w|vv)", "d": "(?:d|cl)"}
_BREAK = r"(?:[-\u00ad\u2010]?[ \t]*\n[ \t]*)?"  # of a word at the end of a line
_GAP = r"[\s,.\-_/*]{0,4}"
_BEFORE, _AFTER = r"(?<![a-z0-9])", r"(?![a-z0-9])"
_LONG_ENOUGH = 4  # letters: a shorter word is not read with misreadings, nor broken
_STATE_NEXT = re.compile(r",?\s{1,3}[A-Z]{2}\b")
_MONTHS = frozenset(
    [
        "jan",
        "feb",
        "mar",
        "apr",
        "may",
        "jun",
        "jul",
        "aug",
        "sep",
        "oct",
        "nov",
        "dec",
        "april",
        "june",
        "july",
        "august",
    ]
)
_STREET = (
    "(?:street|st|avenue|ave|av|road|rd|drive|dr|lane|ln|boulevard|blvd|court|ct|place|pl|terrace|ter|circle|cir|parkway"
    "|pkwy|highway|hwy|way|trail|square|sq)"
)
_PARTICLES = frozenset(
    [
        "van",
        "von",
        "der",
        "den",
        "de",
        "del",
        "la",
        "las",
        "los",
        "da",
        "di",
        "do",
        "dos",
        "el",
        "al",
        "bin",
        "ibn",
        "ter",
        "ten",
        "le",
        "du",
        "st",
        "san",
        "y",
        "e",
    ]
)


def folded(text: str) -> str:
    """The text in small letters without accents; each character keeps its place."""
    if text.isascii():
        return text.lower()
    return "".join(_plain(c) for c in text)


def _plain(c: str) -> str:
    base = unicodedata.normalize("NFKD", c)[:1].lower()[:1]
    return {"ø": "o", "ł": "l", "đ": "d", "’": "'", "ı": "i", "‐": "-", "‑": "-"}.get(base, base or c)


class Identifiers:
    """The identifiers of `known`, compiled once and found in many texts."""

    def __init__(self, known: Known, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._dates = frozenset(known.dates)
        self._exact: list[tuple[Kind, re.Pattern[str]]] = []
        self._names = tuple(_name_patterns(known.names))
        for kind, values in (("id", known.ids), ("phone", known.phones), ("email", known.emails),
                             ("address", known.lines), ("zip", known.zips)):  # fmt: skip
            for value in values:
                if (pattern := _PATTERNS[kind](folded(value))) is not None:
                    self._exact.append((kind, pattern))  # type: ignore[arg-type]
        self._cities = tuple((c, re.compile(_BEFORE + _word(folded(c)) + _AFTER)) for c in known.cities)

    def find(self, text: str) -> list[Mention]:
        """Every mention of a known identifier; they may overlap."""
        low = folded(text)
        found = [
            Mention(*m.span(), kind, True) for kind, p in self._exact for m in p.finditer(low) if m.end() > m.start()
        ]
        found += [
            Mention(*m.span(), "place", True)
            for c, p in self._cities
            for m in p.finditer(low)
            if self._city(text, m, c)
        ]
        if self._dates:
            found += [
                Mention(d.start, d.end, "date", True) for d in find_dates(text) if d.exact and d.day in self._dates
            ]
        return found + list(self._people(text, low))

    def _people(self, text: str, low: str) -> Iterator[Mention]:
        phrases: list[tuple[int, int]] | None = None
        for pattern, single in self._names:
            for match in pattern.finditer(low):
                start, end = match.span()
                if single:
                    if not self._surely(text[start:end], low[start:end], single):
                        continue
                    if single in _MONTHS and any(d.start <= start and end <= d.end for d in find_dates(text)):
                        continue
                    if self._vocabulary.is_word(single) or single in lists().eponyms:
                        phrases = list(self._vocabulary.phrases(text)) if phrases is None else phrases
                        if any(a <= start and end <= b for a, b in phrases):
                            continue  # White blood cells, Parkinson's disease
                elif text[end - 1].islower() and not low[end - 2].isalpha():
                    continue  # "Smith, a teacher" is not Smith, A.
                yield Mention(start, end, "name", True)

    def _surely(self, printed: str, low: str, form: str) -> bool:
        """Whether a token is the name, and not a word that reads like it."""
        if not self._vocabulary.is_word(low):
            return len(low) > 2 or printed[:1].isupper()
        return low == form and printed[:1].isupper()

    def _city(self, text: str, match: re.Match[str], city: str) -> bool:
        """Whether it is the city: with a capital, and with its state where it is a word too."""
        if not self._vocabulary.is_word(city):
            return text[match.start()].isupper()
        return _STATE_NEXT.match(text, match.end()) is not None


def _name_patterns(names: Iterable[Name]) -> Iterator[tuple[re.Pattern[str], str]]:
    """Patterns of folded text for each form of each name, and the form where it is one word alone."""
    singles: dict[str, None] = {}
    for name in names:
        family = folded(name.family)
        given = [folded(g).strip(".") for g in name.given]
        first = [form for g in given[:1] for form in (g, *sorted(also_called(g)))]
        for form in (*given[1:], *first, family, *re.split(r"[\s\-']+", family)):
            if len(form) >= 2 and form not in _PARTICLES:
                singles[form] = None
        if family and given:
            either = "|".join(_word(form) for form in first if form)
            some = "|".join(_word(g) for g in given)
            yield re.compile(rf"{_BEFORE}(?:{either}){_GAP}{_word(family)}{_AFTER}"), ""
            yield re.compile(rf"{_BEFORE}(?:{some}|{either})\s+(?:[a-z]\.?\s+){_word(family)}{_AFTER}"), ""
            yield re.compile(rf"{_BEFORE}{_word(family)}\s?,\s*(?:{either})(?:\s[a-z]\b\.?)?{_AFTER}"), ""
            yield re.compile(rf"{_BEFORE}{re.escape(given[0][:1])}\.\s?(?:[a-z]\.\s?)?{_word(family)}{_AFTER}"), ""
            yield re.compile(rf"{_BEFORE}{_word(family)},?\s{re.escape(given[0][:1])}\.?{_AFTER}"), ""
            yield re.compile(rf"{_BEFORE}{re.escape(given[0][:1])}\.\s?(?:[a-z]\.\s?)?{re.escape(family[:1])}\."), ""
    for form in singles:
        yield re.compile(rf"{_BEFORE}{_word(form)}{_AFTER}"), form


def _word(word: str) -> str:
    """A pattern for a word or several: misread, broken, with other gaps."""
    parts = re.split(r"[\s\-'.,]+", word.strip())
    return r"['\s,.\-]{0,3}(?:\n\s*)?".join(_letters(part) for part in parts if part)


def _letters(part: str) -> str:
    if len(part) < _LONG_ENOUGH:
        return re.escape(part)
    return _BREAK.join(_alike(c) for c in part)


def _alike(c: str) -> str:
    if c in _PAIRS:
        return _PAIRS[c]
    return "[" + re.escape(_ALIKE[c]) + "]" if c in _ALIKE else re.escape(c)


def _identifier(value: str) -> re.Pattern[str] | None:
    kept = [c for c in value if c.isalnum()]
    if len(kept) < _LONG_ENOUGH:
        return None
    return re.compile(_BEFORE + r"[\s.\-/]{0,2}".join(_alike(c) for c in kept) + _AFTER)


def _phone(value: str) -> re.Pattern[str] | None:
    digits = [c for c in value if c.isdigit()][-10:]
    if len(digits) < 7:
        return None
    return re.compile(
        r"(?<!\d)(?:\+?1[\s.\-]{0,2})?\(?" + r"[\s.\-()]{0,3}".join(_alike(d) for d in digits) + r"(?!\d)"
    )


def _email(value: str) -> re.Pattern[str]:
    local, _, domain = value.partition("@")
    return re.compile(re.escape(local) + r"\s?@\s?" + re.escape(domain))


def _line(value: str) -> re.Pattern[str]:
    """The street without its kind: `12 Elm St` is `12 Elm Street`."""
    words = value.replace(",", " ").replace(".", " ").split()
    kept = words[:-1] if len(words) > 2 and words[-1].isalpha() else words
    last = rf"(?:[\s,.]{{1,4}}{_STREET})?" if kept != words else ""
    return re.compile(_BEFORE + r"[\s,.]{1,4}".join(_letters(w) for w in kept) + last + _AFTER)


def _zip(value: str) -> re.Pattern[str]:
    return re.compile(r"(?<![\d.])" + re.escape(value[:5]) + r"(?:-\d{4})?(?![\d.])")


_PATTERNS = {"id": _identifier, "phone": _phone, "email": _email, "address": _line, "zip": _zip}
