"""The names of a concept, by language: which to show, and whether one that came with a code is right.

https://hl7.org/fhir/R4/codesystem-concept-properties.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from fhir_profiles.errors import Severity
from fhir_profiles.systems import SNOMED, STANDARDS_STATUS, STRUCTURE_DEFINITION, TERM_MAINTENANCE
from terminology import sctid
from terminology.operations.books import Book, Entry
from terminology.operations.issues import Issue, issue
from terminology.operations.languages import ANY, Languages, covers

Json = dict[str, Any]
_NAMING_USES = frozenset(("preferredForLanguage", "display", "900000000000013009"))
"""Uses of a designation that make it a display; the number is SNOMED CT's synonym."""


class Name(NamedTuple):
    """One name: `main` when it is a display rather than another kind of designation."""

    text: str
    language: str
    main: bool = True
    withdrawn: bool = False


def names(book: Book, entry: Entry, named: Json | None) -> Iterator[Name]:
    """Every name of a concept: what the value set calls it, its display, its designations."""
    own = named or {}
    if own.get("display"):
        yield Name(own["display"], book.language)
    if entry.display:
        yield Name(entry.display, book.language)
    for one in (*entry.designations, *own.get("designation", ())):
        use = one.get("use", {}).get("code")
        withdrawn = any(e.get("url") == STANDARDS_STATUS for e in one.get("extension", ()))
        yield Name(one.get("value", ""), one.get("language", ""), use is None or use in _NAMING_USES, withdrawn)


def shown(book: Book, entry: Entry, named: Json | None, languages: Languages) -> str:
    """The name to show."""
    default = (named or {}).get("display") or entry.display
    for wanted in languages.wanted:
        if book.url == SNOMED and (own := _of_dialect(entry, wanted)) is not None:
            return own
        if wanted == ANY or covers(wanted, book.language or wanted):
            return default
        fit = [n for n in names(book, entry, named) if n.main and n.language and covers(wanted, n.language)]
        fit.sort(key=lambda name: name.language.lower() != wanted.lower())
        if (best := next((n for n in fit if not n.withdrawn), None)) is not None:
            return best.text
    return "" if languages.only and book.language else default


def _of_dialect(entry: Entry, wanted: str) -> str | None:
    """The name that the very dialect prefers."""
    tag = sctid.dialect_tag(wanted).lower()
    found = (one for one in entry.designations if one.get("language", "").lower() == tag != "en")
    return next((one["value"] for one in found if one.get("use", {}).get("code") == "preferredForLanguage"), None)


def check_display(
    given: str, book: Book, entry: Entry, named: Json | None, languages: Languages, at: str, *, lenient: bool
) -> Issue | None:
    """What is wrong with a display, or worth knowing; None when nothing is."""
    known = list(names(book, entry, named))
    severity: Severity = "warning" if lenient else "error"
    in_language = [n for n in known if languages.covers(n.language)]
    same = [n for n in in_language if _same(n.text, given)]
    default = (named or {}).get("display") or entry.display
    if any(not n.withdrawn for n in same):
        return None
    if same:
        right = ", ".join(f'"{n.text}"' for n in in_language if n.main and not n.withdrawn)
        return issue("INACTIVE_DISPLAY_FOUND", given, entry.code, "deprecated", right, at=at)
    if not known:
        return None
    choices = [n for n in in_language if n.main and not n.withdrawn]
    if not choices:
        if any(_same(n.text, given) for n in known):
            return issue(
                "NO_VALID_DISPLAY_FOUND_NONE_FOR_LANG_OK", book.url, entry.code, languages.text, given, at=at
            )  # fmt: skip
        return issue(
            "NO_VALID_DISPLAY_FOUND_NONE_FOR_LANG_ERR",
            given, book.url, entry.code, languages.text, default, at=at, severity=severity,
        )  # fmt: skip
    spaced = any(_same(" ".join(n.text.split()), " ".join(given.split())) for n in in_language)
    name = "Display_Name_WS_for__should_be_one_of__instead_of" if spaced else _WRONG
    return issue(name, given, book.url, entry.code, _told(choices), languages.text, at=at, severity=severity)


_WRONG = "Display_Name_for__should_be_one_of__instead_of"


def _same(a: str, b: str) -> bool:
    return a == b or a.casefold() == b.casefold()


def _told(choices: list[Name]) -> str:
    texts = list(dict.fromkeys(f"'{n.text}' ({n.language})" if n.language else f"'{n.text}'" for n in choices))
    if len(texts) == 1:
        return f"Valid display is {texts[0]}"
    return f"Valid display is one of {len(texts)} choices: {', '.join(texts[:-1])} or {texts[-1]}"


def designations(book: Book, entry: Entry, named: Json | None, display: str) -> list[Json]:
    """The designations to list beside the display that is shown."""
    found = [preferred(book, entry)] if entry.display and display != entry.display else []
    own = list((named or {}).get("designation", ()))
    for one in entry.designations:
        is_shown = one.get("value") == display and display != entry.display and one.get("language")
        if not is_shown and one not in own:
            found.append(one)
    return [_stripped(one) for one in (*found, *own)]


def preferred(book: Book, entry: Entry) -> Json:
    """The display of a concept as a designation in the language of its code system."""
    use = {"system": TERM_MAINTENANCE, "code": "preferredForLanguage", "display": "Preferred For Language"}
    return {**({"language": book.language} if book.language else {}), "use": use, "value": entry.display}


def _stripped(designation: Json) -> Json:
    """A designation with the extensions of HL7 alone."""
    known = [e for e in designation.get("extension", ()) if str(e.get("url", "")).startswith(STRUCTURE_DEFINITION)]
    kept = {key: value for key, value in designation.items() if key != "extension"}
    return {**kept, "extension": known} if known else kept
