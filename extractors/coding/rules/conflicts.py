"""Which codes may not stand together: integral signs, vaguer codes beside exact ones, abuse beside dependence."""

from __future__ import annotations

from collections import Counter
from functools import cache, lru_cache

from extractors.coding.case import Candidate, Case, Rule
from extractors.coding.tables import table
from extractors.coding.titles import read_title

INTEGRAL = Rule("integral-sign", "I.B.5", "A usual sign of a coded disease is not coded beside it")
VAGUE = Rule("highest-specificity", "I.B.2", "A vaguer code of the category falls beside an exact one")
DEPENDENCE = Rule("dependence-over-abuse", "I.C.5.b.2", "Of use, abuse and dependence only the strongest is coded")
PREGNANT = Rule("pregnancy-chapter-first", "I.C.15.a.1", "Chapter 15 comes first; Z33.1 and Z34 fall beside it")
EXCLUDES1 = Rule(
    "excludes1",
    "I.A.12.a",
    "Of two codes that an Excludes1 note parts the more exact stays, the other waits for a coder",
)
ORGANISM = Rule("organism-in-the-code", "I.B.9", "An organism's own code falls where the infection's code names it")


def hypertension_once(case: Case) -> None:
    """Where I11-I13 stands, a mention of hypertension elsewhere says nothing new."""
    if case.has("I11", "I12", "I13"):
        for candidate in case.candidates:
            if candidate.code == "I10" and candidate.status == "suggested":
                case.reject(candidate, VAGUE, "Hypertension is in the combination code")


def site_left_open(case: Case) -> None:
    """A skin cancer of a limb whose side the text does not say waits for a coder, who can ask."""
    for candidate in case.accepted("C43", "C44"):
        if candidate.rule == "site" and "unspecified" in case.lexicon.display_of(candidate.code):
            case.reject(candidate, VAGUE, "The text leaves the side of the tumour open", "suggested")


@lru_cache(maxsize=8192)
def _diseases(code: str) -> frozenset[int]:
    """The numbers of the rows of which a code is a disease."""
    rows = table("integral")["diseases"]
    return frozenset(n for n, row in enumerate(rows) if code.startswith(tuple(row["disease"])))


@cache
def _signs() -> tuple[str, ...]:
    return tuple({sign for row in table("integral")["diseases"] for sign in row["signs"]})


def integral_signs(case: Case) -> None:
    """A sign that belongs to a coded disease is not coded beside it."""
    signs = case.accepted(*_signs())
    if not signs:
        return
    rows = table("integral")["diseases"]
    for number in sorted(set().union(*(_diseases(c.code) for c in case.accepted("")))):
        row = rows[number]
        if not case.has(*row["disease"]):
            continue
        for sign in signs:
            if sign.status == "accepted" and sign.code.startswith(tuple(row["signs"])):
                case.reject(sign, INTEGRAL, "It is a usual sign of a coded disease")


def vague_beside_exact(case: Case) -> None:
    """The category's "unspecified" code falls when a more exact code of the same category stands."""
    codes = case.accepted("")
    families = Counter(code[:3] for code in {c.code for c in codes})
    for candidate in codes:
        family = candidate.code[:3]
        if families[family] < 2:
            continue
        if candidate.code not in _vague() and case.lexicon.leaf(family) != candidate.code:
            continue
        exact = next(
            (c for c in codes if c.code[:3] == family and c.code != candidate.code and c.status == "accepted"), None
        )
        if exact is not None and not candidate.printed:
            _say_more(case, candidate, exact)


def _say_more(case: Case, vague: Candidate, exact: Candidate) -> None:
    """The exact code stands for the words of the vaguer one as well."""
    case.reject(vague, VAGUE, f"{exact.code} says more")
    if (span := (vague.start, vague.end)) not in exact.evidence:
        exact.evidence.append(span)


def same_said_better(case: Case) -> None:
    """A code whose title says only a part of what another of its category says is that one, said less well."""
    codes = [c for c in case.accepted("") if not c.code.startswith(("Z", "T", "S", "O"))]
    seen: dict[str, list[Candidate]] = {}
    for candidate in codes:
        seen.setdefault(candidate.code[:3], []).append(candidate)
    for family in seen.values():
        for one in family if len(family) > 1 else ():
            if one.printed or "unspecified" not in case.lexicon.display_of(one.code).lower():
                continue
            said = read_title(one.code, case.lexicon.display_of(one.code)).words
            better = next(
                (o for o in family if o.status == "accepted" and o.code != one.code and _beyond(case, o, said)), None
            )
            if better is not None:
                _say_more(case, one, better)


