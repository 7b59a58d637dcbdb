"""The page of rules in the documentation is the one that the rules make."""

from pathlib import Path

from claims.rules.page import CATEGORIES, page
from claims.rules.rule import own_rules

PAGE = Path(__file__).parents[3] / "docs" / "claims-catalogue.md"


def test_the_page_is_up_to_date() -> None:
    """`python -m claims.rules.page > docs/claims-catalogue.md` was run after the last change of a rule."""
    assert PAGE.read_text("utf-8") == page(own_rules())


def test_every_rule_stands_on_it_under_a_title() -> None:
    """No rule is left out, and no category is without its name."""
    text = PAGE.read_text("utf-8")
    assert all(f"| {rule.id} |" in text for rule in own_rules())
    assert {rule.category for rule in own_rules()} <= set(CATEGORIES)
