"""Units, test names and dosing words put right where OCR bends them: `forms.json` is the list."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files

from extractors.pages.wire import Seen

SURE = 90.0
PIPE = ("|", "l", "]", "[")


@lru_cache(maxsize=1)
def _forms() -> tuple[tuple[re.Pattern[str], str, str, re.Pattern[str] | None], ...]:
    listed = json.loads(files("extractors.pages").joinpath("forms.json").read_text("utf-8"))["forms"]
    return tuple(
        (re.compile(f["reading"]), f["text"], f["rule"], re.compile(f["after"]) if "after" in f else None)
        for f in listed
    )


def repair_forms(words: Sequence[Seen]) -> list[Seen]:
    """Words in their printed form; `raw` keeps the reading, `repair` the rule."""
    made = list(words)
    for index, word in enumerate(made):
        text, rule = _form(word.text, made[index - 1].text if index else "")
        if not text and word.text in PIPE and _is_pronoun(made, index):
            text, rule = "I", "pronoun"
        if text and text != word.text:
            made[index] = mended(word, text, rule, max(word.confidence, SURE))
    return made


def mended(word: Seen, text: str, rule: str, confidence: float) -> Seen:
    """`word` with another text, its reading kept."""
    return Seen(
        text, confidence, word.quad, word.line, word.gap, word.raw or word.text, rule, word.other, word.other_sure
    )


def _form(text: str, before: str) -> tuple[str, str]:
    if len(text) > 12:
        return "", ""
    for reading, form, rule, after in _forms():
        if text != form and reading.fullmatch(text) and (after is None or after.fullmatch(before)):
            return form, rule
    return "", ""


def _is_pronoun(words: Sequence[Seen], index: int) -> bool:
    """A lone bar with a word close by on its line is the letter I; a bar among bars or by itself is a ruling."""
    line = words[index].line
    before = words[index - 1] if index and words[index - 1].line == line and not words[index].gap else None
    after = words[index + 1] if index + 1 < len(words) and words[index + 1].line == line else None
    if after is not None and after.gap:
        after = None
    near = [word.text for word in (before, after) if word is not None]
    return bool(near) and all(text not in PIPE and re.search(r"[a-z]{2}|^[(a-zA-Z]", text) for text in near)
