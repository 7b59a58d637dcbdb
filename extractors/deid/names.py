"""People whom no data of ours names: found by title, role, signature, and by which tokens are names and no words.

Each token of a text gets a sum of evidence: what the lists say of it, what stands before and after, and whether its
neighbours are names. Clinical phrases, eponyms with their disease and drugs with their dose count against it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from extractors.deid.context import beliefs, may_be
from extractors.deid.model import Mention
from extractors.deid.name_places import SURE, coupled, place_of
from extractors.deid.name_tokens import CALENDAR, Token, likeness, name_words, shouted_lines, tokens_of
from extractors.deid.vocabulary import Vocabulary, lists
from extractors.model import Span

BELIEVED, BELIEVED_CLINICAL, LISTED = -1.0, 1.5, 0.7
"""Log odds from which the learned model is followed: a name that stays harms more than a word that goes."""

_DOSE = re.compile(
    r"\s{0,2}(?:\d{1,3}(?:\.\d{1,3})?(?![\d/.-])|mg\b|mcg\b|tabs?\b|tablets?\b|capsules?\b|inhaler\b|hcl\b|xr\b|er\b|sr\b|po\b)",
    re.I,
)
_CLOSING = re.compile(
    r"(?i)(?:truly|sincerely|regards|respectfully|yours|wishes|thank you|thanks)[,.]?\s*\n\s*(?:/s/\s*)?$"
)
_APPOSED = re.compile(r",\s(?:the|an?|his|her|my|their|our)\s((?:[a-z-]+\s?){1,5})")
_ZIP = re.compile(r"\s{1,2}\d{5}\b")
_SPELLED = re.compile(r"(?:M\.\s?D|D\.\s?O|Ph\.\s?D|R\.\s?N|P\.\s?A)\b")
_UNITS = frozenset(["mg", "mcg", "ml", "units", "unit", "daily", "bid", "tid", "qid", "weekly", "bedtime", "prn"])
_PRONOUNS = frozenset(["he", "she", "his", "her", "they", "we", "it", "the", "this", "that", "you", "my", "our"])
_CASES = frozenset(["dr", "mr", "mrs", "ms"])


def find_names(text: str, vocabulary: Vocabulary) -> list[Mention]:
    """The names of people in a text, whole where they stand together."""
    tokens = tokens_of(text)
    shouted = shouted_lines(text)
    phrases = vocabulary.phrases(text)
    for token in tokens:
        if token.is_word:
            token.lexical = likeness(token, shouted, vocabulary)
    for i, token in enumerate(tokens):
        if token.is_word:
            _judge(text, tokens, i, phrases, vocabulary)
    _spread(text, tokens)
    if coupled(tokens):
        _spread(text, tokens)
    places = _believed(text, tokens, shouted, phrases, vocabulary)
    _spread(text, tokens)
    return _joined(text, tokens) + [Mention(token.start, token.end, "place") for token in places]


def _believed(
    text: str,
    tokens: Sequence[Token],
    shouted: Sequence[Span],
    phrases: Sequence[Span],
    vocabulary: Vocabulary,
) -> list[Token]:
    """Raise what the learned model takes for a person although no rule does; what it takes for a place."""
    limit, places, unnamed = name_words().threshold, [], CALENDAR | name_words().services | _PRONOUNS
    for i, token in enumerate(tokens):
        if token.score >= limit or token.low in unnamed or not may_be(text, token, vocabulary):
            continue
        loud = any(start <= token.start < end for start, end in shouted)
        person, place = beliefs(text, tokens, i, loud, vocabulary)
        clinical = any(start <= token.start and token.end <= end for start, end in phrases)
        listed = token.low in lists().family or token.low in lists().given
        if max(person + LISTED * listed, place) < (BELIEVED_CLINICAL if clinical else BELIEVED):
            continue
        if person >= place:
            token.score = limit
        else:
            places.append(token)
    return places


def _judge(text: str, tokens: list[Token], i: int, phrases: Sequence[Span], vocabulary: Vocabulary) -> None:
    """The sum of evidence for one token."""
    token, words = tokens[i], name_words()
    after = _near(tokens, i)
    score = token.lexical
    titled = _is_titled(text, tokens, i)
    if titled:
        token.cued = True
        told = tokens[i - 1].low in _CASES
        known = _lower_name(token) or (told and (token.low in lists().given or not vocabulary.is_word(token.low)))
        score += 5.0 if token.text[0].isupper() or known else 0.0
    if after is not None and len(token.text) > 1 and _is_credential(text, token, after):
        score += 3.5
        token.cued = token.cued or token.text[0].isupper()
    if lead := _lead(tokens, i):
        score += lead if token.text[0].isupper() or _lower_name(token) else 0.0
        token.cued = token.cued or (lead >= 3 and token.lexical > -2.0)
        if not token.text[0].isupper() and lead >= 2 and _lower_name(token):
            score += 2.5
    if token.lexical in (-1.0, -1.5) and _stands_out(tokens, i):
        score += 1.5
    if token.text[0].isupper():
        score += _beside(text, tokens, i)
    sure = 0.0
    if not titled and (sure := place_of(text, tokens, i)):
        token.cued = True
        score = max(score, -1.5) + sure
    if token.text[0].isupper() and _serves(tokens, i):
        score += 2.5
    if token.lexical > -1.6 and _acts(tokens, i):
        score += 0.7
    if after is not None and after.low in words.after_eponym and (token.low in lists().eponyms or token.lexical < 2):
        score -= 8.0 if not titled else 0.0
    if token.low in lists().eponyms and not titled and not token.cued and not sure and not _serves(tokens, i):
        score -= 1.5
    if (
        text[token.end : token.end + 1] == ":"
        and not titled
        and sure < SURE
        and text[: token.start].rpartition("\n")[2].strip() == ""
    ):
        score -= 3.0  # a label
    if token.lexical == 1.2 and not token.cued and _is_listed(text, tokens, i):
        score -= 0.7
    if any(a <= token.start and token.end <= b for a, b in phrases) and not titled and sure < SURE:
        score -= 5.0
    if token.low in _PRONOUNS and not titled:
        score -= 6.0  # hepatitis C. He
    if _DOSE.match(text, token.end) and not titled and sure < SURE:
        score -= 4.0
    token.score = score


def _beside(text: str, tokens: Sequence[Token], i: int) -> float:
    """An initial before, a role in apposition, the end of a letter; and against it the name of a drug before."""
    token, told = tokens[i], 0.0
    if i > 1 and tokens[i - 1].text == "." and len(tokens[i - 2].text) == 1 and tokens[i - 2].text.isupper():
        told += 0.0 if len(token.text) == 1 else 3.0 if token.low in lists().family else 2.0
    following = i + 2 if i + 1 < len(tokens) and tokens[i + 1].text[0].isupper() else i + 1
    if following < len(tokens) and (found := _APPOSED.match(text, tokens[following].start)):
        told += 2.5 if not name_words().roles.isdisjoint(found[1].split()) else 0.0
    if _CLOSING.search(text, max(0, token.start - 40), token.start):
        token.cued = True
        told += 3.0
    before = tokens[i - 1] if i else None
    if before is not None and before.lexical <= -2.0 and before.text[0].isupper() and token.lexical == 1.2:
        told -= 0.5  # Advair Diskus
    return told


def _near(tokens: Sequence[Token], i: int) -> Token | None:
    """The next word, past points and commas, within the line."""
    for token in tokens[i + 1 : i + 4]:
        if token.is_word:
            return token
        if token.text not in ".,()":
            return None
    return None


def _is_titled(text: str, tokens: Sequence[Token], i: int) -> bool:
    """Whether a title stands right before: `Dr. X`, `Dr X`; not `the doctor`."""
    j = i - 1
    if j >= 0 and tokens[j].text == ".":
        j -= 1
    if j > 0 and tokens[j - 1].text == "," and tokens[j].text.isupper():
        return False  # a credential: "Liang, RN. Case reviewed"
    if j < 0 or tokens[j].low not in name_words().titles or text[tokens[j].end : tokens[i].start].count("\n"):
        return False
    return tokens[j].text[0].isupper() or tokens[j].low in _CASES


def _is_credential(text: str, token: Token, after: Token) -> bool:
    gap = text[token.end : after.start]
    known = after.low in name_words().credentials and (
        after.text.isupper() or after.low in ("jr", "sr", "phd", "psyd", "pharmd")
    )
    spelled = _SPELLED.match(text, after.start)
    return bool(spelled) or (
        known and "\n" not in gap and ("," in gap or "(" in gap or after.low in ("jr", "sr", "md", "rn"))
    )


def _lead(tokens: Sequence[Token], i: int) -> float:
    """What the words before promise: a label with a colon 3, a relation or role 2, a plain lead 1."""
    words = name_words()
    j = i - 1
    while j >= 0 and tokens[j].text in ("(", '"', "*", "-", "/", "_"):
        j -= 1
    if j < 0:
        return 0.0
    if tokens[j].text in (":", "#") and j > 0:
        k = j - 1
        while k >= 0 and tokens[k].text in (")", ".", "("):
            k -= 1
        return 3.0 if k >= 0 and tokens[k].low in words.labels else 0.0
    comma = tokens[j].text == ","
    if comma and j > 0:
        j -= 1
    if tokens[j].low in words.roles:
        return 2.6
    if tokens[j].low in ("named", "name"):
        return 4.0
    if comma:
        return 0.0
    return 1.0 if tokens[j].low in words.leads else 0.0


def _acts(tokens: Sequence[Token], i: int) -> bool:
    """Whether a verb of people follows, at once or after a family name."""
    following = tokens[i + 1 : i + 3]
    if (
        following
        and following[0].text[0].isupper()
        and following[0].low in lists().family
        and following[0].lexical > -2.0
    ):
        following = following[1:]
    return bool(following) and following[0].low in name_words().verbs


def _serves(tokens: Sequence[Token], i: int) -> bool:
    """Whether a service follows: `X from social work`, `X of radiology`, `X (neurology)`."""
    following = [t.low for t in tokens[i + 1 : i + 3]]
    return (
        len(following) == 2
        and following[0] in ("from", "of", "in", "with", "(")
        and following[1] in name_words().services
    )


def _is_listed(text: str, tokens: Sequence[Token], i: int) -> bool:
    """Whether an unknown word stands in a list of drugs: after a dose or a word of medicine, between commas."""
    if i < 2 or tokens[i - 1].text != "," or text[tokens[i].end : tokens[i].end + 1] not in (",", ".", ";"):
        return False
    before = tokens[i - 2]
    return before.lexical == -3.0 and (before.text[0].isupper() or before.low in _UNITS)


def _stands_out(tokens: Sequence[Token], i: int) -> bool:
    """Whether a word has a capital in the middle of a sentence, and its neighbours have none."""
    before = tokens[i - 1] if i else None
    after = tokens[i + 1] if i + 1 < len(tokens) else None
    if after is not None and after.text[0].isupper() and (after.low in lists().family or after.low in lists().given):
        after = None
    if before is not None and before.text[0].isupper() and before.low in lists().given and i > 1:
        before = tokens[i - 2]
    low = before is not None and before.text[0].islower()
    return low and tokens[i].text[1:].islower() and not (after is not None and after.text[0].isupper())


def _lower_name(token: Token) -> bool:
    """Whether a token in small letters is a name and no word."""
    all_lists = lists()
    named = token.low in all_lists.given or token.low in all_lists.family
    return named and token.low not in all_lists.words and len(token.low) > 2


def _spread(text: str, tokens: list[Token]) -> None:
    """Neighbours of a name are names: from the surest on, through capitals, initials and particles."""
    limit = name_words().threshold
    for i in sorted((i for i, t in enumerate(tokens) if t.is_word), key=lambda i: -tokens[i].score):
        if tokens[i].score < limit:
            break
        for step in (-1, 1):
            _walk(text, tokens, i, step, tokens[i].cued)


def _walk(text: str, tokens: list[Token], i: int, step: int, cued: bool) -> None:
    limit = name_words().threshold
    at, j, commas = i, i + step, 0
    while 0 <= j < len(tokens) and abs(j - at) <= 3:
        token = tokens[j]
        if token.text in (".", "-", ",") and abs(j - at) == 1:
            commas += token.text == ","
            if commas > 1 or (token.text == "." and len(tokens[at].text) > 1 and step > 0):
                return
            if token.text == "." and step < 0 and (j == 0 or len(tokens[j - 1].text) > 1):
                return
            j += step
            continue
        joins = token.is_word and _joins(text, token, tokens[at], step, cued and commas == 0)
        if not joins and not (step < 0 and commas == 0 and abs(j - at) == 1 and _leads_in(tokens, j)):
            return
        if token.score < limit:
            token.score = limit
        at = j
        j += step


def _leads_in(tokens: Sequence[Token], j: int) -> bool:
    """Whether a word before a name has its capital in the middle of a sentence: `with Skip Takahashi`."""
    token, words = tokens[j], name_words()
    plain = token.is_word and token.text[0].isupper() and token.text[1:].islower() and token.score > -4
    if (
        not plain
        or not j
        or any(token.low in known for known in (words.titles, words.roles, words.labels, words.services))
    ):
        return False
    before = tokens[j - 1]
    return (
        before.low in words.leads
        or before.low in words.roles
        or (before.text == ":" and j > 1 and (tokens[j - 2].low in words.roles or tokens[j - 2].low in words.labels))
    )


def _joins(text: str, token: Token, neighbour: Token, step: int, cued: bool) -> bool:
    """Whether a token belongs to the name beside it."""
    words = name_words()
    if (
        token.low in words.titles
        or token.low in words.credentials
        or token.low in words.labels
        or token.low in words.roles
    ):
        return False
    if _SPELLED.match(text, token.start) or _heads(text, token):
        return False
    if token.low in words.particles and (token.text[0].islower() or step < 0) and len(token.text) > 1:
        return step < 0 or (cued and token.score > -4)
    if len(token.text) == 1:
        return token.text.isupper() and (token.text not in "AI" or token.followed)
    if token.text.isupper() and len(token.text) < 5 and not neighbour.text.isupper() and token.lexical < 0:
        return False  # MRN after a name
    if not token.text[0].isupper() or token.score < -5:
        return cued and _lower_name(token) and not neighbour.text[0].isupper()
    if token.lexical >= 0.2:
        return True
    return token.lexical >= -1.5 if not cued else token.lexical >= -2.5 or step > 0


def _heads(text: str, token: Token) -> bool:
    """Whether a token is a label of the next column, or a state before its ZIP code."""
    before = text[max(0, token.start - 2) : token.start]
    if text[token.end : token.end + 1] == ":" and (before.isspace() or "\n" in before):
        return True
    return len(token.text) == 2 and bool(_ZIP.match(text, token.end))


def _joined(text: str, tokens: Sequence[Token]) -> list[Mention]:
    limit = name_words().threshold
    found: list[Mention] = []
    for token in tokens:
        if not token.is_word or token.score < limit:
            continue
        if found and re.fullmatch(r"[ \t]*\.?[ \t-]*|, ?", text[found[-1].end : token.start]):
            found[-1] = Mention(found[-1].start, token.end, "name")
        else:
            found.append(Mention(token.start, token.end, "name"))
    return found
