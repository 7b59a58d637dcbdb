"""The two ways of finding terms give the same."""

import random

from extractors.coding.matcher import Matcher

WORDS = ["acute", "kidney", "injury", "pain", "back", "low", "x"]


def test_search_and_automaton_find_the_same() -> None:
    """Leftmost and longest, none overlapping, whole words only, for any terms and any text."""
    dice = random.Random(7)
    for _ in range(300):
        terms = sorted({"".join(f" {w} " for w in dice.choices(WORDS, k=dice.randint(1, 4))) for _ in range(12)})
        text = "".join(f" {w} " for w in dice.choices([*WORDS, "|"], k=30))
        searched = Matcher(terms)
        built = Matcher(terms)
        built.prepare()
        assert searched.find(text) == built.find(text)


def test_an_empty_table_finds_nothing() -> None:
    """A terminology without terms is no error."""
    assert Matcher([]).find(" pain ") == []
