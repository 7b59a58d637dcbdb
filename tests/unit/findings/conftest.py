"""A small lexicon of our own, in the shape of `extractors.coding.lexicon.Lexicon`."""

from __future__ import annotations

from typing import NamedTuple

import pytest
from ahocorasick_rs import AhoCorasick, MatchKind

from extractors.findings.normalise import Normal, fold, normalise, term
from extractors.model import Document
from fhir_profiles.systems import CPT, HCPCS, ICD10CM, RXNORM

PHRASES = {
    ICD10CM: {
        "I10": "hypertension|essential hypertension|htn",
        "E11.9": "type 2 diabetes|type 2 diabetes mellitus without complications|diabetes",
        "J18.9": "pneumonia",
        "R07.9": "chest pain",
        "R05.9": "cough",
        "R50.9": "fever",
        "R06.02": "shortness of breath",
        "R11.0": "nausea",
        "R60.0": "edema",
        "I50.9": "congestive heart failure|heart failure|chf",
        "J44.9": "copd",
        "I21.9": "myocardial infarction",
        "C18.9": "colon cancer",
        "N18.9": "chronic kidney disease|ckd",
        "M17.9": "osteoarthritis of knee|knee osteoarthritis",
        "I26.99": "pulmonary embolism",
        "R21": "rash",
        "T78.40": "allergy",
    },
    RXNORM: {
        "29046": "lisinopril",
        "6809": "metformin",
        "435": "albuterol|albuterol hfa",
        "11289": "warfarin",
        "274783": "insulin glargine",
        "723": "amoxicillin",
        "7980": "penicillin",
        "1191": "aspirin",
        "4603": "furosemide|lasix",
        "8640": "prednisone",
        "5640": "ibuprofen",
        "161": "acetaminophen|tylenol",
        "8591": "potassium chloride|potassium",
        "10582": "levothyroxine",
        "2670": "codeine",
        "6470": "lorazepam",
    },
    CPT: {"93306": "echocardiogram", "45378": "colonoscopy", "99213": "", "99214": "", "80053": "", "85025": ""},
    HCPCS: {"J1885": "", "G0439": ""},
}


class Entry(NamedTuple):
    system: str
    code: str
    kind: str = "synonym"
    score: float = 0.9


class Hit(NamedTuple):
    start: int
    end: int
    entries: tuple[Entry, ...]


class SmallLexicon:
    """The phrases above."""

    def __init__(self) -> None:
        self._codes = {(s, c): p.partition("|")[0] or c for s, codes in PHRASES.items() for c, p in codes.items()}
        table = [
            (term(p), Entry(s, c))
            for s, codes in PHRASES.items()
            for c, ps in codes.items()
            for p in ps.split("|")
            if p
        ]
        self._entries = [e for _, e in table]
        self._by_term = dict(table)
        self._automaton = AhoCorasick([t for t, _ in table], matchkind=MatchKind.LeftmostLongest)

    def find(self, text: str | Normal) -> list[Hit]:
        normal = normalise(fold(text)) if isinstance(text, str) else text
        return [
            Hit(*normal.span(a, b), (self._entries[i],))
            for i, a, b in self._automaton.find_matches_as_indexes(normal.text)
        ]

    def entries(self, phrase: str) -> tuple[Entry, ...]:
        entry = self._by_term.get(term(phrase))
        return (entry,) if entry else ()

    def alike(self, phrase: str) -> tuple[Entry, ...]:
        return ()

    def display(self, system: str, code: str) -> str | None:
        return self._codes.get((system, code))

    def has_code(self, system: str, code: str) -> bool:
        return (system, code) in self._codes

    everyday = has_code


@pytest.fixture(scope="session")
def lexicon() -> SmallLexicon:
    """The small lexicon."""
    return SmallLexicon()


@pytest.fixture
def document():
    """A plain-text document."""
    return lambda text, **more: Document(text, "text/plain", "0" * 64, **more)
