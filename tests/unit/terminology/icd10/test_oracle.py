"""ICD-10-CM against a second, slow reading of the official files that shares no code with the module."""

import importlib.util
import random
import re
import string
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pytest

from fhir_profiles.systems import ICD10CM
from terminology import Terminology

FOLDER = Path(importlib.util.find_spec("simple_icd_10_cm").submodule_search_locations[0]) / "data"
IN_FORCE = date(2026, 6, 1)


@dataclass
class Known:
    """What the slow reading found of a code."""

    parent: str | None
    billable: bool
    seventh: str | None = None
    excludes1: list[str] = field(default_factory=list)
    excludes2: list[str] = field(default_factory=list)


def listed() -> set[str]:
    """The official code list without chapters and blocks."""
    words = re.split(r"\s+", (FOLDER / "code-list-April-2026.txt").read_text("ascii").strip())
    return {w for w in words if re.fullmatch(r"[A-Z]\w{2,6}", w)}


def read_again() -> dict[str, Known]:
    """The tabular XML without recursion: each code looks up the tree, and the code list is the judge."""
    codes = listed()
    root = ET.parse(FOLDER / "icd10c-tabular-April-1-2026.xml").getroot()
    above = {child: parent for parent in root.iter() for child in parent}
    found: dict[str, Known] = {}
    for diag in root.iter("diag"):
        code = diag.find("name").text.strip()
        outer = above[diag]
        inner = diag.find("diag") is not None
        sevenths: dict[str, str] = {}
        place: ET.Element | None = diag
        while place is not None and not sevenths:
            sevenths = {e.attrib["char"]: " ".join(e.text.split()) for e in place.findall("sevenChrDef/extension")}
            place = above.get(place)
        extended = [] if inner else list(extend(code, sevenths, codes))
        parent = outer.find("name").text.strip() if outer.tag == "diag" else None
        texts = {
            kind: [re.sub(r"\s+", " ", n.text).strip() for n in diag.findall(f"{kind}/note") if n.text]
            for kind in ("excludes1", "excludes2")
        }
        found[code] = Known(parent, billable=not inner and not extended, **texts)
        found.update({c: Known(code, billable=True, seventh=meaning) for c, meaning in extended})
    return found


def extend(code: str, sevenths: dict[str, str], codes: set[str]) -> Iterator[tuple[str, str]]:
    """The codes with a 7th character that the list holds."""
    bare = code.replace(".", "")
    if sevenths and len(bare) < 7:
        for character, meaning in sevenths.items():
            full = bare + "X" * (6 - len(bare)) + character
            if full in codes:
                yield full[:3] + "." + full[3:], meaning


@pytest.fixture(scope="module")
def oracle() -> dict[str, Known]:
    """Every code by the slow reading."""
    return read_again()


def test_both_readings_hold_the_same_codes(terminology: Terminology, oracle: dict[str, Known]) -> None:
    """98,186 codes, 74,719 of them billable, and those of the official list."""
    concepts = {c.code: c for c in terminology.concepts(ICD10CM, "2026-04") if not c.group}
    assert concepts.keys() == oracle.keys()
    assert {c.replace(".", "") for c in oracle} == listed() and len(oracle) == 98_186
    assert sum(k.billable for k in oracle.values()) == 74_719
    assert {c for c, k in oracle.items() if k.billable} == {c for c, k in concepts.items() if k.billable}


def test_two_thousand_codes_are_told_alike(terminology: Terminology, oracle: dict[str, Known]) -> None:
    """Existence, billing, parent, 7th character, excludes and date of 2,000 codes drawn by chance."""
    for code in random.Random(20260401).sample(sorted(oracle), 2_000):
        known = oracle[code]
        answer = terminology.validate_code(ICD10CM, code, on=IN_FORCE)
        assert (answer.result, answer.billable, answer.version) == (True, known.billable, "2026-04"), code
        concept = terminology.lookup(ICD10CM, code, on=IN_FORCE)
        parent = terminology.lookup(ICD10CM, concept.parent)
        assert (None if parent.group else parent.code) == known.parent, code
        assert concept.properties.get("seventh") == known.seventh, code
        notes = terminology.notes(ICD10CM, code)
        for kind in ("excludes1", "excludes2"):
            assert [text for k, text in notes if k == kind] == getattr(known, kind), code


def test_every_header_with_a_7th_character_names_the_choices(
    terminology: Terminology, oracle: dict[str, Known]
) -> None:
    """A code that lacks its 7th character is told with the first code that completes it."""
    stems = sorted({k.parent for k in oracle.values() if k.seventh and k.parent})
    for stem in random.Random(7).sample(stems, 300):
        message = terminology.validate_code(ICD10CM, stem, on=IN_FORCE).message
        first = next(c for c, k in oracle.items() if k.parent == stem)
        assert "needs a 7th character" in message and f"{first} {oracle[first].seventh}" in message, stem


def test_mutated_codes_are_refused(terminology: Terminology, oracle: dict[str, Known]) -> None:
    """2,000 codes with one character changed, dropped or added are valid only where the list holds them."""
    chance, codes = random.Random(99), sorted(oracle)
    seen = 0
    while seen < 2_000:
        code = chance.choice(codes)
        at, letter = chance.randrange(len(code)), chance.choice(string.ascii_uppercase + string.digits)
        wrong = chance.choice((code[:at] + letter + code[at + 1 :], code[:at] + code[at + 1 :], code + letter))
        if wrong in oracle or not wrong:
            continue
        seen += 1
        answer = terminology.validate_code(ICD10CM, wrong, on=IN_FORCE)
        assert not answer.result and answer.issue == "code-invalid" and answer.message, wrong


def test_a_missing_placeholder_is_put_in(terminology: Terminology, oracle: dict[str, Known]) -> None:
    """Codes without their X are answered by an existing billable code: the one meant, where only one can be."""
    padded = [c for c, k in oracle.items() if k.billable and "X" in c[3:] and len(c) == 8]
    meant = 0
    for code in (sample := random.Random(5).sample(padded, 300)):
        wrong = code[:3] + "." + code[4:].replace("X", "")
        if wrong in oracle or wrong.endswith("."):
            sample.remove(code)
            continue
        message = terminology.validate_code(ICD10CM, wrong, on=IN_FORCE).message
        suggested = re.findall(r"[A-Z]\w\w\.\w{4}", message.split("did you mean")[-1])
        assert suggested and all(oracle[s].billable for s in suggested if s in oracle), (code, message)
        meant += code in suggested
    assert meant >= 0.9 * len(sample)
