"""Read the official ICD-10-CM tabular XML (https://www.cdc.gov/nchs/icd/icd-10-cm/files.html).

A leaf under a 7th-character definition is not billable; its extensions are, padded with X to six characters. The
official code list decides last: deaths (6th character 7 or 8 of S06.-) take only A, which the XML says in a note alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from lxml import etree

from terminology.icd10.codes import CODE
from terminology.importers.given import Member
from terminology.importers.xml import need_text, refuse_at, text_of
from terminology.source import Name, SourceConcept

ROOT = "ICD10CM.tabular"
NOTES = {
    "includes": "includes",
    "excludes1": "excludes1",
    "excludes2": "excludes2",
    "codeFirst": "code-first",
    "useAdditionalCode": "use-additional",
    "codeAlso": "code-also",
    "notes": "note",
    "sevenChrNote": "seventh-character",
}
WITHOUT = re.compile(r"S06\.\w\w[78][DS]")
"""Extensions that the note at S06 takes away in words: the dead have no later encounter."""

Sevenths = tuple[tuple[str, str], ...]


class Tabular:
    """One tabular XML. `official` holds the codes that exist, with their long titles where the list has any.

    Without an official list every extension is taken that the XML defines, but for those that a note takes away.
    """

    def __init__(self, member: Member, root: etree._Element, official: Mapping[str, str] | None = None) -> None:
        self._member = member
        self._root = root
        self._official = official or {}
        self._seen: set[str] = set()

    def concepts(self) -> Iterator[SourceConcept]:
        """The concepts in book order, chapters and blocks included; refused where the file is damaged."""
        self._seen.clear()
        for chapter in self._root.iterfind("chapter"):
            name = f"chapter-{need_text(self._member, chapter, 'name')}"
            self._new(name, chapter)
            title = need_text(self._member, chapter, "desc")
            yield SourceConcept(name, title, (), billable=False, group=True, notes=_notes(chapter))
            for section in chapter.iterfind("section"):
                yield from self._section(section, name)
        if not self._seen:
            refuse_at(self._member, self._root, "the file has no chapters")

    def _new(self, code: str, element: etree._Element) -> None:
        if code in self._seen:
            refuse_at(self._member, element, f"{code[:20]} stands twice")
        self._seen.add(code)

    def _section(self, section: etree._Element, parent: str) -> Iterator[SourceConcept]:
        name = section.get("id", "")
        if not name:
            refuse_at(self._member, section, "section has no id")
        children = section.findall("diag")
        inner = section.findall("section")
        if not children and not inner:
            return
        if not inner and len(children) == 1 and text_of(children[0], "name") == name:  # a block that is one category
            yield from self._diag(children[0], parent, ())
            return
        self._new(name, section)
        title = need_text(self._member, section, "desc")
        yield SourceConcept(name, title, (parent,), billable=False, group=True, notes=_notes(section))
        for sub in inner:
            yield from self._section(sub, name)
        for child in children:
            yield from self._diag(child, name, ())

    def _diag(self, diag: etree._Element, parent: str, sevenths: Sevenths) -> Iterator[SourceConcept]:
        code, display = need_text(self._member, diag, "name"), need_text(self._member, diag, "desc")
        if not CODE.fullmatch(code):
            refuse_at(self._member, diag, "a code such as E11 or E11.22 is expected as the name of a diag")
        if diag.getparent().tag == "diag" and not code.startswith(parent):  # type: ignore[union-attr]
            refuse_at(self._member, diag, f"{code} does not belong below {parent}")
        self._new(code, diag)
        sevenths = self._own_sevenths(diag) or sevenths
        children = diag.findall("diag")
        extended = () if children else tuple(self._extended(diag, code, display, sevenths))
        names = tuple(
            Name(" ".join(n.text.split()), "inclusion") for n in diag.iterfind("inclusionTerm/note") if n.text
        )
        yield SourceConcept(code, display, (parent,), not children and not extended, names=names, notes=_notes(diag))
        yield from extended
        for child in children:
            yield from self._diag(child, code, sevenths)

    def _own_sevenths(self, diag: etree._Element) -> Sevenths:
        found = []
        for extension in diag.iterfind("sevenChrDef/extension"):
            character, meaning = extension.get("char", ""), " ".join((extension.text or "").split())
            if len(character) != 1 or not character.isalnum() or not meaning:
                refuse_at(self._member, extension, "a 7th character and its meaning are expected")
            found.append((character.upper(), meaning))
        return tuple(found)

    def _extended(self, diag: etree._Element, code: str, display: str, sevenths: Sevenths) -> Iterator[SourceConcept]:
        """The 7th-character codes of a leaf, with the placeholder where it is short."""
        bare = code.replace(".", "")
        if not sevenths or len(bare) > 6:
            return
        stem = f"{bare[:3]}.{bare[3:]:X<3}"
        for character, meaning in sevenths:
            full = stem + character
            title = self._official.get(full.replace(".", ""))
            if title is None and (self._official or WITHOUT.fullmatch(full)):
                continue
            self._new(full, diag)
            title = title or f"{display}, {meaning}"
            yield SourceConcept(full, title, (code,), billable=True, properties={"seventh": meaning})


def _notes(element: etree._Element) -> tuple[tuple[str, str], ...]:
    return tuple(
        (kind, " ".join(note.text.split()))
        for child in element
        if (kind := NOTES.get(child.tag)) is not None
        for note in child
        if note.tag == "note" and note.text
    )
