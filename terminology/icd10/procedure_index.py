"""Read the index of ICD-10-PCS: terms that lead to codes, to the first characters of codes, or to tables.

Each entry that has characters becomes a name of the code, or of the table that they begin. Entries that only name
another term (`use`, `see` without characters) give nothing. https://www.cms.gov/medicare/coding-billing/icd-10-codes
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from lxml import etree

from terminology.importers.given import Member
from terminology.importers.xml import refuse_at
from terminology.source import Name

ROOT = "ICD10PCS.index"
MAX_DEPTH = 30
"""Levels of terms."""

_CHARACTERS = re.compile(r"[0-9A-HJ-NP-Z]{3,7}")
_TAGS = ("code", "codes", "tab")


def read_names(member: Member, root: etree._Element) -> dict[str, list[Name]]:
    """The names that the index gives, by code or by the three characters of a table, each once."""
    found: defaultdict[str, dict[str, None]] = defaultdict(dict)
    mains = [term for letter in root.iterfind("letter") for term in letter.iterfind("mainTerm")]
    if not mains:
        refuse_at(member, root, "the index has no main terms")
    for main in mains:
        for target, text in _entries(member, main, ()):
            found[target][text] = None
    return {target: [Name(text, "index") for text in texts] for target, texts in found.items()}


def _entries(member: Member, term: etree._Element, above: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    heading = term.find("title")
    title = "" if heading is None else " ".join("".join(str(t) for t in heading.itertext()).split())
    if not title and not above:
        refuse_at(member, term, "mainTerm has no title")
    path = (*above, title) if title else above
    if len(path) > MAX_DEPTH:
        refuse_at(member, term, f"terms lie more than {MAX_DEPTH} levels deep")
    told = [*term, *(inner for see in term.iterfind("see") for inner in see)]
    for element in told:
        if element.tag in _TAGS:
            characters = (element.text or "").strip()
            if not _CHARACTERS.fullmatch(characters):
                refuse_at(member, element, "three to seven characters of a code are expected")
            yield (characters if len(characters) == 7 else characters[:3]), ", ".join(path)
    for child in term.iterfind("term"):
        yield from _entries(member, child, path)
