"""What to do about findings and lines without a price."""

from __future__ import annotations

from claims.price.reasons import REASONS
from claims.rules.advice import advice, of_reason, of_rule
from claims.rules.page import CATEGORIES
from claims.rules.rule import Rule, own_rules


def test_every_rule_that_ships_says_what_to_do() -> None:
    """Each category has a sentence, each rule with one of its own exists, and none ends in a full stop."""
    said = advice()
    assert set(said["category"]) == set(CATEGORIES)
    assert set(said["rule"]) <= {rule.id for rule in own_rules()}
    assert not [text for texts in said.values() for text in texts.values() if text.endswith(".") or not text]


def test_what_is_told_of_lines_is_about_reasons_that_exist() -> None:
    """Whatever is not loaded has what to load; a reason about which nothing can be done says nothing."""
    said = advice()
    assert set(said["price"]) | set(said["load"]) <= set(REASONS)
    assert {why for why in REASONS if why.endswith("-not-loaded")} == {*said["load"], "pos-not-loaded"}
    assert of_reason("rvu-not-loaded").endswith("fhirwright load pprrvu FILE") and of_reason("status-N") == ""


def test_a_rule_of_the_users_own_has_advice_too() -> None:
    """A category that ours do not have refers to its own sentence."""
    assert of_rule(Rule("MINE-001", "error", "claim", "Mine", "", "true")) == "Correct what the sentence says"
