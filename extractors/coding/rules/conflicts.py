"""Which codes may not stand together: integral signs, vaguer codes beside exact ones, abuse beside dependence."""

from __future__ import annotations

from extractors.coding.case import Candidate, Case, Rule
from extractors.coding.tables import table

INTEGRAL = Rule("integral-sign", "I.B.5")
VAGUE = Rule("highest-specificity", "I.B.2")
DEPENDENCE = Rule("dependence-over-abuse", "I.C.5.b.2")
PREGNANT = Rule("pregnancy-chapter-first", "I.C.15.a.1")
EXCLUDES1 = Rule("excludes1", "I.A.12.a")
ORGANISM = Rule("organism-in-the-code", "I.B.9")


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


def integral_signs(case: Case) -> None:
    """A sign that belongs to a coded disease is not coded beside it."""
    signs = case.accepted("R", "M25.5", "M54.5", "M79.6", "G89")
    if not signs:
        return
    for row in table("integral")["diseases"]:
        if not case.has(*row["disease"]):
            continue
        for sign in signs:
            if sign.status == "accepted" and sign.code.startswith(tuple(row["signs"])):
                case.reject(sign, INTEGRAL, "It is a usual sign of a coded disease")


def vague_beside_exact(case: Case) -> None:
    """The category's "unspecified" code falls when a more exact code of the same category stands."""
    codes = case.accepted("")
    for candidate in codes:
        family = candidate.code[:3]
        if case.lexicon.leaf(family) != candidate.code and candidate.code not in _vague():
            continue
        exact = next(
            (c for c in codes if c.code[:3] == family and c.code != candidate.code and c.status == "accepted"), None
        )
        if exact is not None and not candidate.printed:
            case.reject(candidate, VAGUE, f"{exact.code} says more")


def _vague() -> frozenset[str]:
    return frozenset(table("integral")["vague"])


def dependence_over_abuse(case: Case) -> None:
    """Abuse and dependence of one substance: dependence only; use falls beside either."""
    for candidate in case.accepted("F10", "F11", "F12", "F13", "F14", "F15", "F16", "F18", "F19"):
        family, pattern = candidate.code[:4], candidate.code[4]
        stronger = {"1": (family + "2",), "9": (family + "1", family + "2")}.get(pattern)
        if stronger and case.has(*stronger):
            case.reject(candidate, DEPENDENCE, "Only the strongest pattern of use is coded")


def pregnancy_first(case: Case) -> None:
    """With a chapter 15 code, Z33.1 falls and diabetes of chapter 4 is not coded from "diabetes" alone."""
    if not case.has("O"):
        return
    for candidate in case.accepted("Z33.1", "Z34"):
        case.reject(candidate, PREGNANT, "Chapter 15 codes say it")
    for candidate in case.accepted("O"):
        candidate.rank = min(candidate.rank, -1)


def organism_in_the_code(case: Case) -> None:
    """An infection code that names the organism makes the organism's own code redundant."""
    for prefix, organisms in table("integral")["organism_in_code"].items():
        if case.has(prefix):
            for candidate in case.accepted(*organisms):
                case.reject(candidate, ORGANISM, "The infection's code names the organism")


def excludes1(case: Case) -> None:
    """Of two accepted codes that an Excludes1 note parts, the printed or more exact one stays; a coder may undo it.

    The note names the code to use instead of the one it stands at; two conditions that have nothing to do with each
    other may both be coded, which a person must say.
    """
    codes = case.accepted("")
    every = [c.code for c in codes]
    for one in codes:
        barred = case.lexicon.excluded(one.code, every)
        for other in codes if barred else ():
            if one is other or one.status != "accepted" or other.status != "accepted" or one.code == other.code:
                continue
            if other.code not in barred:
                continue
            loser, keeper = (one, other) if _exact(case, other) >= _exact(case, one) else (other, one)
            if not loser.printed:
                case.reject(loser, EXCLUDES1, f"An Excludes1 note parts it from {keeper.code}", "suggested")


def _exact(case: Case, candidate: Candidate) -> tuple[bool, bool, bool]:
    """Printed before read, a disease before a sign, a stated detail before an unspecified one."""
    vague = "unspecified" in case.lexicon.display_of(candidate.code).lower()
    return candidate.printed, candidate.code[0] != "R", not vague


RULES = (
    site_left_open,
    hypertension_once,
    organism_in_the_code,
    dependence_over_abuse,
    pregnancy_first,
    vague_beside_exact,
    integral_signs,
    excludes1,
)
