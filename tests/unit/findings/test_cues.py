"""The words that patterns cannot do without."""

from __future__ import annotations

import importlib
import json
import pkgutil
import re
from pathlib import Path

import pytest

from extractors.coding import rules
from extractors.findings.cues import Cued, Vocabulary, cued
from extractors.findings.needed import needed

TEXTS = [
    json.loads(line)["text"].lower()
    for line in (Path(__file__).parents[1] / "coding" / "guideline_cases.jsonl").read_text("utf-8").splitlines()
]


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        (r"\bx-?rays?\b", ("x-ray", "xray")),
        (r"\b(\d{1,3}) ?min(?:ute)?s?\b", ("min",)),
        (r"\w+ectomy|repair", ("ectomy", "repair")),
        (r"(?:due|secondary) to [a-z]+", ("due to ", "secondary to ")),
        (r"[a-z]{3,}(?:tumou?rs)+", ("tumors", "tumours")),
        (r"\d+|cold", ()),
        (r"(?:cold)?\d*", ()),
        (r"(?i:cold)", ()),
    ],
)
def test_words_of_a_pattern(pattern: str, words: tuple[str, ...]) -> None:
    """The words one of which is in each match are read off a pattern; where there are none, none are made up."""
    assert needed(pattern) == words


def test_no_rule_misses_a_match() -> None:
    """Each match of a pattern of the rules holds one of the words that the pattern is asked by."""
    met = 0
    for module in pkgutil.iter_modules(rules.__path__):
        for value in vars(importlib.import_module(f"{rules.__name__}.{module.name}")).values():
            for text in TEXTS if isinstance(value, Cued) else ():
                for match in value.pattern.finditer(text):
                    met += 1
                    assert any(word in match[0] for word in value.words) or not value.words, value.pattern.pattern
    assert met > 50


def test_every_text_is_answered_alike() -> None:
    """The first text, read without a matcher, and later ones, read with it, give the same answers."""
    vocabulary = Vocabulary()
    pattern = cued(r"\bcolds?\b", vocabulary, begins=["cold"])
    for _ in range(4):
        seen = vocabulary.read("a cold, then coldness and colds")
        assert [m[0] for m in seen.each(pattern)] == ["cold", "colds"]
        assert seen.places("cold") == [2, 13, 26]
        assert vocabulary.says(seen, ("flu", "then"))
        assert not vocabulary.says(seen, ("flu",))
        assert not seen.may(cued(r"influenza", vocabulary))


def test_words_asked_for_later_are_found_too() -> None:
    """A question that a text's matcher does not know yet is answered by a search of its own."""
    vocabulary = Vocabulary()
    vocabulary.question(("cold",))
    for _ in range(3):
        vocabulary.read("cold")
    seen = vocabulary.read("a cold and a cough")
    assert vocabulary.says(seen, ("cough",))
    assert seen.places("cough") == [13]
    assert [m.span() for m in seen.near(re.compile("cough"), ["cough"], 2)] == [(13, 18)]
