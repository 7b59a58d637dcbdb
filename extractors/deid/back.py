"""The way back: stand-ins in an answer become what they stood for; what nobody sent is flagged."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from extractors.deid.find import find_identifiers
from extractors.deid.identify import folded
from extractors.deid.model import Mention
from extractors.deid.surrogates import Map, by_word
from extractors.deid.text import Clean, Road
from extractors.deid.vocabulary import Vocabulary
from extractors.model import Span

_SHORTEST = 4  # characters: a shorter stand-in is no sure sign


@dataclass(frozen=True, slots=True)
class Returned:
    """An answer in our words; `unknown` are spans of it that look like somebody whom nobody sent."""

    text: str
    unknown: tuple[Mention, ...]


def map_back(answer: str, road: Road, vocabulary: Vocabulary) -> Returned:
    """The answer with the original words; stand-ins are known in any case, broken at a hyphen, or possessive."""
    text, known = restored(answer, road.map)
    mentions = find_identifiers(text, road.identifiers, vocabulary)
    strange = (m for m in mentions if not any(a < m.end and m.start < b for a, b in known))
    return Returned(text, tuple(m for m in strange if m.kind != "age" and not m.known))


def restored(answer: str, kept: Map) -> tuple[str, list[Span]]:
    """The answer with the originals of a map, and where they stand in it."""
    out: list[str] = []
    known: list[Span] = []
    at = length = 0
    for start, end, original in _found(answer, kept):
        out += (answer[at:start], original)
        length += start - at
        known.append((length, length + len(original)))
        length += len(original)
        at = end
    return "".join((*out, answer[at:])), known


def _found(answer: str, kept: Map) -> Iterator[tuple[int, int, str]]:
    originals = {key: seen.original for key, seen in kept.pairs.items() if seen.kind != "age" and len(key) >= _SHORTEST}
    originals |= {word: o for word, o in by_word(kept).items() if len(word) >= _SHORTEST and word not in originals}
    if not originals:
        return
    taken = 0
    for match in _pattern(tuple(sorted(originals, key=len, reverse=True))).finditer(folded(answer)):
        key = _normal_key(match[0])
        if match.start() >= taken and key in originals:
            yield match.start(), match.end(), _like(originals[key], answer[match.start() : match.end()])
            taken = match.end()


@lru_cache(maxsize=64)
def _pattern(keys: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(rf"(?<!\w){_loose(key)}(?!\w)" for key in keys))


def _loose(key: str) -> str:
    """A stand-in with a break at any letter, any white space between words."""
    return r"(?:['’]s)?\s+".join(r"(?:-\s*\n\s*)?".join(re.escape(c) for c in word) for word in key.split(" "))


def _normal_key(found: str) -> str:
    joined = re.sub(r"-\s*\n\s*", "", found) if "\n" in found else found
    return " ".join(re.sub(r"['’]s\b", "", joined).split())


def _like(original: str, printed: str) -> str:
    """The original in the case of the answer, where that is all capitals and a name."""
    return original.upper() if printed.isupper() and original.replace(" ", "").isalpha() else original


def find_quote(clean: Clean, quote: str) -> Span | None:
    """Where a quotation of the cleaned text stands in the original: exact, else with any case and blanks; else None."""
    wanted = quote.strip().strip("\"'").strip()
    if len(wanted) < 3:
        return None
    start = clean.text.find(wanted)
    if start >= 0:
        return clean.to_original(start, start + len(wanted))
    loose = re.compile(r"[\s-]+".join(re.escape(word) for word in re.split(r"[\s-]+", folded(wanted)) if word))
    match = loose.search(folded(clean.text))
    return clean.to_original(*match.span()) if match else None
