"""Read the filters of an expression constraint: `{{ C active = 1 }}`, `{{ D term = "heart att" }}`.

https://docs.snomed.org/snomed-ct-specifications/snomed-ct-expression-constraint-language
"""

from __future__ import annotations

from terminology.ecl.scan import refuse
from terminology.ecl.tokens import Tokens
from terminology.ecl.tree import Concept, Test, Text, Value

PROFILES = {"HISTORY": "MAX", "HISTORY-MIN": "MIN", "HISTORY-MOD": "MOD", "HISTORY-MAX": "MAX", "HISTORY_MIN": "MIN",
            "HISTORY_MOD": "MOD", "HISTORY_MAX": "MAX"}  # fmt: skip

DEFINED, PRIMITIVE = "900000000000073002", "900000000000074008"
FSN, SYNONYM, DEFINITION = "900000000000003001", "900000000000013009", "900000000000550004"

_WORDS = {
    "definitionStatus": {"primitive": PRIMITIVE, "defined": DEFINED},
    "type": {"syn": SYNONYM, "fsn": FSN, "def": DEFINITION},
}
_FIELDS = {
    "C": {name.lower(): name for name in ("active", "definitionStatus", "definitionStatusId", "moduleId")},
    "D": {name.lower(): name for name in ("term", "language", "type", "typeId", "active")},
}


def tests(tokens: Tokens) -> tuple[Test, ...]:
    """The tests of one filter, parted by commas; without a letter before them they are of names."""
    kind = "D"
    if tokens.now.kind == "word" and tokens.now.text.upper() in ("C", "D", "M"):
        word = tokens.take()
        kind = word.text.upper()
        if kind == "M":
            refuse(word.at, "filters of the members of reference sets are not supported")
    found = [_test(tokens, kind)]
    while tokens.took(","):
        found.append(_test(tokens, kind))
    return tuple(found)


def _test(tokens: Tokens, kind: str) -> Test:
    word = tokens.take()
    field = _FIELDS[kind].get(word.text.lower()) if word.kind == "word" else None
    if field is None:
        refuse(word.at, f"one of {', '.join(_FIELDS[kind].values())} is expected in a filter of kind {kind}")
    sign = tokens.take()
    if sign.text not in ("=", "!="):
        refuse(sign.at, "= or != is expected in a filter")
    values = _values(tokens, field)
    return Test(kind, field.removesuffix("Id") if field != "moduleId" else field, sign.text, values)


def _values(tokens: Tokens, field: str) -> tuple[Value, ...]:
    if not tokens.took("("):
        return (_value(tokens, field),)
    found: list[Value] = []
    while not tokens.took(")"):
        found.append(_value(tokens, field))
    if not found:
        refuse(tokens.before.at, "a value is expected")
    return tuple(found)


def _value(tokens: Tokens, field: str) -> Value:
    token = tokens.now
    if field == "active":
        if token.text.lower() not in ("1", "0", "true", "false"):
            refuse(token.at, "1, 0, true or false is expected")
        return tokens.take().text.lower() in ("1", "true")
    if field == "term":
        return _term(tokens)
    if field == "language":
        word = tokens.take()
        if word.kind != "word" or len(word.text) != 2:
            refuse(word.at, "a language of two letters is expected")
        return Text(word.text.lower())
    words = _WORDS.get(field, {})
    if token.kind == "word" and token.text.lower() in words:
        return Concept(words[tokens.take().text.lower()])
    if words and token.kind != "digits":
        refuse(token.at, f"one of {', '.join(words)} is expected")
    return Concept(tokens.concept())


def _term(tokens: Tokens) -> Text:
    """`"words"`, `match:"words"` or `wild:"te*t"`."""
    wild = False
    if tokens.now.kind == "word":
        word = tokens.take()
        if word.text.lower() not in ("match", "wild"):
            refuse(word.at, "match or wild is expected before a text")
        tokens.expect(":")
        wild = word.text.lower() == "wild"
    at = tokens.now.at
    text = tokens.text()
    if not text.strip():
        refuse(at, "the text to look for is empty")
    return Text(text, wild)
