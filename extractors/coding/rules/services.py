"""Services by their names: office tests, small procedures, timed counselling, needled joints."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from extractors.coding.case import Case, Rule, around, asked
from extractors.coding.clauses import bounds
from extractors.coding.done import NUMBERS, add_service, deed_after, done_here
from extractors.coding.place import component_of, place_of
from extractors.coding.tables import table
from extractors.coding.weigh import ALONE
from extractors.findings.cues import Cued
from fhir_profiles.systems import CPT, HCPCS

NAMED = Rule("service-done", "CPT, everyday services", "A service that the text says was done here, by what was done")
TIMED = Rule("service-minutes", "CPT, timed services", "A timed service is coded by its minutes")
JOINT = Rule(
    "joint-needled", "CPT 20600-20611", "Injection or aspiration of a joint by the joint's size, with its side"
)
AK = Rule("lesions-destroyed", "CPT 17000-17111", "Destruction of lesions by kind and number")
ASK_COUNT = Rule("lesion-count", "CPT 17000-17111", "Asks how many lesions were destroyed")
ASK_MINUTES = Rule("service-minutes-missing", "CPT, timed services", "Asks for the minutes of a timed service")
_MINUTES = re.compile(r"\b(\d{1,3}) ?(?:min(?:ute)?s?)\b")


@cache
def _rows() -> list[tuple[dict[str, Any], Cued]]:
    return [(row, around(rf"(?<!\w)(?:{row['words']})(?!\w)", row["cues"])) for row in table("services")["named"]]


@cache
def _timed_rows() -> list[tuple[dict[str, Any], tuple[str, ...], Cued]]:
    return [(row, tuple(row["cues"]), asked(row["words"])) for row in table("services")["timed"]]


def named(case: Case) -> None:
    """Services that are one number, or one of a few by what else the clause says."""
    for row, pattern in _rows():
        if (case.setting != "outpatient" and not row.get("anywhere")) or not case.seen.may(pattern):
            continue
        for match in case.near(pattern):
            low, high = bounds(case.text, *match.span())
            clause = case.text if row.get("whole") and len(case.text) <= ALONE else case.text[low:high]
            later = deed_after(case, high) if "only" in row and not re.search(row["only"], clause) else ""
            clause += later
            wanted = "only" not in row or re.search(row["only"], clause)
            if (
                not wanted
                or ("unless" in row and re.search(row["unless"], clause))
                or ("unless_said" in row and re.search(row["unless_said"], case.text))
                or not done_here(case, *match.span(), said=row.get("deed", False) or bool(later))
            ):
                continue
            codes = [c for words, c in row["variants"] if re.search(words, clause)]
            several = "each" in row and len(codes) > 2 and re.search(row["each"], clause)
            for code in codes[:-1] if several else codes[:1]:  # the last one is for what the others leave
                if code:
                    _add(case, row, code, match.span(), clause)
            if codes:
                break
    for row, cues, words in _timed_rows():
        if case.says(*cues):
            _timed(case, row, words)


def _add(case: Case, row: dict[str, Any], code: str, span: tuple[int, int], clause: str) -> None:
    """The service with its component, its place and how often it was done."""
    place = place_of(case, *span) if row.get("side") else ()
    if row.get("side") == "digit":
        place = tuple(m for m in place if m[0] in "FT" or m[0] == "E")
    counted = re.search(row["count"], clause) if "count" in row else None
    said = next((g for g in counted.groups() if g), "1") if counted else "1"
    add_service(
        case,
        code,
        span,
        NAMED,
        "The text says that it was done",
        system=HCPCS if code[0].isalpha() else CPT,
        units=int(said) if said.isdigit() else NUMBERS.get(said, 2),  # "both" and "bilateral" are two
        modifiers=(*(component_of(case, *span) if row.get("parts") else ()), *place),
    )


_VISITS = ("992", "993")


def _timed(case: Case, row: dict[str, Any], words: Cued) -> None:
    for match in case.search(words):
        low, high = bounds(case.text, *match.span())
        clause = case.text[low:high]
        if ("unless" in row and re.search(row["unless"], clause)) or (
            "only" in row and not re.search(row["only"], clause)
        ):
            continue
        said = list(_MINUTES.finditer(case.text, low, high))
        if not said:
            case.ask(ASK_MINUTES, "How many minutes did it take?", *match.span())
            continue
        minutes = min(said, key=lambda m: min(abs(m.start() - match.end()), abs(match.start() - m.end())))
        count = int(minutes[1])
        visit = any(c.code.startswith(_VISITS) and c.system == CPT and c.status == "accepted" for c in case.candidates)
        steps = row["beside_visit"] if visit and "beside_visit" in row else row["minutes"]
        code = [c for least, c in steps if count >= least][-1:]
        if code:
            span = (min(match.start(), minutes.start()), max(match.end(), minutes.end()))
            add_service(case, code[0], span, TIMED, f"{count} minutes")
            if "more" in row and (further := min(row["more"][3], (count - row["more"][1]) // row["more"][2])) > 0:
                add_service(case, row["more"][0], span, TIMED, f"{count} minutes", units=further)
            return


_NEEDLED = asked(
    r"\b(?:inject(?:ed|ions?)|aspirat(?:ed|ion)|arthrocentesis|needled|drained)\b"
    r"|\b(?:mg|ml)\b[^.;\n]{0,20} (?:in)?to (?:the |her |his |each |both )?(?:right |left )?"
    r"(?:shoulder|hip|knee|elbow|wrist|ankle|subacromial|glenohumeral)"
)
_GUIDED = re.compile(
    r"(?<!no )(?<!without )(?<!not )(?<!w/o )\b(?:ultraso|sonogra|us[- ](?:guid|needle)|u/s\b|under us\b)"
)
_THE_JOINT = re.compile(r"\b(?:the|this|that) joint\b")
_NO_JOINT = re.compile(
    r"\b(?:trigger|plantar|carpal tunnel|tendon|muscle|epidural|nerve block|facet|im\b|intramuscular|ganglion"
    r"|deltoid|abscess)"
)


def joints(case: Case) -> None:
    """A needle in a joint, by the size of the joint; ultrasound guidance has numbers of its own."""
    if case.setting != "outpatient" or not (
        case.says("inject", "aspirat", "arthrocentesis") or (case.says(" into ") and case.says("mg ", "ml "))
    ):
        return
    for match in case.search(_NEEDLED):
        low, high = bounds(case.text, *match.span())
        clause = case.text[low:high]
        if _NO_JOINT.search(clause) or not done_here(case, *match.span()):
            continue
        place = clause if not _THE_JOINT.search(clause) else case.text[max(0, low - 80) : high]
        for code, words, guided in table("services")["joints"]:
            if re.search(words, place):
                number = guided if guided and _GUIDED.search(clause) else code
                add_service(
                    case,
                    number,
                    match.span(),
                    JOINT,
                    "A joint of this size was needled",
                    modifiers=place_of(case, *match.span()),
                )
                break


_LESIONS = asked(
    r"\b(actinic keratos[ie]s|aks?|warts?|verrucae?|molluscum(?: contagiosum)?|seborrheic keratos[ie]s|s(?:eb )?ks?)\b"
)
_COUNT = re.compile(r"\b(\d{1,2}|" + "|".join(NUMBERS) + r")(?: [\w-]+){0,2} $")
_COUNT_AFTER = re.compile(
    r"\b(\d{1,2}|" + "|".join(NUMBERS) + r") (?:[\w-]+ ){0,2}(?:lesions?|papules|spots|warts)\b"
    r"|\bx ?(\d{1,2})\b(?! ?(?:sec|cycle|min))"
)
_DESTROYED = re.compile(
    r"\b(?:destroy\w*|destruction|cryo\w*|liquid nitrogen|frozen|froze|ln2|electrodesiccat\w*|curett\w*"
    r"|cantharidin|freeze[- ]thaw"
    r"|treated with (?:cryo|liquid))"
)


def destroyed(case: Case) -> None:
    """Premalignant lesions: the first, each of the 2nd to 14th, or 15 and more; benign ones up to 14, or more."""
    if case.setting != "outpatient" or not case.says("kerato", "wart", "verruc", "mollusc", " ak", " sk", "seb k"):
        return
    for match in case.search(_LESIONS):
        low, high = bounds(case.text, *match.span())
        if not (_DESTROYED.search(case.text, low, high) or _DESTROYED.search(deed_after(case, high))) or not done_here(
            case, *match.span(), said=True
        ):
            continue
        counted = _COUNT.search(case.text[max(low, match.start() - 36) : match.start()])
        after = None if counted else _COUNT_AFTER.search(case.text, match.end(), high)
        word = counted[1] if counted else (after[1] or after[2]) if after else ""
        count = int(word) if word.isdigit() else NUMBERS.get(word, 0)
        if not count:
            singular = not match[1].endswith(("s", "ae", "um"))
            count = 1 if singular or match[1].endswith("sis") else 0
        if not count:
            case.ask(
                ASK_COUNT,
                "How many lesions were destroyed?",
                *match.span(),
            )
            continue
        _destroy(case, match, count)


def _destroy(case: Case, match: re.Match[str], count: int) -> None:
    why = f"{count} lesions were destroyed"
    if match[1].startswith(("actinic", "ak")):
        add_service(case, "17000" if count < 15 else "17004", match.span(), AK, why)
        if 1 < count < 15:
            add_service(case, "17003", match.span(), AK, why, units=count - 1)
    else:
        add_service(case, "17110" if count < 15 else "17111", match.span(), AK, why)


RULES = (named, joints, destroyed)
