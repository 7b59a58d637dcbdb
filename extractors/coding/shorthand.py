"""Letters that stand for a side, a limb or an eye, spelled out for what compares words."""

from __future__ import annotations

import re

_LETTER = re.compile(  # not litres, not "r/o", and no spine: that "l" is lumbar
    r"([rl])(?<![\w'./&+-][rl])(?<!\d [rl])(?<!type [rl])(?<!grade [rl])"
    r"(?=[,;:.)]|$| (?![a-z]/|spine|sp\b|nc\b|min\b|per\b))"
)
_SPELLED = {"r": "right", "l": "left"}


_LIMBS = {
    "rle": "right lower extremity", "lle": "left lower extremity", "ble": "bilateral lower extremity",
    "rue": "right upper extremity", "lue": "left upper extremity", "bue": "bilateral upper extremity",
}  # fmt: skip
_LIMB = re.compile(r"[blr](?<!\w[blr])[lu]e\b")
_BILATERAL = re.compile(r"\bbilat\b")
_EYES = {"ou": "bilateral", "od": "right", "os": "left", "au": "bilateral"}
_EYE = re.compile(r"[ao](?<!\w[ao])(?<!\d [ao])(?<!mg [ao])(?<!drops [ao])(?:(?<=o)[uds]|(?<=a)u)\b")
_OF_EYES = re.compile(  # elsewhere "od" is an overdose or once a day
    r"glaucoma|poag|catarac|macul|\bw?amd\b|retin|\bn?pdr\b|\bdme\b|[bc]rvo|eye|\blids?\b|vitre|cornea|kerat|conjunct"
    r"|uveit|iritis|drusen|phak|\biol\b|\biop\b|chalaz|hordeol|pteryg|blephar|hearing|cusis|otitis|cerumen|tinnitus"
)


def spelled(text: str) -> str:
    """The text with "r shoulder" and "hip l" as right and left, "rle" as its limb, "ou" of eyes as bilateral."""
    if " r" in text or " l" in text or text[:2] in _INITIAL:
        text = _LETTER.sub(lambda m: _SPELLED[m[1]], text)
    if "bilat " in f"{text} ":
        text = _BILATERAL.sub("bilateral", text)
    if "le" in text or "ue" in text:
        text = _LIMB.sub(lambda m: _LIMBS[m[0]], text)
    if (" o" in text or " a" in text) and _EYE.search(text) and _OF_EYES.search(text):
        text = _EYE.sub(lambda m: _EYES[m[0]], text)
    return text


_INITIAL = ("r ", "l ")
