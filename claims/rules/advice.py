"""What to do about a finding, and about a line that has no price: sentences from advice.toml."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files

from claims.rules.rule import Rule


@cache
def advice() -> dict[str, dict[str, str]]:
    """`category` and `rule` of edits, `price` of reasons, `load` from reasons to what `fhirwright load` is given."""
    found: dict[str, dict[str, str]] = tomllib.loads((files("claims.rules") / "advice.toml").read_text("utf-8"))
    return found


def of_rule(rule: Rule) -> str:
    """What to do about a finding of a rule; rules of the user's own say it themselves."""
    said = advice()
    return said["rule"].get(rule.id) or said["category"].get(rule.category) or "Correct what the sentence says"


def of_reason(why: str) -> str:
    """What to do about a line without a price; empty where nothing can be done."""
    said = advice()
    if what := said["load"].get(why):
        return f"Load it: fhirwright load {what} FILE"
    return said["price"].get(why, "")
