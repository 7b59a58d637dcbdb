"""Titles by their words: the injury whose every content word stands in a clause, and codes by side."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from extractors.coding.shorthand import spelled
from extractors.coding.tables import table
from terminology.folding import fold

_EMPTY = frozenset(
    re.findall(
        r"\w+",
        "of the a an and or with without to at in on by for unspecified other part initial encounter not elsewhere "
        "classified level specified region joint nail damage temporomandibular area part side site nonvenomous bone",
    )
)
HEADS = (
    "burn",
    "open bite",
    "foreign body",
    "fracture",
    "laceration",
    "dislocation",
    "contusion",
    "abrasion",
    "sprain",
    "open wound",
    "puncture wound",
    "strain",
    "tear",
    "insect bite",
    "crushing injury",
    "corrosion",
)
_SAID_BY_SIDE = re.compile(r", (right|left) (?:eye|ear)\b")  # "of cornea, left eye"
_NAIL = re.compile(
    r"(?<!no )(?<!without )nail(?: ?bed)? (?:damage|injur|involv|(?:is |was )?(?:damaged|avulsed|lacerated))"
    r"|(?<!no )(?<!without )damage to (?:the )?nail"
)
_DEGREES = ("third", "second", "first")
_SIDE_NAMES = {"1": "right", "2": "left"}
_SIDES = re.compile(r"\b(right|left|bilateral)\b")
_OPEN = re.compile(r"\bunspecified\b")
Rarest = dict[str, list[tuple[int, str, tuple[str, ...]]]]
Injuries = dict[str, list[tuple[str, tuple[str, ...]]]]


def injuries(stems: Iterable[tuple[str, str]]) -> Injuries:
    """Head word → (stem, its content words), from (code, title) of the injury chapter's stems."""
    found: defaultdict[str, list[tuple[str, tuple[str, ...]]]] = defaultdict(list)
    stems = [(code, title.lower()) for code, title in stems]
    known = {title for _, title in stems}
    for code, low in stems:
        if low.startswith("other displaced ") and low.replace("other displaced", "unspecified", 1) in known:
            continue  # "displaced" is presumed, so that it would say more than the unspecified one
        for head in HEADS:
            if head in low or (head == "fracture" and "fractures" in low):
                if "with foreign body" in low:
                    continue
                found[head].append(
                    (
                        code,
                        _content(
                            _SAID_BY_SIDE.sub(
                                r" \1", low.replace("without foreign body", "").split(" without penetration")[0]
                            )
                        ),
                    )
                )
    for head, stem, words in own_injuries():
        found[head].append((stem, words))
    return dict(found)


def _content(text: str) -> tuple[str, ...]:
    text = text.replace("with damage to nail", "with nailhurt")
    return tuple(sorted({w for w in fold(text).split() if w not in _EMPTY}))


def own_injuries() -> list[tuple[str, str, tuple[str, ...]]]:
    """What clinicians call an injury, as (head word, stem, words), with the side's digit and word where it has one."""
    found = []
    for stem, digits, name in table("injuries")["names"]:
        head = next(h for h in HEADS if name.endswith(h))
        for digit in digits or ("",):
            side = _SIDE_NAMES.get(digit, "")
            found.append((head, stem + digit, _content(f"{side} {name}")))
    return found


def heads() -> dict[str, str]:
    """Word → head: the heads themselves, their plurals, and what else is said for them."""
    data: dict[str, str] = table("injuries")["said"]
    return {**{h: h for h in HEADS}, **{f"{h}s": h for h in HEADS}, "foreign bodies": "foreign body", **data}


def by_rarest(titles: Sequence[tuple[str, tuple[str, ...]]]) -> Rarest:
    """The titles of one head under the rarest of their words, without which none can match; each with its number."""
    common = Counter(word for _, needed in titles for word in needed)
    found: Rarest = defaultdict(list)
    for number, (code, needed) in enumerate(titles):
        found[min(needed, key=lambda word: common[word]) if needed else ""].append((number, code, needed))
    return found


def best_injury(index: Rarest, head: str, clause: str, said: str = "") -> str | None:
    """The stem with the most words in the clause, all of its words being there.

    Ties go to the words that stand there themselves, then to the shorter code.
    `said` is the word that stands for the head in the clause.
    """
    clause = spelled(clause)
    words = _said_words(head, clause, said or head)
    literal = frozenset(fold(clause).split())
    fitting = [
        (len(needed), len(literal.intersection(needed)), -len(code), -number, code)
        for word in words
        if word in index
        for number, code, needed in index[word]
        if words.issuperset(needed)
    ]
    best = max(fitting, default=None)
    return best[-1] if best and best[0] >= 2 else None


def _said_words(head: str, clause: str, said: str) -> set[str]:
    """The words of a clause, and those by which titles say the same."""
    data = table("injuries")
    words = set(fold(clause).split()) | set(head.split()) | set(data["adds"].get(said, "").split())
    low_back = "back" in words and not words.isdisjoint({"low", "lower"})
    for table_of_words in (data["means"], data.get(head, {})):
        words |= {means for word in words & table_of_words.keys() for means in table_of_words[word].split()}
    if head in ("burn", "corrosion") and (worst := next((d for d in _DEGREES if d in words), None)):
        words -= set(_DEGREES) - {worst}  # of one site the highest degree is coded (I.C.19.d.1)
    if head not in ("fracture", "burn", "dislocation"):
        for limb, (part, others) in data["limbs"].items():  # an arm is an upper arm, a leg a lower leg
            if re.search(rf"\b{limb}\b", clause) and words.isdisjoint(others.split()):
                words.add(part)
    if low_back:
        words -= {"wall", "thorax"}
    if "toe" in words and words & set(data["toes"]):
        words |= {"lesser", "toe", "s"}
    if "nondisplaced" not in words and "non" not in words:
        words.add("displaced")
    if _NAIL.search(clause):
        words.add("nailhurt")
    return words


def sides(displays: Mapping[str, str], billable: frozenset[str]) -> dict[str, dict[str, str]]:
    """Unspecified-side code → {side: code}, from titles that differ in nothing but the side."""
    groups: defaultdict[str, dict[str, str]] = defaultdict(dict)
    plain: list[tuple[str, str]] = []
    for code in sorted(billable):
        title = displays[code].lower()
        if len(code) == 8 and code[-1] not in "A":
            continue
        named = _SIDES.findall(title)
        if len(named) == 1:
            groups[_shape(code, _SIDES.sub("*", title))].setdefault(named[0], code)
        elif not named and "unspecified" in title:
            plain.append((code, title))
    found: dict[str, dict[str, str]] = {}
    for code, title in plain:
        for match in _OPEN.finditer(title):
            group = groups.get(_shape(code, f"{title[: match.start()]}*{title[match.end() :]}"))
            if group:
                found.setdefault(code, group)
    return found


def trimesters(displays: Mapping[str, str], billable: frozenset[str]) -> dict[str, list[str | None]]:
    """ "Unspecified trimester" code → the codes of the first, second and third."""
    titles = {t.lower(): c for c, t in displays.items() if c in billable and "trimester" in t}
    nth = ("first", "second", "third")
    return {
        code: [titles.get(title.replace("unspecified trimester", f"{n} trimester")) for n in nth]
        for title, code in titles.items()
        if "unspecified trimester" in title
    }


def _shape(code: str, title: str) -> str:
    return re.sub(r"s\b", "", title) + code[:3]
