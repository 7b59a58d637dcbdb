"""What there is to say of one coding that is to be validated: by its code system, and by a value set.

https://hl7.org/fhir/R4/valueset-operation-validate-code.html
"""

from __future__ import annotations

from typing import Any

import msgspec

from fhir_profiles.systems import SNOMED, STANDARDS_STATUS, UCUM, VALUE_SET_DEPRECATED
from terminology import sctid
from terminology.medicare import SYSTEMS as PROCEDURES
from terminology.medicare import status_remark
from terminology.model import Concept
from terminology.operations.books import Book, Entry, canonical
from terminology.operations.call import Call
from terminology.operations.displays import check_display, shown
from terminology.operations.issues import Issue, issue
from terminology.operations.languages import spoken
from terminology.operations.loaded import LoadedBook
from terminology.operations.members import Asked, Hit, find, find_all, unknown_system
from terminology.operations.plan import Plan
from terminology.operations.shelf import Shelf
from terminology.published import validate_published
from terminology.shapes import misshapen
from terminology.validation import labels_are_ours, outside, term_of_use

Json = dict[str, Any]


class Judged(msgspec.Struct):
    """What there is to say of one coding.

    `missing` when the value set does not hold it, `nowhere` when its code system does not have it either, `refused`
    when it is abstract and must not be or may not be used on the day asked about, `blank` when it has no code. `cause`
    and `unknown` name code systems that are not known.
    """

    coding: Json
    at: dict[str, str]
    held: bool | None = None
    book: Book | None = None
    entry: Entry | None = None
    named: Json | None = None
    display: str | None = None
    issues: list[Issue] = []
    unknown: str | None = None
    cause: str | None = None
    normalized: str | None = None
    missing: bool = False
    nowhere: bool = False
    refused: bool = False
    blank: bool = False
    others: list[Hit] = []


