"""Appendix A of CPT (MODUL.txt): modifiers in prose, under headings that say their kind."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from terminology.importers.cpt_lists import encoding_of
from terminology.importers.given import Member, refuse
from terminology.source import Name, SourceConcept

LONGEST_TITLE = 200
MAX_TEXT = 8000

_HEADINGS = (
    (re.compile(r"modifiers"), "general"),
    (re.compile(r"anesthesia physical status.*"), "physical-status"),
    (re.compile(r"(modifiers approved for ambulatory|cpt level i modifiers).*"), "cat-1"),
    (re.compile(r"category ii modifiers"), "cat-2"),
    (re.compile(r"level ii \(hcpcs/national\) modifiers.*"), "hcpcs"),
)
_ENTRIES = {
    "general": re.compile(r"(\d\d) (\S.*)"),
    "physical-status": re.compile(r"Physical Status Modifier (P\d):? (\S.*)"),
    "cat-1": re.compile(r"(\d\d) (\S.*)"),
    "cat-2": re.compile(r"(\dP) (\S.*)"),
    "hcpcs": re.compile(r"([A-Z][0-9A-Z]) (\S.*)"),
}


@dataclass(slots=True)
class _Modifier:
    kinds: list[str] = field(default_factory=list)
    text: list[str] = field(default_factory=list)


def modifiers(member: Member) -> Iterator[SourceConcept]:
    """The modifiers, each once. The display is what stands before the first colon; the whole text is a long name."""
    found: dict[str, _Modifier] = {}
    kind, current, blank = "", None, True
    for number, raw in member.lines(encoding_of(member)):
        line = raw.strip()
        heading = next((k for pattern, k in _HEADINGS if pattern.fullmatch(line.lower())), None)
        entry = _ENTRIES[kind].fullmatch(line) if kind else None
        if heading and blank:
            kind, current = heading, None
        elif entry and (blank or kind in ("hcpcs", "physical-status")):
            current = found.setdefault(entry[1], _Modifier())
            if kind in current.kinds:
                refuse(member, number, 1, f"the modifier {entry[1]} stands twice under its heading")
            current.kinds.append(kind)
            if len(current.kinds) == 1:
                current.text.append(entry[2])
            else:
                current = None  # its text is known from the first heading
        elif not line or line.startswith("("):
            current = None
        elif current is not None:
            current.text.append(line)
            if sum(map(len, current.text)) > MAX_TEXT:
                refuse(member, number, 1, f"the text of a modifier has more than {MAX_TEXT} characters")
        blank = not line
    if not found:
        refuse(member, 1, 1, "the appendix has no modifiers under its headings")
    for code, modifier in found.items():
        yield _concept(code, modifier)


def _concept(code: str, modifier: _Modifier) -> SourceConcept:
    text = " ".join(modifier.text)
    title = text.split(":", 1)[0]
    title = title if len(title) <= LONGEST_TITLE else text
    kinds = modifier.kinds
    return SourceConcept(
        code,
        title,
        names=(Name(text, "long"),) if text != title else (),
        properties={"modifier": True, "kind": kinds if len(kinds) > 1 else kinds[0]},
    )
