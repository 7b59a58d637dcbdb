"""Rule files are checked before anything of them counts."""

import random
from pathlib import Path

import orjson
import pytest

from campaigns.claiming.making import COVERAGES, claim, paid_by
from claims.edit import Edits
from claims.expr.functions import FUNCTIONS
from claims.rules.rule import own_rules, read_rules, user_rules
from claims.sheet.frames import frames
from claims.sheet.read import read_claim
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
        (rule("units > 1") + 'payer = ["medicare", "mine"]', "payer is a list of medicare"),
        (rule("units > 1") + 'payer = "medicare"', "payer is a list of medicare"),
        (rule("units > "), "cannot be read"),
        (rule("__import__(1)"), "there is no function __import__"),
        (rule("code.upper()"), "cannot be called"),
        (rule("mue(code).colour > 1"), "has no value colour"),
        (rule("mue(units).units > 1"), "is a text, not a number"),
        (rule("any(x.code == code for x in lanes)"), "with one of lines"),
        (rule("any(any(y.code == x.code for y in lines) for x in lines)"), "inside another"),
        (rule('matches(code, "(a)(?=b)")'), "write classes"),
        (rule('matches(code, "[")'), "cannot be read"),
        (rule('matches(code, "(a+)+b")'), "a group cannot be repeated"),
        (rule('matches(code, "(a|a){9}")'), "a group cannot be repeated"),
        (rule('part(code, 0, 3) == "A"'), "places count from 1"),
        (rule('nth(mods, 99999999999) == "A"'), "places count from 1 to"),
        ("rule = [1]", "a rule is a table"),
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


@pytest.mark.parametrize(("body", "says"), [(b"\xff\xfe", "not text in UTF-8"), (b"#" * 4_000_001, "at most 4000000")])
def test_a_file_that_is_no_rules_is_refused(tmp_path: Path, body: bytes, says: str) -> None:
    """Bytes that are no text, and files beyond any size of rules, are told so."""
    (tmp_path / "mine.toml").write_bytes(body)
    with pytest.raises(FhirError, match=says):
        user_rules(tmp_path / "mine.toml")


def test_a_part_that_ends_before_it_begins_is_empty() -> None:
    """In both forms, so that no file of rules makes them differ."""
    edits = Edits(read_rules(rule("length(part(code, 3, 1)) == 0"), "mine.toml"), {})
    record = read_claim(orjson.dumps(claim(random.Random(1), 1)))
    assert len(edits.of_record(record)) == len(edits.of_frames(frames([record]))) == len(record["lines"])


@pytest.mark.parametrize(("payers", "kinds"), [("medicare",) * 2, ("medicaid, workers", "medicaid workers")])
def test_a_rule_of_some_payers_is_asked_of_their_claims_alone(payers: str, kinds: str) -> None:
    """In both forms; it says what it is about in the same words."""
    listed = ", ".join(f'"{kind.strip()}"' for kind in payers.split(","))
    edits = Edits(read_rules(rule("units > 0") + f"payer = [{listed}]", "mine.toml"), {})
    for kind in COVERAGES:
        made = claim(random.Random(1), 1)
        paid_by(made, kind)
        record = read_claim(orjson.dumps(made))
        expected = len(record["lines"]) if kind in kinds.split() else 0
        assert len(edits.of_record(record)) == len(edits.of_frames(frames([record]))) == expected


@pytest.mark.parametrize(
    ("member", "shape", "fits"),
    [
        ("A1", "A9", True), ("1A", "A9", False), ("a1", "A9", True), ("12", "X9|AAA", True), ("abc", "X9|AAA", True),
        ("A12", "A9", False), ("R-1", "R-9", True), ("R.1", "R-9", False), ("R+1", "R+9", True), ("[", "[", True),
        ("", "A", False), ("Ä1", "A9", False),
    ],
)  # fmt: skip
def test_a_number_fits_a_shape(member: str, shape: str, fits: bool) -> None:
    """A is a letter, 9 a digit, X either; bars part the shapes."""
    assert FUNCTIONS["fits"].single(member, shape) is fits


def test_a_rule_without_its_table_is_not_run() -> None:
    """It is told with the table that it needs, and is not among those that ran."""
    rules = read_rules(rule("units > mue(code).units"), "mine.toml")
    edits = Edits(rules, {})
    assert edits.active == []
    assert edits.not_run == {"ABC-001": ("mue",)}


def test_our_own_rules_can_be_read() -> None:
    """Every file of ours is sound."""
    assert own_rules()
