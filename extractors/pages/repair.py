"""Code-aware repair of what OCR misreads: the letter I read as 1, O as 0, a lost point; both readings are kept.

A reading is changed only to a code that exists, and whose display the words beside it say, or that stands on a line
labelled as codes and is the only one that the reading can mean.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import islice, product

from extractors.pages.forms import mended, repair_forms
from extractors.pages.likeness import likeness
from extractors.pages.wire import Seen

Lookup = Callable[[str], str | None]
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
FIRST = {
    **dict.fromkeys("1l|[({!i]tT", "IJ"), "£": "E", "€": "E", "6": "GE", "F": "E", "-": "E", "3": "J", "5": "S",
    "8": "B", "0": "OD", "2": "Z", "J": "I", "I": "J", "C": "G", "Q": "G", "B": "E", "P": "F",
}  # fmt: skip
REST = {
    **dict.fromkeys("OoQD©", "0"), **dict.fromkeys("Il|!]i", "1"), "4": "1", "7": "1", "Z": "2", "z": "2", "S": "5",
    "s": "5", "B": "83", "g": "9", "q": "9", "6": "0", "9": "0", "8": "3", "3": "8", "£": "E", "e": "0", "a": "0",
}  # fmt: skip
ICD = re.compile(r"[A-TV-Z]\d[0-9A-Z](?:\.[0-9A-Z]{1,4})?")
PROCEDURE = re.compile(r"[A-V]\d{4}|\d{5}")
READING = re.compile(r"(?P<open>[(\[]?)(?P<core>[^\s/:%<>=]{3,9}?)(?P<close>[)\],;:.]*)")
LABEL = re.compile(r"(?i)\b(icd|dx|diagnos[ie]s|codes?)\b")
PROCEDURE_LABEL = re.compile(r"(?i)\b(cpt|hcpcs|procedure codes?)\b")
LEAD = re.compile(r"[-•*–—·~>]|\(?\d{1,2}[.)]|.*[:(,;]")
CODELIKE = re.compile(r"[(\[]?[A-Z0-9|{£€-][\w.]{2,7}[)\],;.]*")
ALIKE, BETTER = 0.5, 0.3
SAID, LABELLED = 93.0, 80.0  # confidence of a repair that the words beside confirm, that only a label backs
COMBINATIONS = 3000


def repair(words: Sequence[Seen], lookup: Lookup | None) -> list[Seen]:
    """Words with bent forms put right, and misread codes where `lookup` (code → display) is given."""
    made = repair_forms(words)
    if lookup is None:
        return made
    start = 0
    while start < len(made):
        end = start
        while end < len(made) and made[end].line == made[start].line:
            end += 1
        _repair_line(made, start, end, lookup)
        start = end
    return made


def _repair_line(words: list[Seen], start: int, end: int, lookup: Lookup) -> None:
    line = " ".join(word.text for word in words[start:end])
    labelled, procedures = bool(LABEL.search(line)), bool(PROCEDURE_LABEL.search(line))
    for index in range(start, end):
        parts = READING.fullmatch(words[index].text)
        if parts is None or sum(char.isdigit() for char in parts["core"]) < 2:
            continue
        core = parts["core"]
        if procedures and (code := _procedure(core, lookup)):
            sure = LABELLED
        else:
            before = [word.text for word in words[max(start, index - 8) : index]]
            after = [word.text for word in words[index + 1 : min(end, index + 9)]]
            leads = index == start or words[index].gap or bool(LEAD.fullmatch(before[-1])) or bool(parts["open"])
            code, sure = _diagnosis(core, before, after, leads, labelled, lookup)
        if code and code != core:
            text = parts["open"] + code + parts["close"]
            words[index] = mended(words[index], text, "code", sure)


def _procedure(core: str, lookup: Lookup) -> str | None:
    """The one code that a reading on a line of procedure codes can mean."""
    if PROCEDURE.fullmatch(core) and lookup(core):
        return None
    known = {code for code in _candidates(core, False) if PROCEDURE.fullmatch(code) and lookup(code)}
    close = {code for code in known if code[1:] == core[1:]} or known
    return close.pop() if len(close) == 1 else None


def _diagnosis(
    core: str, before: Sequence[str], after: Sequence[str], leads: bool, labelled: bool, lookup: Lookup
) -> tuple[str | None, float]:
    """The ICD-10-CM code that a reading means by the words beside it, or by its label."""
    dotted = "." in core or "," in core
    if not (leads or labelled or dotted):
        return None, 0.0
    own = lookup(core) if ICD.fullmatch(core) else None
    level = max(likeness(own, after), likeness(own, before)) if own else 0.0
    best, best_level = None, 0.0
    single: set[str] = set()
    for code in _candidates(core, True):
        if not ICD.fullmatch(code) or (display := lookup(code)) is None:
            continue
        alike = likeness(display, after) or (0.0 if leads and after else likeness(display, before))
        if alike > best_level:
            best, best_level = code, alike
        if code[0] in (core[0] + FIRST.get(core[0], "")[:1]) and code[1:].replace(".", "") == core[1:].replace(".", ""):
            single.add(code)
    if best and best_level >= ALIKE and best_level > level + BETTER:
        return best, SAID
    bare = not after or bool(CODELIKE.fullmatch(after[0]))  # a list of codes without their meanings
    if labelled and not own and len(single) == 1 and bare:
        return single.pop(), LABELLED
    return None, 0.0


def _candidates(core: str, any_letter: bool) -> Iterator[str]:
    """What a reading may stand for, the nearest first."""
    forms = [core.replace(",", ".")]
    plain = forms[0].replace(".", "")
    if len(plain) > 3:
        forms.append(plain[:3] + "." + plain[3:])
    forms += [form[:i] + form[i + 1 :] for form in list(forms) for i in range(1, len(form)) if form[i] in "iIl1|0OQ"]
    if any_letter and re.fullmatch(r"\d\d(\.\w{1,4})?", forms[0]):  # the letter was not read at all
        yield from (letter + forms[0] for letter in LETTERS)
    for form in dict.fromkeys(forms):
        heads = form[0].upper() + FIRST.get(form[0], "")
        if any_letter and not form[0].isalpha():
            heads += LETTERS
        tails = [char.upper() + REST.get(char, "") if char != "." else "." for char in form[1:]]
        for head in dict.fromkeys(heads):
            for tail in islice(product(*tails), COMBINATIONS // 26):
                yield head + "".join(tail)
