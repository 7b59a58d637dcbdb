"""Read the ICD-10-CM Alphabetic Index, its tables of neoplasms and of drugs, and the index of external causes.

Each entry becomes a name of the code it points to: the terms from the main term down, with and without the modifiers in
parentheses that change no code. An entry that only says `see` is followed where that leads to one other entry.
https://www.cdc.gov/nchs/icd/icd-10-cm/files.html
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from lxml import etree

from terminology.importers.given import Member
from terminology.importers.xml import refuse_at
from terminology.source import Name

ROOT = "ICD10CM.index"
MAX_DEPTH = 30
"""Levels of terms; the official index has nine."""

MAX_TEXT = 1000
"""Characters of a title or a reference; the longest official one has a fifth of that."""

_CODE = re.compile(r"([A-Z][0-9A-Z]{2}(?:\.[0-9A-Z]{1,4})?)\.?-*(?:\s*\[[^]]*\])?")
_RANGE = re.compile(r"[A-Z][0-9A-Z.]{2,7}-[A-Z][0-9A-Z.]{2,7}")
_TEXTS = frozenset(("title", "see", "seeAlso", "code", "cell"))
_FOLLOWED = 3
"""Entries that one `see` leads over."""


@dataclass(slots=True)
class Entry:
    """A term: `plain` without the modifiers that change no code, `full` with them."""

    plain: str
    full: str
    code: str | None = None
    see: str | None = None
    children: list[Entry] = field(default_factory=list)
    cells: list[tuple[str, str]] = field(default_factory=list)  # heading of the column, code


def read_entries(member: Member, root: etree._Element) -> list[Entry]:
    """The main terms of one file; refused at the first element that is damaged."""
    heads = {head.get("col", ""): _plain(head) for head in root.iterfind("indexHeading/head")}
    mains = [
        _entry(member, term, heads, 0) for letter in root.iterfind("letter") for term in letter.iterfind("mainTerm")
    ]
    if not mains:
        refuse_at(member, root, "the index has no main terms")
    return mains


def _entry(member: Member, term: etree._Element, heads: Mapping[str, str], depth: int) -> Entry:
    if depth > MAX_DEPTH:
        refuse_at(member, term, f"terms lie more than {MAX_DEPTH} levels deep")
    title = term.find("title")
    if title is None or not _whole(title):
        refuse_at(member, term, f"{term.tag} has no title")
    if any(len(_whole(text)) > MAX_TEXT for text in term if text.tag in _TEXTS):
        refuse_at(member, term, f"a title or reference is longer than {MAX_TEXT} characters")
    entry = Entry(_plain(title), re.sub(r"(?<=\S)\(", " (", _whole(title)))
    for child in term:
        if child.tag == "code":
            entry.code = _code(member, child)
        elif child.tag in ("see", "seeAlso"):
            entry.see = entry.see or _whole(child)
        elif child.tag == "cell":
            column = child.get("col", "")
            if column not in heads:
                refuse_at(member, child, "the column of a cell must be one of the heading")
            if (code := _code(member, child)) is not None:
                entry.cells.append((heads[column], code))
        elif child.tag == "term":
            entry.children.append(_entry(member, child, heads, depth + 1))
    return entry


def _code(member: Member, element: etree._Element) -> str | None:
    """The code of an element without the dash that asks for more; None for a dash alone or a range."""
    text = _whole(element)
    if not text.strip("-–— ") or _RANGE.fullmatch(text):
        return None
    found = _CODE.fullmatch(text)
    if found is None:
        refuse_at(member, element, "a code such as E11.22 or E11.- is expected")
    return found[1]


def _whole(element: etree._Element) -> str:
    return " ".join("".join(str(t) for t in element.itertext()).split())


def _plain(element: etree._Element) -> str:
    own = "".join((element.text or "", *(child.tail or "" for child in element)))
    return " ".join(own.split()).rstrip(" ,")


def names_of(mains: Iterable[Entry]) -> dict[str, list[Name]]:
    """The names that the index gives, by code, in the order of the index and each once."""
    mains = list(mains)
    follow = _Finder(mains)
    found: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for plain, full, entry in _walk(mains, (), ()):
        code = entry.code or (follow.code(entry) if entry.see and not entry.cells else None)
        targets = [(code, "")] if code else []
        for target, column in (*targets, *((c, f", {head.lower()}") for head, c in entry.cells)):
            found[target][f"{plain}{column}"] = None
            found[target][f"{full}{column}"] = None
    return {code: [Name(text, "index") for text in texts] for code, texts in found.items()}


def _walk(entries: Iterable[Entry], plain: tuple[str, ...], full: tuple[str, ...]) -> Iterator[tuple[str, str, Entry]]:
    for entry in entries:
        if entry.plain.lower().startswith("note:"):  # what stands below belongs to the term above
            yield from _walk(entry.children, plain, full)
            continue
        here = (*plain, entry.plain or entry.full), (*full, entry.full)
        yield ", ".join(here[0]), ", ".join(here[1]), entry
        yield from _walk(entry.children, *here)


class _Finder:
    """Finds the entry that a `see` means."""

    def __init__(self, mains: Iterable[Entry]) -> None:
        self._mains: defaultdict[str, list[Entry]] = defaultdict(list)
        for main in mains:
            title = main.plain.casefold()
            for name in dict.fromkeys((title, title.split(",")[0].strip())):
                self._mains[name].append(main)

    def code(self, entry: Entry) -> str | None:
        """The code of the entry that `see` names, when there is one and only one such entry."""
        met: Entry | None = entry
        for _ in range(_FOLLOWED):
            if met is None or met.see is None:
                return None
            met = self._named(met.see)
            if met is not None and met.code is not None:
                return met.code
        return None

    def _named(self, text: str) -> Entry | None:
        parts = [p.strip().casefold() for p in re.sub(r"^(see\s+)?(also\s+)?", "", text, flags=re.I).split(",")]
        for length in range(len(parts), 0, -1):
            mains = self._mains.get(", ".join(parts[:length]), ())
            if len(mains) == 1:
                return _below(mains[0], parts[length:])
        return None


def _below(entry: Entry, parts: list[str]) -> Entry | None:
    for part in parts:
        wanted = {part, f"with {part}"}
        inner = [*entry.children, *(c for e in entry.children if e.plain.casefold() == "with" for c in e.children)]
        if part.startswith("with "):
            wanted.add(part[5:])
        met = [child for child in inner if child.plain.casefold() in wanted]
        if len(met) != 1:
            return None
        entry = met[0]
    return entry
