"""What words that stand together name, in whatever form and order: "renal cyst" as "cyst of kidney", "cecal tumour".

Two sources, by `data/composed.json`: the terms of the tables, each as the set of its words in one form; and a site
with a kind of growth or lesion, as the Table of Neoplasms and "Disease, by site" of the Alphabetic Index lay them out.
A side among the words leads to the code of the side.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

from extractors.coding.learned.model import COMPOSED, FORMED, SOURCES, Meaning
from extractors.coding.learned.words import UNSAID
from extractors.coding.lexicon import Lexicon
from extractors.coding.tables import table
from extractors.findings.normalise import BREAK, term
from extractors.model import Span
from fhir_profiles.systems import ICD10CM

FEWEST, MOST, LONGEST = 2, 4, 5  # words that name something; words of the text looked at together
MEANINGS = 2  # codes of one set of words
LINKS = frozenset(("of", "the", "a", "an", "in", "at", "to", "on", "his", "her"))
SIDES = {"right": "right", "left": "left", "bilateral": "bilateral", "both": "bilateral"}
EYES = {"re": "right", "od": "right", "le": "left", "oi": "left", "oe": "left"}
KINDS = ("primary", "secondary", "benign", "unspecified", "disease")
Meanings = tuple[Meaning, ...]


class Composed:
    """Sets of words, each with its codes; immutable."""

    def __init__(self, lexicon: Lexicon) -> None:
        data = table("composed")
        self._forms = {_one(word): _one(name) for name, words in data["forms"].items() for word in words}
        self._lexicon = lexicon
        self._codes: dict[str, Meanings] = {}
        self._add_terms()
        self._add_sites(data["kinds"], data["sites"])
        self._words = frozenset(word for key in self._codes for word in key.split()) | SIDES.keys()

    def __call__(self, text: str) -> Iterator[tuple[int, int, Meanings]]:
        """(start, end, meanings) of what is named in a text in normal form, overlapping places too."""
        known, codes = self._words, self._codes
        for words in self._clauses(text):
            for i in range(len(words) - 1):
                if words[i][0] not in known:
                    continue
                for j in range(i + 1, min(len(words), i + LONGEST)):
                    if words[j][0] not in known:
                        break
                    said = {word for word, _, _ in words[i : j + 1]}
                    meanings = codes.get(_key(said)) or self._sided(said)
                    if meanings:
                        yield words[i][1], words[j][2], meanings

    def _clauses(self, text: str) -> Iterator[list[tuple[str, int, int]]]:
        """The words of each clause in one form, with their places, blanks around them; links are left out."""
        forms, at = self._forms, 0
        words: list[tuple[str, int, int]] = []
        for word in text.split(" "):
            end = at + len(word)
            if word == BREAK:
                yield words
                words = []
            elif word in EYES:
                words += [(EYES[word], at - 1, end + 1), ("eye", at - 1, end + 1)]
            elif word and word not in LINKS:
                words.append((forms.get(word, word), at - 1, end + 1))
            at = end + 1
        yield words

    def _sided(self, said: set[str]) -> Meanings:
        """The codes of the side of what the other words name, where there is just one side among them."""
        sides = said & SIDES.keys()
        if len(sides) != 1:
            return ()
        side = SIDES[min(sides)]
        return tuple(
            m._replace(code=self._lexicon.sided(m.code, side) or m.code)
            for m in self._codes.get(_key(said - sides), ())
        )

    def _add_terms(self) -> None:
        """The terms that have a word of another form: the shortest give the codes."""
        forms, lexicon = self._forms, self._lexicon
        formed = forms.keys() | set(forms.values())
        growths = {self._form(word) for words in table("composed")["kinds"].values() for word in words}
        found: dict[str, list[tuple[int, bool, str]]] = {}
        for number, text in enumerate(lexicon.terms()):
            words = text.split()
            if formed.isdisjoint(words):
                continue
            said = {forms.get(w, w) for w in words if w not in UNSAID and not w.isdigit()}
            if not FEWEST <= len(said) <= MOST or said <= growths:
                continue
            for entry in lexicon.meanings(number):
                leaf = lexicon.leaf(entry.code) if entry.system == ICD10CM and entry.kind in SOURCES else None
                if leaf:
                    found.setdefault(_key(said), []).append((len(words), leaf != entry.code, leaf))
                    break
        for key, places in found.items():
            codes = dict.fromkeys(code for _, _, code in sorted(places))
            self._codes[key] = tuple(Meaning(code, 0, 0, FORMED) for code in list(codes)[:MEANINGS])

    def _add_sites(
        self, kinds: Mapping[str, Sequence[str]], sites: Sequence[tuple[Sequence[str], Sequence[str]]]
    ) -> None:
        """Each site with each word for a kind."""
        for names, codes in sites:
            for kind, code in zip(KINDS, codes, strict=True):
                own = Meaning(code, 0, 0, COMPOSED)
                for key in {_key(self._said(f"{name} {word}")) for name in names for word in kinds[kind]}:
                    others = self._codes.get(key, ())
                    if all(m.code != code for m in others):
                        self._codes[key] = (*others, own)

    def _form(self, word: str) -> str:
        return self._forms.get(_one(word), _one(word))

    def _said(self, phrase: str) -> set[str]:
        return {self._form(word) for word in term(phrase).split() if word not in LINKS}


def _one(word: str) -> str:
    return term(word).strip()


def _key(words: set[str]) -> str:
    return " ".join(sorted(words))


@lru_cache(maxsize=2)
def composed(lexicon: Lexicon) -> Composed:
    """What the terms of a lexicon compose; made at the first narrative."""
    return Composed(lexicon)


def places(lexicon: Lexicon, text: str) -> dict[str, tuple[Meanings, list[Span]]]:
    """What a text in normal form names by composed words: phrase → meanings, where it stands."""
    found: dict[str, tuple[Meanings, list[Span]]] = {}
    for start, end, meanings in composed(lexicon)(text):
        found.setdefault(" ".join(text[start:end].split()), (meanings, []))[1].append((start, end))
    return found
