"""Likeness by runs of three characters, and what it finds in lists of problems."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Callable

import pytest

from extractors.coding.similar import LONGEST, Similar
from extractors.findings.missed import MOST
from extractors.model import Coded

TERMS = ["chronic kidney disease", "chronic liver disease", "kidney stone", "gout", "diabetes mellitus", "cafe au lait"]


def slow(phrase: str, terms: list[str]) -> float:
    """The highest cosine, every term looked at."""
    runs = [{f" {t} "[i : i + 3] for i in range(len(t))} for t in terms]
    often = Counter(run for one in runs for run in one)
    asked = {f" {phrase} "[i : i + 3] for i in range(len(phrase))}

    def square(run: str) -> float:
        return math.log1p(len(terms) / max(often[run], 1)) ** 2

    size = math.sqrt(sum(map(square, asked)))
    return max(sum(map(square, asked & one)) / (size * math.sqrt(sum(map(square, one)))) for one in runs)


def test_the_likeness_found_is_the_highest_there_is() -> None:
    """It is what comparing with each term by itself gives, for near and far phrases alike."""
    letters = random.Random(7)
    terms = TERMS + ["".join(letters.choices("abc de", k=12)).strip() for _ in range(150)]
    similar = Similar(terms)
    for _ in range(150):
        phrase = list(letters.choice(terms))
        phrase[letters.randrange(len(phrase))] = letters.choice("abc de")
        text = "".join(phrase)
        best, found = slow(text, terms), similar.best(text)
        assert (found is None) == (best < 0.6) and (found is None or math.isclose(found.likeness, best, abs_tol=1e-3))


@pytest.mark.parametrize("phrase", ["", "g", "xyz xyz", "x" * (LONGEST + 1), "\u00e9\u00e8\u00ea"])
def test_what_is_like_nothing_finds_nothing(phrase: str) -> None:
    """Empty, short, strange and long phrases."""
    assert Similar(TERMS).best(phrase) is None


def test_no_terms_find_nothing() -> None:
    """An empty table is no error."""
    assert Similar([]).best("gouty gout") is None


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("PMH:\n- hypothyrodism\n- asthma", "E03.9", "hypothyrodism"),
        ("Diagnoses: rheumatoid arthritus, asthma", "M06.9", "rheumatoid arthritus"),
        ("Assessment:\nobesety", "E66.9", "obesety"),
    ],
)
def test_a_misspelled_problem_of_a_list_is_coded(coded: Callable[..., Coded], text: str, code: str, words: str) -> None:
    """With the words as they stand for evidence."""
    assert (code, "accepted", words) in [(c.code, c.status, text[c.start : c.end]) for c in coded(text).codes]


def test_a_denied_one_is_refused(accepted: Callable[..., list[str]]) -> None:
    """The assertion counts for misspelled words too."""
    assert accepted("PMH:\n- no hypothyrodism\n- asthma") == ["J45.909"]


@pytest.mark.parametrize(
    "text",
    [
        "PMH:\n- apendectomy\n- asthma",
        "Diagnoses: benign prostate hyperplasia of gland, asthma",
        "PMH: asthma\nPlan: hypothyrodism",
        "Assessment: asthma. Patient improving, doing better",
    ],
)
def test_what_is_only_like_a_term_is_never_accepted(accepted: Callable[..., list[str]], text: str) -> None:
    """Another word, known words in another way, other sections, and prose."""
    assert accepted(text) == ["J45.909"]


def test_a_long_list_is_looked_up_in_part(coded: Callable[..., Coded]) -> None:
    """Only the first items that nothing is known of are looked up."""
    text = "PMH:\n" + "".join(f"- unheard thing {'x' * n}y\n" for n in range(MOST)) + "- hypothyrodism\n"
    assert coded(text).codes == ()