def injury_place_open(case: Case) -> None:
    """An injury of an unspecified finger or side falls beside the same injury whose place is told."""
    injuries = case.accepted("S") if len(case.accepted("S")) > 1 else []
    opens = {c.code: case.lexicon.display_of(c.code).lower().count("unspecified") for c in injuries}
    for one in injuries:
        better = next((c for c in opens if c[:6] == one.code[:6] and opens[c] < opens[one.code]), None)
        if better is not None and not one.printed:
            case.reject(one, VAGUE, f"{better} says more")


def _beyond(case: Case, other: Candidate, said: frozenset[str]) -> bool:
    return said < read_title(other.code, case.lexicon.display_of(other.code)).words


@cache
def _vague() -> frozenset[str]:
    return frozenset(table("integral")["vague"])


def dependence_over_abuse(case: Case) -> None:
    """Abuse and dependence of one substance: dependence only; use falls beside either."""
    for candidate in case.accepted("F10", "F11", "F12", "F13", "F14", "F15", "F16", "F18", "F19"):
        family, pattern = candidate.code[:4], candidate.code[4]
        stronger = {"1": (family + "2",), "9": (family + "1", family + "2")}.get(pattern)
        if candidate.code.endswith("0") and any(c.code != candidate.code for c in case.accepted(candidate.code[:5])):
            case.reject(candidate, DEPENDENCE, "What it comes with is stated")
            continue
        if stronger and case.has(*stronger):
            rest = candidate.code[5:]
            level = "2" if case.has(family + "2") else "1"
            if pattern == "9" and rest[:1] not in ("", "0", "9") and case.lexicon.billable(f"{family}{level}{rest}"):
                case.replace(candidate, f"{family}{level}{rest}", DEPENDENCE, "The pattern of use is stated")
                for plain in case.accepted(f"{family}{level}0"):
                    case.reject(plain, DEPENDENCE, "What it comes with is stated")
                continue
            case.reject(candidate, DEPENDENCE, "Only the strongest pattern of use is coded")


def pregnancy_first(case: Case) -> None:
    """With a chapter 15 code, Z33.1 falls and diabetes of chapter 4 is not coded from "diabetes" alone."""
    if not case.has("O"):
        return
    for candidate in case.accepted("Z33.1", "Z34"):
        case.reject(candidate, PREGNANT, "Chapter 15 codes say it")
    for candidate in case.accepted("O"):
        candidate.rank = min(candidate.rank, -5)
        case.note(candidate, PREGNANT, "Chapter 15 comes first")


def organism_in_the_code(case: Case) -> None:
    """An infection code that names the organism makes the organism's own code redundant."""
    rows = table("integral")["organism_in_code"]
    for prefix in rows if case.has(*rows) else ():
        if case.has(prefix):
            for candidate in case.accepted(*rows[prefix]):
                case.reject(candidate, ORGANISM, "The infection's code names the organism")


def excludes1(case: Case) -> None:
    """Of two accepted codes that an Excludes1 note parts, the printed or more exact one stays; a coder may undo it.

    The note names the code to use instead of the one it stands at; two conditions that have nothing to do with each
    other may both be coded, which a person must say.
    """
    codes = case.accepted("")
    every = [c.code for c in codes]
    for one in codes:
        barred = case.lexicon.noted("excludes1", one.code, every)
        for other in codes if barred else ():
            if one is other or one.status != "accepted" or other.status != "accepted" or one.code == other.code:
                continue
            if other.code not in barred or (_told_apart(one) and _told_apart(other)):
                continue
            loser, keeper = (one, other) if _exact(case, other) >= _exact(case, one) else (other, one)
            if not loser.printed:
                case.reject(loser, EXCLUDES1, f"An Excludes1 note parts it from {keeper.code}", "suggested")


def _told_apart(candidate: Candidate) -> bool:
    """The text says "acute and chronic": two conditions, not one that may be called by either name (I.B.8)."""
    return any("(acute-and-chronic;" in reason for reason in candidate.reasons)


_PAINS = ("R", "M54", "M25.5", "M79.1", "M79.6")
_ASSESSED = frozenset({"assessment", "assessment_plan", "diagnoses"})


def _exact(case: Case, candidate: Candidate) -> tuple[bool, bool, bool, bool]:
    """Printed before read, a disease before a sign or pain, what was assessed, a stated detail before none."""
    vague = "unspecified" in case.lexicon.display_of(candidate.code).lower()
    assessed = case.section_at(candidate.start) in _ASSESSED
    return candidate.printed, not candidate.code.startswith(_PAINS), assessed, not vague


RULES = (
    site_left_open,
    hypertension_once,
    organism_in_the_code,
    dependence_over_abuse,
    pregnancy_first,
    vague_beside_exact,
    same_said_better,
    injury_place_open,
    integral_signs,
    excludes1,
)
