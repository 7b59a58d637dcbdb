"""Where a name stands although it reads like a word: after an initial, beside its family name, before a role.

`Grace Walker`, `Tech: April`, `Stone (caregiver)`, `Miles called`, `-- B. Ward`: words that lists know as names.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from extractors.deid.name_tokens import Token, name_words
from extractors.deid.vocabulary import lists

SURE = 3.0  # from here on neither a phrase of medicine nor a dose holds against it
_HUMAN = re.compile(
    r"(?:call|repli|reply|state|agree|recommend|visit|inform|ask|explain|accompani|live|help|work|report|manage)(?:e?s|e?d)"
    r"|replies|said|says|wrote|told|drove|brought|sits"
)
_AGENT = re.compile(r"[a-z-]*(?:ologist|iatrist|icist|rapist|grapher|nurse|ician|itian|etrist|ienist|mother|father)$")
_AFTER_ROLE = re.compile(r"\s?(?:\(|,\s)\s?((?:[A-Za-z-]+\s?){1,3}|\d{1,2})[),.;:]")
_GREETED = re.compile(r"(?i)(?:\b(?:hi|hello|dear|thanks|thank you|morning|afternoon|evening|best|cheers),?\s)$")


def place_of(text: str, tokens: Sequence[Token], i: int) -> float:
    """How surely a token stands where a name stands, from 0 up; 0 for what no list knows as a name."""
    token = tokens[i]
    given, family = _listed(token)
    if not (given or family):
        return 0.0
    if not token.text[0].isupper():
        return 5.0 if given and _speaks(text, tokens, i) else 0.0
    if _epoch(tokens, i):
        return 0.0
    told = max(_paired(text, tokens, i, given, family), _signed(text, tokens, i))
    if _explained(text, token):
        told = max(told, 3.0)
    if given and _acts(text, tokens, i):
        told = max(told, 2.6)
    if _labelled(tokens, i):
        told = max(told, 3.0)
    return told


def coupled(tokens: Sequence[Token]) -> bool:
    """Raise what `and`, `/` or a comma joins to a name, where the lists know it as one; whether any was raised."""
    limit, raised = name_words().threshold, False
    for i, token in enumerate(tokens):
        if not token.is_word or token.score < limit or not token.text[0].isupper():
            continue
        for step in (1, -1):
            other = _across(tokens, i, step)
            if other is None or other.score >= limit or other.score < -6 or _epoch(tokens, tokens.index(other)):
                continue
            if any(_listed(other)) and not (other.text.isupper() and len(other.text) < 4):
                other.score, raised = limit, True
    return raised


def _listed(token: Token) -> tuple[bool, bool]:
    """Whether the lists have it as a given name, as a family name (an eponym is one)."""
    known = lists()
    parts = [part for part in re.split(r"['\-. ]+", token.low) if len(part) > 1]
    return (
        any(part in known.given for part in parts),
        any(part in known.family or part in known.eponyms for part in parts),
    )


def _epoch(tokens: Sequence[Token], i: int) -> bool:
    """Whether it is a month: May 3."""
    return tokens[i].low in ("may", "april", "june", "august", "march") and (
        i + 1 < len(tokens) and tokens[i + 1].text[0].isdigit()
    )


def _paired(text: str, tokens: Sequence[Token], i: int, given: bool, family: bool) -> float:
    """Beside the other half of its name, or behind an initial."""
    token = tokens[i]
    before, after = tokens[i - 1] if i else None, tokens[i + 1] if i + 1 < len(tokens) else None
    if family and i > 1 and before is not None and before.text == "." and _is_initial(text, tokens[i - 2], token):
        return 4.0
    if token.text.isupper() and len(token.text) > 1:
        return 0.0  # among capitals two words side by side say nothing
    words = name_words()
    if (
        given
        and after is not None
        and after.is_word
        and after.text[:1].isupper()
        and text[token.end : after.start] == " "
        and _listed(after)[1]
        and not (tokens[i + 2].low in words.after_eponym if i + 2 < len(tokens) else False)
        and text[after.end : after.end + 1] != "'"
    ):
        return 3.2
    if (
        family
        and before is not None
        and before.is_word
        and before.text[:1].isupper()
        and text[before.end : token.start] == " "
        and _listed(before)[0]
        and not (after is not None and after.low in words.after_eponym)
        and text[token.end : token.end + 1] != "'"
    ):
        return 3.2
    return 0.0


def _is_initial(text: str, token: Token, name: Token) -> bool:
    return len(token.text) == 1 and token.text.isupper() and "\n" not in text[token.start : name.start]


def _signed(text: str, tokens: Sequence[Token], i: int) -> float:
    """At the end of a line behind a dash or a stroke, or greeted."""
    token = tokens[i]
    line_end = text[token.end : token.end + 1] in ("", "\n")
    lead = text[max(0, text.rfind("\n", 0, token.start) + 1, token.start - 60) : token.start]
    if line_end and lead.rstrip().endswith(("-", "—", "/")) and lead.endswith(" "):
        return 3.0
    return 3.2 if _GREETED.search(lead) and text[token.end : token.end + 1] in (",", "\n", "", ".", "!") else 0.0


def _explained(text: str, token: Token) -> bool:
    """Whether a role or a small age stands behind it: `Stone (caregiver)`, `Guy, granddaughter,`, `Ivy (7)`."""
    match = _AFTER_ROLE.match(text, token.end)
    if match is None:
        return False
    said = match[1].strip().lower()
    if said.isdigit():
        return text[token.end : token.end + 2].strip().startswith("(") and token.low in lists().given
    return any(_is_role(word) for word in said.split())


def _labelled(tokens: Sequence[Token], i: int) -> bool:
    """Whether a role with a colon, or a role alone, stands right before."""
    j = i - 1
    colon = j >= 0 and tokens[j].text == ":"
    if colon:
        j -= 1
    return (
        j >= 0 and tokens[j].is_word and (_is_role(tokens[j].low) or (colon and tokens[j].low in name_words().labels))
    )


def _is_role(word: str) -> bool:
    return word in name_words().roles or bool(_AGENT.fullmatch(word))


def _acts(text: str, tokens: Sequence[Token], i: int) -> bool:
    """Whether it does what people do, at the beginning of a sentence or in the middle of one."""
    return (
        i + 1 < len(tokens)
        and bool(_HUMAN.fullmatch(tokens[i + 1].low))
        and text[tokens[i].end : tokens[i + 1].start] == " "
    )


def _speaks(text: str, tokens: Sequence[Token], i: int) -> bool:
    """Whether a small name begins a line of a thread: `gus:`, `gus rn:`; or is told something."""
    start = text.rfind("\n", 0, tokens[i].start) + 1
    if text[start : tokens[i].start].strip():
        return (
            i > 0
            and tokens[i - 1].low in ("tell", "ask", "remind", "told", "asked")
            and tokens[i].low not in lists().words
        )
    return bool(re.match(r"(?:[ ](?:rn|md|np|pa|lpn|cna|ma|do|pharmd))?:", text[tokens[i].end : tokens[i].end + 8]))


def _across(tokens: Sequence[Token], i: int, step: int) -> Token | None:
    """The word that `and`, `&`, `/`, or a comma joins to a name."""
    j = i + step
    if not 0 <= j < len(tokens) or tokens[j].low not in ("and", "/", "&", ","):
        return None
    j += step
    if 0 <= j < len(tokens) and tokens[j].low in ("and", "&"):
        j += step
    if 0 <= j < len(tokens) and tokens[j].is_word and tokens[j].text[0].isupper() and len(tokens[j].text) > 1:
        return tokens[j]
    return None
