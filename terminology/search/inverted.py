"""How a note says what an alphabetic index lists: "Abscess, kidney, tuberculous" as "tuberculous kidney abscess".

Main term, subterms and modifiers in parentheses (which change no code) as the index of ICD-10-CM has them.
https://www.cdc.gov/nchs/icd/icd-10-cm/files.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

WORDS = 7  # a longer phrase is said otherwise
SUBTERMS = 3  # before the main term
MODIFIERS = 12  # in parentheses, of one entry
ALIKE = 5  # letters that two forms of a main term share: "Diabetes, diabetic"
_JOINERS = "|".join(
    ("associated with", "complicating", "during", "due to", "following", "resulting from", "secondary to", "without",
     "with", "after", "from", "by", "in", "of", "to")
)  # fmt: skip
_JOINER = re.compile(rf"(?:{_JOINERS})", re.IGNORECASE)
_AFTER = re.compile(rf"(?:{_JOINERS})\b", re.IGNORECASE)
_UNSAID = re.compile(r"\b(?:NEC|NOS)\b|\b(?:un)?specified\b|\(?see also.*", re.IGNORECASE)
_BRACKETS = re.compile(r"\s*\(([^()]*)\)")
_COLUMNS = {
    "malignant primary": ("malignant neoplasm of {}", "malignant neoplasm of the {}", "{} cancer", "cancer of the {}"),
    "malignant secondary": ("metastasis to {}", "metastasis to the {}", "{} metastasis", "secondary neoplasm of {}"),
    "ca in situ": ("carcinoma in situ of {}", "carcinoma in situ of the {}"),
    "benign": ("benign neoplasm of {}", "benign neoplasm of the {}"),
}
_NOT_SAID = ("poisoning", "adverse effect", "underdosing", "uncertain behavior", "unspecified behavior")


def inverted(name: str) -> Iterator[str]:
    """The phrases of one entry, terms from the main term down joined by ", "; none for a cell that no note says so."""
    modifiers = _BRACKETS.findall(name)
    parts = [p for part in _BRACKETS.sub("", name).split(", ") if (p := _UNSAID.sub("", part).strip(" ,:-"))]
    if not parts or parts[-1].lower().startswith(_NOT_SAID):
        return
    if column := _COLUMNS.get(parts[-1].lower()):
        if len(parts) == 2 or len(parts) > 4:  # the whole table, or a site within a site within a site
            return
        site = " ".join(reversed([p for p in parts[1:-1] if p.lower() != "neoplastic"]))
        yield from (form.format(site) for form in column if len(site.split()) < SUBTERMS + 1)
        return
    mains, subterms = [parts[0]], _joined(parts[1:])
    while subterms and subterms[0][:ALIKE].lower() == parts[0][:ALIKE].lower():
        mains.append(subterms.pop(0))
    for main in mains:
        phrases = list(_said(main, subterms))
        if not modifiers:
            yield from phrases
        elif phrases:
            yield from _modified(phrases[0], modifiers)


def _joined(parts: Sequence[str]) -> list[str]:
    """A lone "with" or "due to" goes with the term below it."""
    found: list[str] = []
    for part in parts:
        if found and _JOINER.fullmatch(found[-1]):
            found[-1] = f"{found[-1]} {part}"
        else:
            found.append(part)
    return found


def _said(main: str, subterms: Sequence[str]) -> Iterator[str]:
    """The orders in which main term and subterms are said; the usual one first."""
    at = next((i for i, term in enumerate(subterms) if _AFTER.match(term)), len(subterms))
    before, after = list(subterms[:at]), list(subterms[at:])
    if len(before) > SUBTERMS or sum(len(p.split()) for p in (main, *subterms)) > WORDS:
        return
    if any(not _AFTER.match(term) for term in after):  # what it belongs to cannot be told
        return
    yield " ".join((*reversed(before), main, *after))
    if before:
        yield " ".join((main, *before, *after))
        for article in ("of", "of the"):
            yield " ".join((*reversed(before[1:]), main, article, before[0], *after))


def _modified(phrase: str, modifiers: Sequence[str]) -> Iterator[str]:
    """A phrase with each one of the modifiers that change no code."""
    for modifier in modifiers[:MODIFIERS]:
        if not modifier or len(f"{phrase} {modifier}".split()) > WORDS or "," in modifier:
            continue
        yield f"{phrase} {modifier}" if _AFTER.match(modifier) else f"{modifier} {phrase}"
