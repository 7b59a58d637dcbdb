"""Read what somebody typed: which words it has, what they can mean, and which were misspelled."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property, reduce
from itertools import islice, product

from terminology.search.index import NOBODY, Index, Sets, both, either
from terminology.search.lay import LONGEST, Phrase, said_words, sayings
from terminology.search.order import Part
from terminology.search.spelling import corrections
from terminology.search.words import MOST_WORDS, as_written, bag, telling, words

MOST_READINGS = 48
"""Whole names that one text is tried as."""

MOST_RESPELLED = 6
"""Parts of a text up to which words that somebody has are taken for misspelled ones."""

_ROMAN = ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii")
_NUMBERED = frozenset(("type", "stage", "grade", "class", "group", "degree", "factor", "nerve", "phase", "category"))
_GLUED = re.compile(r"([a-z]+)(\d+[a-z]?)")
_LEAST_PART = 3


@dataclass(frozen=True, slots=True)
class Slot:
    """Words that belong together, and what else they can mean."""

    said: Phrase
    meanings: tuple[Phrase, ...] = ()
    unfinished: bool = False


@dataclass(frozen=True, slots=True)
class Levels:
    """Who has a slot: its words as they are; or what they mean; or a word that begins like the unfinished one."""

    plain: Sets
    meant: Sets
    begun: Sets


@dataclass
class Query:
    """A text, read. `corrected` says what was searched for instead of which word."""

    slots: list[Slot]
    corrected: dict[str, str] = field(default_factory=dict)

    def readings(self) -> Iterable[int]:
        """The bags of the whole names that the text may be, as it stands first."""
        choices = [(slot.said, *(m for m in slot.meanings if not _open(m))) for slot in self.slots]
        for chosen in islice(product(*choices), MOST_READINGS):
            yield bag([word for phrase in chosen for word in phrase])

    @property
    def wordy(self) -> bool:
        """Whether it has, or means, several words, so that names can answer it better or worse."""
        return len(self.slots) > 1 or any(len(m) > 1 for slot in self.slots for m in (slot.said, *slot.meanings))

    @cached_property
    def parts(self) -> list[Part]:
        """What answers each slot."""
        found = []
        for slot in self.slots:
            wanted = [*slot.said, *(w for m in slot.meanings for w in m)]
            starts = [w[:-1] for w in wanted if w.endswith("*")]
            if slot.unfinished:
                starts.append(slot.said[-1])
            found.append(Part(frozenset(wanted), tuple(starts)))
        return found


def _open(meaning: Phrase) -> bool:
    return any(word.endswith("*") for word in meaning)


def read(index: Index, text: str) -> Query:
    """What a text asks for; without words it asks for nothing."""
    unfinished = bool(text) and (text[-1].isalnum())
    tokens = telling(words(text))[:MOST_WORDS]
    if not tokens:
        return Query([])
    corrected: dict[str, str] = {}
    spelled: list[str] = []
    written = as_written(text)
    for i, token in enumerate(tokens):
        last = unfinished and i == len(tokens) - 1
        if _known(index, token, last=last):
            spelled.append(token)
        elif parts := _parts(index, token):
            spelled += parts
        elif better := _better(index, token, written.get(token, token), tokens, last=last):
            corrected[written.get(token, token)] = better
            spelled.append(better)
        else:
            spelled.append(token)
    return Query(list(_slots(index, spelled, unfinished=unfinished)), corrected)


def respelled(index: Index, query: Query) -> Iterable[tuple[int, Query]]:
    """The text with one word, which nothing has together with the others, spelled as a near one; its place."""
    slots = query.slots
    for i, slot in enumerate(slots if 1 < len(slots) <= MOST_RESPELLED else ()):
        if len(slot.said) > 1:
            continue
        for near in corrections(index, slot.said[0], unfinished=False):
            other = Slot((near,), _meanings(index, (near,), ""))
            yield i, Query([*slots[:i], other, *slots[i + 1 :]], {**query.corrected, slot.said[0]: near})


def levels(index: Index, slot: Slot) -> Levels:
    """Who has a slot, from the plainest to the widest."""
    plain = reduce(both, (index.word(word) or NOBODY for word in slot.said))
    meant = reduce(either, (_all(index, m) for m in slot.meanings), plain)
    own = len(slot.said) == 1 or slot.said in sayings()  # a saying is not taken word by word: sugar diabetes
    alone = [index.word(word) or NOBODY if own else _alone(index, word) for word in slot.said]
    if slot.unfinished:
        alone[-1] = either(alone[-1], index.beginning(slot.said[-1]) or NOBODY)
    return Levels(plain, meant, either(meant, reduce(both, alone)))


def _all(index: Index, phrase: Phrase) -> Sets:
    return reduce(both, (_one(index, word) for word in phrase))


def _one(index: Index, word: str) -> Sets:
    return (index.beginning(word[:-1]) if word.endswith("*") else index.word(word)) or NOBODY


def _alone(index: Index, word: str) -> Sets:
    meanings = (_all(index, m) for m in sayings().get((word,), ()))
    return reduce(either, meanings, index.word(word) or NOBODY)


def _slots(index: Index, tokens: list[str], *, unfinished: bool) -> Iterable[Slot]:
    at = 0
    while at < len(tokens):
        for end in range(min(len(tokens), at + LONGEST), at, -1):
            said = tuple(tokens[at:end])
            meanings = _meanings(index, said, tokens[at - 1] if at else "")
            if meanings or end == at + 1:
                open_end = _begins(index, said[-1]) if end < len(tokens) or not unfinished else True
                yield Slot(said, meanings, open_end)
                at = end
                break


def _meanings(index: Index, said: Phrase, before: str) -> tuple[Phrase, ...]:
    found = list(sayings().get(said, ()))
    if len(said) in (2, 3):
        joined = "".join(said)
        found += sayings().get((joined,), ())
        if index.has(joined):
            found.append((joined,))
    elif len(said) == 1:
        found += [(other,) for other in _numbers(said[0], before)]
        word = said[0]
        other = word[:-1] if word.endswith("s") else word + "s"
        if len(word) >= _LEAST_PART and index.has(other):
            found.append((other,))
    return tuple(dict.fromkeys(found))


def _numbers(word: str, before: str) -> list[str]:
    """A number in the other writing; I, V and X only where a number is due."""
    if word in _ROMAN:
        return [str(_ROMAN.index(word) + 1)] if len(word) > 1 or before in _NUMBERED else []
    if word.isdigit() and word.isascii() and 0 < int(word[:3]) <= len(_ROMAN):
        return [_ROMAN[int(word[:3]) - 1]]
    return []


def _known(index: Index, word: str, *, last: bool) -> bool:
    if index.has(word) or word in said_words() or word in _ROMAN or _begins(index, word):
        return True
    if last and any(said.startswith(word) for said in said_words()):
        return True
    return word.endswith("s") and index.has(word[:-1])


def _begins(index: Index, word: str) -> bool:
    """Whether a word that nobody has is the beginning of one."""
    return len(word) >= _LEAST_PART and index.has_beginning(word) and not index.has(word) and word not in said_words()


def _parts(index: Index, word: str) -> list[str]:
    """Words that were written as one: ckd3, kneepain."""
    glued = _GLUED.fullmatch(word)
    if glued:
        parts = [glued[1], glued[2]]
        return parts if all(_known(index, p, last=False) for p in parts) else []
    cuts = range(_LEAST_PART + 1, len(word) - _LEAST_PART)
    halves = ((word[:n], word[n:]) for n in cuts)
    known = [pair for pair in halves if all(_known(index, p, last=False) for p in pair)]
    return list(max(known, key=lambda pair: min(map(len, pair)))) if known else []


def _better(index: Index, word: str, written: str, tokens: list[str], *, last: bool) -> str | None:
    """The nearest word; among equally near ones the one that most concepts have together with the other words.

    What was `written` has its ending still, which may be no plural.
    """
    near = corrections(index, written, unfinished=last) or corrections(index, word, unfinished=last)
    if len(near) < 2:
        return near[0] if near else None
    others = -1
    for token in tokens:
        if token != word:
            some = _alone(index, token).above
            others &= some or -1
    return max(near, key=lambda w: ((_alone(index, w).above & others).bit_count(), _alone(index, w).title.bit_count()))
