"""`CodeSystem/$subsumes` (https://hl7.org/fhir/R4/codesystem-operation-subsumes.html)."""

from __future__ import annotations

from typing import Any

from fhir_profiles.errors import Category
from terminology.operations.books import Book
from terminology.operations.call import Call, answer, wrong
from terminology.operations.issues import Issue, refused
from terminology.operations.lookup import find_book, unknown_code
from terminology.operations.prepared import Prepared, Told
from terminology.operations.shelf import Library, Shelf

Json = dict[str, Any]
OF_SUBSUMES = frozenset(("codeA", "codeB", "system", "version", "codingA", "codingB", "codeSystem"))


def _subsumes(call: Call, library: Library, instance: Json | None) -> Told:
    call.only(OF_SUBSUMES)
    inline = instance or call.value("codeSystem")
    a, b = _codings(call)
    system = call.text("system") or (inline or {}).get("url") or a.get("system") or b.get("system")
    if not system:
        raise wrong("Name the code system by system, or send codings with one.", "system")
    version = call.text("version") or a.get("version") or b.get("version")
    shelf = Shelf(library, call, [inline] if inline else ())
    book = find_book(shelf, system, version)

    def told(call: Call) -> Json:
        a, b = _codings(call)
        if any(shelf.canonical(str(one.get("system", system))) != book.url for one in (a, b)):
            raise wrong("Both codes must be of one code system.", "codingB")
        return answer({"name": "outcome", "valueCode": _outcome(book, a["code"], b["code"])})

    return told


subsumes = Prepared(_subsumes, frozenset(("codeA", "codeB")))
"""`outcome`: equivalent, subsumes, subsumed-by or not-subsumed; FhirError when a code is not known."""


def _codings(call: Call) -> tuple[Json, Json]:
    a, b = (call.value(f"coding{x}") or {"code": call.text(f"code{x}")} for x in "AB")
    if not a.get("code") or not b.get("code"):
        raise wrong("Send codeA and codeB, or codingA and codingB.", "codeA")
    return a, b


def _outcome(book: Book, a: str, b: str) -> str:
    entries = [book.find(code) for code in (a, b)]
    for name, code, entry in zip(("codeA", "codeB"), (a, b), entries, strict=True):
        if entry is None:
            raise refused(Category.NOT_FOUND, unknown_code(book, code, name))
    first, second = (e.code for e in entries if e is not None)
    if first == second:
        return "equivalent"
    below, above = book.system.is_below(second, first), book.system.is_below(first, second)
    if None in (below, above):
        text = "The part of the code system that is known here does not tell"
        raise refused(Category.UNSUPPORTED, Issue("error", "not-supported", text, kind="not-supported"))
    return "subsumes" if below else "subsumed-by" if above else "not-subsumed"
