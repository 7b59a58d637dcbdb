"""From findings to ICD-10-CM candidates: best meaning, billable leaf, and what the assertion allows."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from extractors.coding.case import Candidate, Case
from extractors.coding.learned import Model, model
from extractors.coding.learned.candidates import is_narrative, narrative_candidates
from extractors.coding.lexicon import Lexicon
from extractors.coding.tables import chronic, history_of, other_meaning
from extractors.coding.weigh import SHORT, confidence
from extractors.model import CodeStatus, Finding
from fhir_profiles.systems import ICD10CM

ACCEPT = 0.4  # below it a coder decides
MOST = 0.95  # words alone are never as sure as a printed code


def text_candidates(case: Case, learned: Model | None = None) -> None:
    """Add a candidate for each problem that the text names, accepted only where its assertion allows."""
    if case.convention == "mentions" or is_narrative(case):
        narrative_candidates(case, learned or model(), decide)
        return
    size = max(len(case.text), 1)
    meant = list(_meant(case))
    mentions = Counter(leaf for *_, leaf, f in meant if not (f.assertion.negated or f.assertion.family))
    for number, score, named, leaf, finding in meant:
        if other_meaning(finding.text.lower(), case.text[finding.end : finding.end + 72]):
            continue
        printed = _printed(case, leaf, finding)
        if printed is not None:
            printed.evidence.append((finding.start, finding.end))
            continue
        sure = confidence(
            score, mentions[leaf], finding.start / size, historical=finding.assertion.historical,
            possible=finding.assertion.possible, section=finding.section, short=size <= SHORT,
        )  # fmt: skip
        candidate = Candidate(ICD10CM, leaf, finding.start, finding.end, number, round(min(sure, MOST), 3))
        where = f" in {finding.section.replace('_', ' ')}" if finding.section else ""
        candidate.reasons.append(f'"{finding.text}"{where} names it')
        if leaf != named:
            candidate.reasons.append(f"{named} is not billable: the text says no more than {leaf}")
        decide(case, candidate, finding)
        case.candidates.append(candidate)


def _meaning(finding: Finding) -> tuple[str, str, float] | None:
    """The diagnosis that the words most likely mean."""
    for concept in finding.concepts:  # a plain loop: every finding is asked, and the first concept is mostly it
        if concept[0] == ICD10CM:
            return concept
    return None


def _named(lexicon: Lexicon, finding: Finding, likeliest: str) -> str:
    """Our own code of the words, where we have one against the likeliest of case reports."""
    ours = lexicon.ours(finding.text)
    return likeliest if ours is None else ours


def _meant(case: Case) -> Iterator[tuple[int, float, str, str, Finding]]:
    """The problems that have a code: number, score, the code that is named, its billable leaf, the finding."""
    for number, finding in enumerate(case.findings.items):
        best = _meaning(finding) if finding.kind == "problem" else None
        if best is not None:
            named = _named(case.lexicon, finding, best[1])
            leaf = case.lexicon.leaf(named)
            if leaf is not None:
                yield number, best[2], named, leaf, finding


def _printed(case: Case, leaf: str, finding: Finding) -> Candidate | None:
    """The printed code that these words belong to: the same code, or the label beside one of the same category."""
    for candidate in case.candidates:
        if not candidate.printed or candidate.system != ICD10CM or candidate.status != "accepted":
            continue
        if candidate.code == leaf and finding.assertion.present:
            return candidate
        owner = case.of(candidate)
        label = owner.attributes.get("label_span") if owner is not None else None
        if label and label[0] <= finding.start < label[1] and candidate.code[:3] == leaf[:3]:
            return candidate
    return None


def decide(case: Case, candidate: Candidate, finding: Finding, least: float = ACCEPT) -> None:
    """The status that the assertion, the setting and the confidence (`least`: to be accepted) allow."""
    status, why = _allowed(case, candidate, finding) if case.convention == "guidelines" else ("accepted", None)
    if status == "accepted" and candidate.confidence < least:
        status, why = "suggested", "The words alone are not sure enough"
    candidate.status = status
    if why:
        candidate.reasons.append(why)


def _found_at_screening(case: Case, finding: Finding) -> bool:
    """The only reason to doubt is the word screening, and that names the encounter: what it found is real."""
    triggers = [t for t in finding.assertion.triggers if t[2] == "HYPOTHETICAL"]
    found = [case.text[a:b] for a, b, _ in triggers]
    return (
        bool(found)
        and all(w == "screening" for w in found)
        and (any(c in case.text[triggers[0][1] : finding.start] for c in ";.:") or _is_found(case, finding))
    )


_CAUSE = re.compile(r"\b(?:organism|pathogen|cause|source|etiology|bacteria)(?: was| is)? $")


def _of_cause(case: Case, finding: Finding) -> bool:
    """What is denied is that its cause was found: "UTI, organism not identified"."""
    triggers = [t for t in finding.assertion.triggers if t[0] >= finding.end]
    return bool(triggers) and all(_CAUSE.search(case.text, max(0, a - 24), a) for a, _, _ in triggers)


_FOUND = re.compile(r"^[^.;:]{0,24}\b(?:(?:was|were) )?(?:found|seen|removed|detected|identified|noted)\b")
_SHOWED = re.compile(r"\b(?:found|showed|shows|revealed|detected|identified) (?:an? |the |\w+ )?$")


def _is_found(case: Case, finding: Finding) -> bool:
    """The words beside it say that it was found."""
    before = case.text[max(0, finding.start - 24) : finding.start]
    return bool(_FOUND.match(case.text[finding.end : finding.end + 60]) or _SHOWED.search(before))


def _is_known(case: Case, finding: Finding) -> bool:
    """What is called known is there: "known cancer of the breast"."""
    triggers = [case.text[a:b] for a, b, kind in finding.assertion.triggers if kind == "HISTORICAL"]
    return bool(triggers) and all(word == "known" for word in triggers)


def _allowed(case: Case, candidate: Candidate, finding: Finding) -> tuple[CodeStatus, str | None]:
    says = finding.assertion
    stated = candidate.code.startswith(("Z8", "Z9", "Z79", "Z77", "I25.2"))  # the phrase itself says history or status
    if says.family and not candidate.code.startswith(("Z80", "Z81", "Z82", "Z83", "Z84")):
        return "rejected", "It is about a relative"
    if says.negated and not candidate.code.startswith(("Z91.1", "Z28")) and not _of_cause(case, finding):
        return "rejected", "The text denies it"
    if says.hypothetical and not _found_at_screening(case, finding):
        return "rejected", "The text speaks of what might happen"
    if says.possible:
        if case.setting == "inpatient":
            return "accepted", "Uncertain at discharge is coded as if it existed in the inpatient setting (II.H)"
        return "rejected", "An uncertain diagnosis is not coded in the outpatient setting (IV.H)"
    if says.historical and not stated and not (chronic(candidate.code) and _is_known(case, finding)):
        past = history_of(candidate.code)
        if past and not (chronic(candidate.code) and finding.section == "pmh" and candidate.code[0] != "C"):
            candidate.reasons.append(f"The text speaks of the past: {candidate.code} becomes {past} (I.C.21.c.4)")
            candidate.code, candidate.rule = past, "history"
            return "accepted", None
        if chronic(candidate.code):
            return "accepted", "A chronic condition does not pass: a history of it means that it is there"
        if candidate.code[0] == "R" and finding.section in ("", "hpi", "chief_complaint"):
            return "accepted", "A history of a symptom in the present illness is the symptom"
        return "suggested", "The text speaks of the past"
    return "accepted", None