class Judge:
    """Looks at codings for one call."""

    def __init__(self, call: Call, shelf: Shelf, plan: Plan | None) -> None:
        self._shelf = shelf
        self._plan = plan
        self._languages = spoken(call, plan)
        self._lenient = bool(call.flag("lenient-display-validation"))
        self._only_members = bool(call.flag("valueset-membership-only"))
        self._active = bool(call.flag("activeOnly"))
        self._abstract = call.flag("abstract") is not False
        self._infer = call.flag("inferSystem") is True

    def judge(self, coding: Json, at: dict[str, str]) -> Judged:
        """Everything there is to say of a coding."""
        found = Judged(coding, at)
        if not coding.get("code"):
            return _blank(found)
        if not coding.get("system") and not self._inferred(found):
            return found
        system = coding["system"] = self._shelf.canonical(str(coding["system"]))
        if ":" not in system:
            found.issues.append(issue("Terminology_TX_System_Relative", at=at["system"]))
        if self._plan is None:
            self._in_system(found)
        else:
            asked = Asked(system, coding.get("version"), str(coding.get("code", "")), at)
            hits = find_all(self._plan, self._shelf, asked, active=self._active)
            found.others = hits[1:]
            self._in_value_set(found, hits[0] if hits else None)
        if found.entry is not None and found.book is not None:
            self._about(found, found.book, found.entry)
        return found

    def _inferred(self, found: Judged) -> bool:
        """Give a coding without a system the one that the value set implies."""
        code, plan = str(found.coding.get("code", "")), self._plan
        name = plan.name if plan else ""
        if plan is not None and self._infer and found.at["code"] == "code":
            asked = (Asked(s, found.coding.get("version"), code, found.at) for s in plan.systems)
            held = [a.system for a in asked if (h := find(plan, self._shelf, a)) is not None and h.held]
            if len(held) == 1:
                found.coding["system"] = held[0]
                return True
            if held:
                several = ", ".join(sorted(held))
                told = "Unable_to_resolve_system__value_set_has_multiple_matches"
                found.issues.append(issue(told, code, name, several, at=found.at["code"]))
            else:
                looked = ", ".join(plan.systems) or "no code system"
                found.issues.append(issue("UNABLE_TO_INFER_CODESYSTEM", code, name, looked, at=found.at["code"]))
        else:
            found.issues.append(issue("Coding_has_no_system__cannot_validate", at=found.at[""]))
        found.missing = True
        return False

    def _in_system(self, found: Judged) -> None:
        system, version = found.coding["system"], found.coding.get("version")
        book = self._shelf.book(system, self._shelf.pins.version(system, version))
        if book is None:
            if not self._is_supplement(found):
                found.issues.append(unknown_system(self._shelf, system, version, found.at))
                found.unknown = f"{system}|{version}" if version else system
            return
        found.book = book
        self._find(found, book)
        found.held = found.entry is not None or book.content != "complete"

    def _in_value_set(self, found: Judged, hit: Hit | None) -> None:
        if hit is not None:
            found.issues += hit.issues
            found.held, found.book, found.entry, found.named, found.cause = (
                hit.held, hit.book, hit.entry, hit.named, hit.cause,
            )  # fmt: skip
            if hit.book is not None and hit.entry is None:
                self._find(found, hit.book)
                found.held = True
            elif hit.book is not None and hit.held is False:
                found.issues.append(issue("STATUS_CODE_WARNING_CODE", found.coding["code"], at=found.at["code"]))
                found.missing = True
            elif hit.book is None:
                self._fall_back(found)
            if hit.held and hit.plan is not None and hit.entry is not None:
                self._deprecated_here(found, hit.plan)
            return
        found.missing, found.held = True, False
        self._elsewhere(found)

    def _fall_back(self, found: Judged) -> None:
        """The version that would do, for the display, where the value set's own is not known."""
        system = found.coding["system"]
        version = found.coding.get("version") or self._shelf.pins.version(system, None)
        book = self._shelf.book(system, version)
        entry = book.find(str(found.coding.get("code", ""))) if book else None
        if book is not None and entry is not None:
            found.book, found.display = book, shown(book, entry, None, self._languages)

    def _elsewhere(self, found: Judged) -> None:
        """What the coding's own code system says, where the value set does not hold it."""
        if self._only_members:
            return
        coding = found.coding
        system, version = str(coding["system"]), coding.get("version")
        book = self._shelf.book(system, self._shelf.pins.version(system, version))
        if book is not None:
            found.book = book
            self._find(found, book)
        elif self._shelf.value_set(system) is not None:
            found.issues.append(issue("Terminology_TX_System_ValueSet2", system, at=found.at["system"]))
        elif not self._is_supplement(found):
            found.issues.append(unknown_system(self._shelf, system, version, found.at))
            found.unknown = f"{system}|{version}" if version and self._shelf.versions(system) else system

    def _is_supplement(self, found: Judged) -> bool:
        """Whether what the coding names as its system is a supplement, which is then said."""
        system = str(found.coding["system"])
        supplement = self._shelf.supplement_named(system)
        if supplement is None:
            return False
        name = f"{system}|{supplement['version']}" if supplement.get("version") else system
        found.issues.append(issue("CODESYSTEM_CS_NO_SUPPLEMENT", name, at=found.at["system"]))
        return True

    def _find(self, found: Judged, book: Book) -> None:
        """The concept in a version of its code system, or the issue that it has none such."""
        code = str(found.coding.get("code", ""))
        found.entry = book.find(code)
        if found.entry is not None:
            return
        words, name = [code, book.url], "Unknown_Code_in"
        if book.version:
            words, name = [*words, book.version], "Unknown_Code_in_Version"
        if book.content != "complete" and not (isinstance(book, LoadedBook) and misshapen(book.url, code)):
            words, name = [code, book.url, book.version or ""], "UNKNOWN_CODE_IN_FRAGMENT"
        else:
            found.nowhere = True
        if book.url == SNOMED and sctid.is_expression(code):
            told = issue("EXPRESSION_NOT_SUPPORTED", code, book.url, sctid.EXPRESSION, at=found.at["code"])
            found.issues.append(told)
            return
        found.issues.append(issue(name, *words, at=found.at["code"]))
        if (hint := self._hint(found, book)) is not None:
            found.issues.append(issue("CODE_REMARK", hint, at=found.at["code"]))

    def _hint(self, found: Judged, book: Book) -> str | None:
        """What a loaded code system knows beyond that: other editions, codes that may be meant."""
        if book.url == UCUM:
            told = validate_published(UCUM, str(found.coding.get("code", "")), None, None)
            return told.message if told is not None else None
        terminology = self._shelf.library.terminology
        if terminology is None or not (editions := terminology.editions(book.url)):
            return None
        version = next((e.version for e in editions if e.version == book.version), None)
        code = str(found.coding.get("code", ""))
        return terminology.validate_code(book.url, code, version=version, on=self._shelf.on).message

    def _about(self, found: Judged, book: Book, entry: Entry) -> None:
        """What there is to say of a concept that exists."""
        code, at = str(found.coding["code"]), found.at
        if code != entry.code:
            if code.casefold() == entry.code.casefold():
                told = issue("CODE_CASE_DIFFERENCE", code, entry.code, canonical(book), at=at["code"])
            else:
                told = issue("CODE_REMARK", f"The code {code} is another spelling of {entry.code}", at=at["code"])
            found.issues.append(told)
            found.normalized = entry.code
        if entry.row is not None and isinstance(book, LoadedBook):
            self._when(found, book, entry.row)
        if entry.abstract and not self._abstract:
            found.issues.append(issue("ABSTRACT_CODE_NOT_ALLOWED", book.url, code, at=at["code"]))
            found.held, found.refused, found.missing = False, True, self._plan is not None
        if entry.inactive:
            status = f"{entry.status} and inactive" if entry.status not in (None, "inactive") else "inactive"
            found.issues.append(issue("INACTIVE_CONCEPT_FOUND", code, status, at=at[""]))
        elif entry.status == "deprecated":
            found.issues.append(issue("DEPRECATED_CONCEPT_FOUND", code, entry.status, at=at[""]))
        if book.url in PROCEDURES and (paid := self._paid(entry)) is not None:
            found.issues.append(issue("CODE_REMARK", paid, at=at["code"]))
        if entry.remark:
            found.issues.append(issue("CODE_REMARK", entry.remark, at=at["code"], severity="warning"))
        found.display = shown(book, entry, found.named, self._languages) or None
        given = found.coding.get("display")
        if given and not self._only_members:
            found.issues += self._display(found, str(given), book, entry)

    def _paid(self, entry: Entry) -> str | None:
        """What the fee schedule says of a procedure that it does not pay by itself."""
        terminology = self._shelf.library.terminology
        return (
            None if terminology is None or entry.row is None else status_remark(terminology, entry.row, self._shelf.on)
        )

    def _when(self, found: Judged, book: LoadedBook, concept: Concept) -> None:
        """Whether an edition and its code speak for the day of service that the call asks about, or for any."""
        on, at = self._shelf.on, found.at["code"]
        if (elsewhen := outside(book.edition, on)) is not None:
            found.issues.append(issue("CODE_REMARK", elsewhen, at=at))
        lapsed, ending = term_of_use(book.edition, concept, on)
        if lapsed is not None:
            found.issues.append(issue("CODE_NOT_IN_FORCE", lapsed, at=at))
            found.held, found.refused, found.missing = False, True, self._plan is not None
        elif ending is not None:
            found.issues.append(issue("CODE_REMARK", ending, at=at))

    def _display(self, found: Judged, given: str, book: Book, entry: Entry) -> list[Issue]:
        """What is wrong with the display; nothing when another version that the value set draws on has it.

        Another display than a label of our own is told, not refused.
        """
        lenient = self._lenient or (isinstance(book, LoadedBook) and labels_are_ours(book.edition))
        told = check_display(given, book, entry, found.named, self._languages, found.at["display"], lenient=lenient)
        if told is None:
            return []
        for hit in found.others:
            if hit.sound and hit.book is not None and hit.entry is not None:
                args = hit.book, hit.entry, hit.named, self._languages, found.at["display"]
                if check_display(given, *args, lenient=self._lenient) is None:
                    found.book, found.display = hit.book, shown(hit.book, hit.entry, hit.named, self._languages)
                    return []
        return [told]

    def _deprecated_here(self, found: Judged, plan: Plan) -> None:
        """A concept that the value set itself marks as going out of use."""
        for one in (found.named or {}).get("extension", ()):
            value = next((v for k, v in one.items() if k.startswith("value")), None)
            marked = one.get("url") == VALUE_SET_DEPRECATED and str(value).lower() == "true"
            if marked or (one.get("url") == STANDARDS_STATUS and value in ("deprecated", "withdrawn")):
                status = "deprecated" if marked else value
                code, system = found.coding["code"], found.coding["system"]
                told = issue("CONCEPT_DEPRECATED_IN_VALUESET", code, system, plan.name, status, at=found.at["code"])
                found.issues.append(told)


def _blank(found: Judged) -> Judged:
    """A coding that names no concept: there is nothing to look for."""
    system = found.coding.get("system")
    if system:
        told = issue("Coding_has_no_code__cannot_validate", f" for system {system}", at=found.at[""])
    else:
        told = issue("Coding_has_no_system_or_code__cannot_validate", at=found.at[""])
    found.issues.append(told)
    found.missing = found.blank = True
    return found
