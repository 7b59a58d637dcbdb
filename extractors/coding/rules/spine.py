"""Disks and joints of the spine by their level, with what they press on (I.B.2, I.B.9)."""

from __future__ import annotations

import re

from extractors.coding.case import Candidate, Case, Rule, asked
from extractors.coding.clauses import bounds
from extractors.coding.sites import region_of

DISK = Rule("disk-level", "I.B.2, I.B.9", "A disk disorder is coded by its level, and by what it presses on")
SPONDYLOSIS = Rule("spondylosis-level", "I.B.2, I.B.9", "Spondylosis is coded by its level, and by what it presses on")
_LEVEL = re.compile(
    r"\b[ctl]\d{1,2}(?: ?[-/] ?[ctls]?\d{1,2})?\b"
    r"|\b(?:cervicothoracic|thoracolumbar|lumbosacral|cervical|thoracic|lumbar)\b"
)
_DISK = asked(
    r"\b(?:herniated|bulging|slipped|ruptured|protruding|extruded|degenerat(?:ive|ed)) (?:\w+ ){0,2}dis[ck]s?\b"
    r"|\bdis[ck]s? (?:herniations?|protrusions?|extrusions?|bulges?|displacement|degeneration|disease)\b"
    r"|\bhnp\b|\bddd\b"
)
_SPONDYLOSIS = asked(r"\bspondylosis\b")
_ROOT = re.compile(
    r"(?<!no )(?<!without )(?<!w/o )\b(?:radiculopath\w+|sciatica|radiculitis|radicular (?:pain|symptoms))"
)
_CORD = re.compile(r"(?<!no )(?<!without )(?<!w/o )\bmyelopath\w+")
_WORN = re.compile(r"\bddd\b|degenerat|dis[ck]s? disease")
_REGION = {"thoracic": "4", "thoracolumbar": "5", "lumbar": "6", "lumbosacral": "7"}
_SPINE = {"cervical": "2", "cervicothoracic": "3", "thoracic": "4", "thoracolumbar": "5", "lumbar": "6",
          "lumbosacral": "7"}  # fmt: skip
_MIDDLE = {"4": "1", "5": "2", "6": "3"}
_PAIN = ("M54.1", "M54.3", "M54.4")


def disks(case: Case) -> None:
    """A disk by its level, and with the nerve root or the cord that it presses on."""
    for match in case.search(_DISK):
        low, high = bounds(case.text, *match.span(), ".\n")
        level = _nearest(case.text, low, high, match)
        if level is None:
            continue
        clause = case.text[low:high]
        kind = "0" if _CORD.search(clause) else "1" if _ROOT.search(clause) else "3" if _WORN.search(match[0]) else "2"
        code = _disk_code(case, level[0], kind)
        if code is not None:
            _put(case, DISK, code, ("M50", "M51"), (low, high), (match.start(), match.end()), kind in "01")


def spondylosis(case: Case) -> None:
    """Spondylosis by its region, and with the nerve root or the cord that it presses on."""
    for match in case.search(_SPONDYLOSIS):
        low, high = bounds(case.text, *match.span(), ".\n")
        level = _nearest(case.text, low, high, match)
        region = (region_of(level[0]) or level[0]) if level else ""
        if region not in _SPINE:
            continue
        clause = case.text[low:high]
        kind = "M47.1" if _CORD.search(clause) else "M47.2" if _ROOT.search(clause) else "M47.81"
        code = f"{kind}{_SPINE[region]}"
        _put(case, SPONDYLOSIS, code, ("M47",), (low, high), (match.start(), match.end()), kind == "M47.2")


def _nearest(text: str, low: int, high: int, match: re.Match[str]) -> re.Match[str] | None:
    """The level that stands nearest to a mention in its sentence; levels in figures before words."""
    found = list(_LEVEL.finditer(text, low, high))
    exact = [m for m in found if any(c.isdigit() for c in m[0])]
    return min(exact or found, key=lambda m: max(m.start() - match.end(), match.start() - m.end()), default=None)


def _disk_code(case: Case, level: str, kind: str) -> str | None:
    region = region_of(level) or level
    if region in ("cervical", "cervicothoracic"):
        figures = re.findall(r"\d+", level)
        place = "3" if region != "cervical" else "1" if figures and figures[0] in "23" else "2" if figures else "0"
        code = f"M50.{kind}{place}" + (_MIDDLE.get(figures[0], "0") if place == "2" else "")
    else:
        code = f"M51.{kind}{_REGION[region]}" + ("9" if kind == "3" and region in ("lumbar", "lumbosacral") else "")
    return code if case.lexicon.billable(code) else None


def _put(
    case: Case,
    rule: Rule,
    code: str,
    family: tuple[str, ...],
    clause: tuple[int, int],
    span: tuple[int, int],
    root: bool,
) -> None:
    """The code of the level in place of those of its clause that say less."""
    inside = [c for c in case.accepted(*family, *(_PAIN if root else ())) if clause[0] <= c.start < clause[1]]
    own = [c for c in inside if c.code.startswith(family)]
    if any(_as_exact(c, code) for c in own):
        return
    new = case.add(code, *span, rule, "The text names the level")
    for candidate in inside:
        if candidate is not new:
            case.reject(candidate, rule, f"{code} says it")


def _as_exact(candidate: Candidate, code: str) -> bool:
    """A code of the same kind and region that says more already: back pain beside a worn disk."""
    unsaid = "9" if code.startswith("M51.3") else "0"
    return candidate.code == code or (candidate.code[:6] == code[:6] and not candidate.code.endswith(unsaid))


RULES = (disks, spondylosis)
