"""A document's codes while they are being worked out: candidates that rules may replace, reject or add to.

Every change is logged on the candidate in words, with the id of the rule that made it. A code that is printed on the
page is never replaced or rejected by a rule: what the rule says becomes a suggestion beside it.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from copy import copy
from dataclasses import dataclass

import msgspec

from extractors.coding.lexicon import Lexicon
from extractors.findings.cues import Cued, Vocabulary, cued
from extractors.model import CodeStatus, Convention, Document, Finding, Findings, Gap, Setting, Span
from fhir_profiles.systems import ICD10CM

LEAD, REACH = 120, 180  # characters before and after a cue within which its pattern is tried
_LAST = "\uffff"  # after every name
NO_FINDING = -1  # a rule read the words itself: the coder makes a finding of them
ASKED = Vocabulary()  # what all rules look for


def asked(pattern: str, begins: Iterable[str] = ()) -> Cued:
    """A pattern of a rule; `begins` are words one of which each of its matches begins with."""
    return cued(_with_short(pattern), ASKED, begins=begins)


def around(pattern: str, cues: Iterable[str]) -> Cued:
    """A pattern of a rule that is tried only around these words."""
    return cued(_with_short(pattern), ASKED, around=cues)


def _with_short(pattern: str) -> str:
    """The pattern that reads the causes of shorthand as well: "d/t", "2/2"."""
    return pattern.replace("due to", "(?:due to|d/t|2/2)") if "secondary to" in pattern else pattern


class Candidate(msgspec.Struct, eq=False, gc=False):
    """A code under consideration, with its evidence and why it is there."""

    system: str
    code: str
    start: int
    end: int
    finding: int
    confidence: float
    status: CodeStatus = "accepted"
    reasons: list[str] = []
    rule: str | None = None
    printed: bool = False
    evidence: list[Span] = []
    modifiers: tuple[str, ...] = ()
    units: int = 1
    rank: int = 0  # claim order asked for by a rule: lower first


@dataclass(frozen=True, slots=True)
class Rule:
    """A guideline rule: its id, the section it stands in, and what it does, in one line for the catalogue."""

    id: str
    cites: str
    does: str


class Case:
    """What a rule sees and may do."""

    def __init__(
        self,
        document: Document,
        findings: Findings,
        lexicon: Lexicon,
        setting: Setting,
        convention: Convention = "guidelines",
    ) -> None:
        self.document = document
        self.findings = findings
        self.lexicon = lexicon
        self.setting = setting
        self.convention = convention
        lower = document.text.lower()
        self.text = lower if len(lower) == len(document.text) else document.text
        self.seen = ASKED.read(self.text)
        self.candidates: list[Candidate] = []
        self.gaps: list[Gap] = []

    def beside(self) -> Case:
        """Another case of the same document, still without candidates."""
        other = copy(self)
        other.candidates = []
        return other

    def section_at(self, offset: int) -> str:
        """The normalised name of the section that an offset is in, "" before the first header."""
        number = bisect_right(self.findings.sections, (offset, _LAST)) - 1
        return self.findings.sections[number][1] if number >= 0 else ""

    def accepted(self, *prefixes: str) -> list[Candidate]:
        """The accepted ICD-10-CM candidates whose code begins with one of the prefixes."""
        return [
            c for c in self.candidates if c.status == "accepted" and c.code.startswith(prefixes) and c.system == ICD10CM
        ]

    def has(self, *prefixes: str) -> bool:
        """True when such a candidate is accepted."""
        for c in self.candidates:  # a plain loop: every rule asks, of every note
            if c.status == "accepted" and c.code.startswith(prefixes) and c.system == ICD10CM:
                return True
        return False

    def says(self, *words: str) -> bool:
        """True when the text has one of these strings: the cheap question before a pattern."""
        return ASKED.says(self.seen, words)

    def first(self, pattern: Cued) -> re.Match[str] | None:
        """The first match in the lower-cased text, be it denied or not."""
        return pattern.pattern.search(self.text) if self.seen.may(pattern) else None

    def each(self, pattern: Cued) -> Iterator[re.Match[str]]:
        """The matches in the lower-cased text, be they denied or not."""
        return self.seen.each(pattern)

    def search(self, pattern: Cued) -> Iterator[re.Match[str]]:
        """Matches in the lower-cased text that are not denied just before."""
        for match in self.seen.each(pattern):
            if not _DENIED.search(self.text, max(0, match.start() - 24), match.start()):
                yield match

    def near(self, pattern: Cued) -> Iterator[re.Match[str]]:
        """As `search`, but only around its words: a pattern over a whole note costs more than all else."""
        done = 0
        for at in self.seen.of(pattern.words) if self.seen.may(pattern) else ():
            low = max(done, at - LEAD)
            if at + REACH <= low:
                continue
            for match in pattern.pattern.finditer(self.text, low, min(len(self.text), at + REACH)):
                if match.start() >= done and not _DENIED.search(self.text, max(0, match.start() - 24), match.start()):
                    yield match
                done = match.end()

    def replace(self, candidate: Candidate, code: str, rule: Rule, why: str) -> None:
        """Change a candidate's code; a printed one stays and the better code is suggested beside it."""
        if candidate.code == code:
            return
        if candidate.printed:
            new = self.add(code, candidate.start, candidate.end, rule, why, finding=candidate.finding)
            if new is not None and not new.printed:
                new.status = "suggested"
            return
        candidate.reasons.append(f"{why} ({rule.id}; {rule.cites}): {candidate.code} becomes {code}")
        candidate.code, candidate.rule = code, rule.id

    def reject(self, candidate: Candidate, rule: Rule, why: str, status: CodeStatus = "rejected") -> None:
        """Take a candidate out, unless it is printed on the page."""
        if candidate.printed:
            return
        candidate.status, candidate.rule = status, rule.id
        candidate.reasons.append(f"{why} ({rule.id}; {rule.cites})")

    def add(
        self,
        code: str,
        start: int,
        end: int,
        rule: Rule,
        why: str,
        *,
        system: str = ICD10CM,
        finding: int | None = None,
        confidence: float = 0.85,
        units: int = 1,
    ) -> Candidate | None:
        """Add a code that the words between start and end support; an accepted equal one gets the evidence instead."""
        for known in self.candidates:
            if known.code == code and known.system == system and known.status == "accepted":
                if (start, end) != (known.start, known.end) and (start, end) not in known.evidence:
                    known.evidence.append((start, end))
                self.note(known, rule, why)
                return known
        if self.lexicon.display(system, code) is None:
            return None
        new = Candidate(
            system,
            code,
            start,
            end,
            NO_FINDING if finding is None else finding,
            confidence,
            reasons=[f"{why} ({rule.id}; {rule.cites})"],
            rule=rule.id,
            units=units,
        )
        self.candidates.append(new)
        return new

    def note(self, candidate: Candidate, rule: Rule, why: str) -> None:
        """Say once on a candidate that a rule asks for it as well, or for its place."""
        said = f"{why} ({rule.id}; {rule.cites})"
        if said not in candidate.reasons:
            candidate.reasons.append(said)

    def ask(self, rule: Rule, asks: str, start: int, end: int) -> None:
        """Say what the text would have to tell before the rule could choose a code; each question once."""
        if all(gap.id != rule.id for gap in self.gaps):
            self.gaps.append(Gap(rule.id, asks, rule.cites, start, end))

    def of(self, candidate: Candidate) -> Finding | None:
        """The finding a candidate came from."""
        return self.findings.items[candidate.finding] if candidate.finding >= 0 else None


_DENIED = re.compile(  # one set of letters in front: the engine skips all others without a try
    r"[dnrw](?<!\w[dnrw])(?:(?<=n)(?:ot?|ever|egative for)|(?<=d)(?:enies|enied)|(?<=w)(?:ithout|/o)"
    r"|(?<=r)(?:ule out|/o))\b[^.;\n]{0,12}$"
)
