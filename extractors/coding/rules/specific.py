"""From a code to the more exact one of its category: the title all of whose words stand in the clause (I.B.2)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

from extractors.coding.case import Candidate, Case, Rule, asked
from extractors.coding.clauses import clause_of, dominant, side_beside
from extractors.coding.shorthand import spelled
from extractors.coding.sites import only_site
from extractors.coding.tables import table
from extractors.coding.titles import Title, best, content, meant, met, read_title
from fhir_profiles.systems import ICD10CM

EXACT = Rule("exact-title", "I.B.2", "A code becomes that of its category whose title's every word the clause has")
SAID = Rule("said-by-the-code", "I.B.9", "What a combination code says is not coded beside it")
SURER = 0.6
_SIDES = frozenset({"right", "left", "bilateral"})
_WHOLE = ("E08", "E09", "E10", "E11", "E13", "F01", "F02", "F03", "I63")  # their titles join what lists part
_DIABETES = ("E08", "E09", "E10", "E11", "E13")


def exact_title(case: Case) -> None:
    """Every accepted code becomes the most exact of its category that the clause supports."""
    rows = table("wording")
    skipped, again, accepted = tuple(rows["not_in"]), [], case.accepted("")
    for candidate in [c for c in case.candidates if c.status == "accepted" or _unsure(case, c)]:
        if candidate.system != ICD10CM or candidate.printed or candidate.code.startswith(skipped):
            continue
        found = _exact(case, candidate, accepted)
        if found is not None:
            again.append((candidate, *found))
    for candidate, title, clause in again:
        if candidate.status != "rejected":
            case.replace(candidate, title.code, EXACT, "The clause has every word of its title")
            candidate.status, candidate.confidence = "accepted", max(candidate.confidence, SURER)
            _absorb(case, candidate, title, clause)


def _unsure(case: Case, candidate: Candidate) -> bool:
    """Suggested for no other reason than that its words alone say little: more words of its title say more."""
    finding = case.of(candidate)
    return (
        candidate.status == "suggested" and candidate.rule is None and finding is not None and finding.assertion.present
        and not only_site(case.text[candidate.start : candidate.end])
    )  # fmt: skip


_ARTERY = re.compile(
    r"\b(right|left) (?:mca|aca|pca|ica|middle|anterior|posterior|internal|carotid|vertebral|cerebell\w+)\b"
)


def _exact(case: Case, candidate: Candidate, accepted: Sequence[Candidate]) -> tuple[Title, tuple[int, int]] | None:
    code = candidate.code
    start, end = clause_of(case, candidate, listed=not code.startswith(_WHOLE), among=accepted)
    own = read_title(code, case.lexicon.display_of(code))
    said = unsaid(case.text[start:end])
    if case.setting != "inpatient" and case.seen.between(_UNSURE, start, end):
        said = _UNSURE.pattern.sub(" ", said)  # what is uncertain adds nothing (IV.H)
    if case.seen.between(_DRUG, start, end):
        said = _DRUG.pattern.sub(" ", said)
    words = meant(spelled(said))
    side: str | None = None
    if _SIDES & words:
        sides = _SIDES & words
        artery = _ARTERY.search(case.text, start, end) if code.startswith("I63") else None
        side = artery[1] if artery else next(iter(sides)) if len(sides) == 1 else side_beside(case, candidate)
        words = (words - _SIDES) | ({side} if side else frozenset())
    if code.startswith(("G81", "G83", "I69")):
        words |= dominant(spelled(case.text[start:end]), case.text, side)
    if code[0] == "I" and not words.isdisjoint({"leg", "legs"}):
        words |= {"lower"}  # chapter 9 names the limb, not the leg
    asserted = own.words & words & content(case.text[candidate.start : candidate.end])
    category = case.lexicon.display_of(code[:3])
    presumed = own.words if " and " in category or " or " in category else own.words | content(category)
    if code.startswith(_DIABETES) and "retinopathy" in words:
        presumed |= {"diabetic"}
    least = met(own, words)
    never = _never()
    unsaid_kind = case.lexicon.display_of(code).endswith("unspecified")
    ranges = table("wording")["wider"].get(code[:3], [code[:3]])
    fitting = [
        t
        for t in case.lexicon.titles(*ranges).fitting(words | presumed)
        if met(t, words) > least
        and not any(need <= words for need in t.denied)
        and not t.code.startswith(never)
        and _adds(t, words, presumed)
        and not (unsaid_kind and _only_place(case, t, presumed))
    ]
    asserted |= frozenset() if own.open else own.words  # what is exact already loses nothing
    title = best(fitting, words, asserted, code)
    return (title, (start, end)) if title is not None and title.code != code else None


@cache
def _never() -> tuple[str, ...]:
    return tuple(table("wording")["never"])


def _adds(title: Title, words: frozenset[str], presumed: frozenset[str]) -> bool:
    """True when the clause itself has what the title says beyond the code."""
    new = title.words - presumed
    own = words - presumed
    pairs = (need for need in title.needed if len(need) > 1)
    return bool(new) and new <= words | _loose(title, words) and all(need <= presumed or need & own for need in pairs)


def _only_place(case: Case, title: Title, presumed: frozenset[str]) -> bool:
    """An "other" kind that adds nothing but the place: of an unsaid kind it says too much."""
    return case.lexicon.display_of(title.code).startswith("Other ") and only_site(" ".join(title.words - presumed))


def _loose(title: Title, words: frozenset[str]) -> frozenset[str]:
    """The words of a title that its clause need not have, the other of their pair being there."""
    return frozenset(w for need in title.needed if len(need) > 1 and need & words for w in need)


_UNSAID = re.compile(
    r"[adnuw](?<!\w[adnuw])(?:(?<=w)ithout|(?<=w)/o|(?<=n)ot?|(?<=n)ever|(?<=d)enies|(?<=n)egative for"
    r"|(?<=a)bsence of|(?<=u)nrelated to)\b.*?(?=,|\bwith\b|\bbut\b|$)",
    re.DOTALL,
)
_DRUG = asked(  # "on chronic warfarin" tells of the drug
    r"(?<!acute )\bon (?:chronic|long[- ]term|lifelong) (?=[a-z]+\b(?! (?:kidney|dialysis)))"
)


_UNSURE = asked(
    r"\b(?:(?:could|may|might)(?: well)? (?:be|have)|possibl[ey]|perhaps|suspect(?:ed|ing)?|suspicious for|rule out|r/o"
    r"|concern(?:ing)? for|versus|vs\.?|questionable)\b[\s\S]*?(?=,|\bwith\b|\bbut\b|$)"
)


def unsaid(text: str) -> str:
    """The clause without what it denies."""
    return _UNSAID.sub(" ", text)


def _absorb(case: Case, keeper: Candidate, title: Title, clause: tuple[int, int]) -> None:
    kept = tuple(table("wording")["kept"])
    for other in case.accepted(""):
        if other is keeper or other.printed or other.code.startswith(kept) or other.code == keeper.code:
            continue
        inside = clause[0] <= other.start and other.end <= clause[1]
        if inside and meant(case.text[other.start : other.end]) & title.words and _says(case, other, title):
            case.reject(other, SAID, f"{title.code} says it")


def _says(case: Case, other: Candidate, title: Title) -> bool:
    words = content(case.text[other.start : other.end])
    return all(meant(w) & title.words for w in words - _SIDES)


RULES = (exact_title,)
