"""Rule files are checked before anything of them counts."""

import pytest

from claims.edit import Edits
from claims.rules.rule import own_rules, read_rules
from fhir_profiles.errors import FhirError

RULE = 'id = "ABC-001"\nseverity = "error"\nscope = "line"\nsentence = "s"\nelement = "e"\nbreaks = \'{}\'\n'


def rule(breaks: str, **changed: str) -> str:
    """A file with one rule."""
    text = "[[rule]]\n" + RULE.format(breaks)
    for key, value in changed.items():
        text = "\n".join(f'{key} = "{value}"' if line.startswith(f"{key} =") else line for line in text.splitlines())
    return text


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[[rule]", "Expected"),
        ("x = 1", "nothing else"),
        (rule("units > 1", id="abc"), "an id is letters"),
        (rule("units > 1", severity="bad"), "severity is one of"),
        (rule("units > 1", scope="page"), "scope is one of"),
        (rule("unit > 1"), "a text cannot be compared with a whole"),
        (rule("nothing > 1"), "there is no column nothing"),
        (rule("age > 1"), "write claim.age"),
        (rule("units"), "it must be true or false"),
        (rule("units > "), "cannot be read"),
        (rule("__import__(1)"), "there is no function __import__"),
        (rule("code.upper()"), "cannot be called"),
        (rule("mue(code).colour > 1"), "has no value colour"),
        (rule("mue(units).units > 1"), "is a text, not a number"),
        (rule("any(x.code == code for x in lanes)"), "with one of lines"),
        (rule("any(any(y.code == x.code for y in lines) for x in lines)"), "inside another"),
        (rule('matches(code, "(a)(?=b)")'), "write classes"),
        (rule('matches(code, "[")'), "cannot be read"),
        (rule("code in (1, 2)"), "be a text each"),
        (rule("(lambda: 1)() == 1"), "cannot be called"),
        (rule("units > 1") + rule("units > 2"), "stands there twice"),
        (rule("units > 1 " + "or units > 1 " * 400), "at most"),
        (rule("not " * 900 + "evidence"), "at most"),
    ],
)
def test_a_wrong_file_is_refused_with_the_rule_and_the_reason(text: str, says: str) -> None:
    """Nothing of it counts, and the message says what to correct."""
    with pytest.raises(FhirError, match=says.replace("(", r"\(")):
        read_rules(text, "mine.toml")


def test_a_rule_without_its_table_is_not_run() -> None:
    """It is told with the table that it needs, and is not among those that ran."""
    rules = read_rules(rule("units > mue(code).units"), "mine.toml")
    edits = Edits(rules, {})
    assert edits.active == []
    assert edits.not_run == {"ABC-001": ("mue",)}


def test_our_own_rules_can_be_read() -> None:
    """Every file of ours is sound."""
    assert own_rules()
