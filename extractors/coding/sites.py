"""Codes by site: from "unspecified site" to the site and side that the words beside a mention name (I.B.2, I.B.13)."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from functools import cache

from extractors.coding.tables import table

SIDES = {"right": "right", "left": "left", "bilateral": "bilateral", "both": "bilateral", "rt": "right", "lt": "left",
         "r": "right", "l": "left"}  # fmt: skip
LINKS = frozenset(
    re.findall(
        r"\S+",
        "of in at to on over involving affecting the his her their patient's joint joints skin flare attack first 1st",
    )
)
_WORD = re.compile(r"\b[ctl]\d{1,2}(?: ?[-/] ?[ctls]?\d{1,2})?\b|\d(?:st|nd|rd|th)\b|[a-z']+|[,&]")
_LEVEL = re.compile(r"([ctl])(\d{1,2})(?: ?[-/] ?([ctls]?)(\d{1,2}))?")  # "l4", "l4-5", "l5-s1"
_REGIONS = {"c": "cervical", "t": "thoracic", "l": "lumbar", "ct": "cervicothoracic", "tl": "thoracolumbar",
            "ls": "lumbosacral"}  # fmt: skip
_LIMBS = {
    letters + "le": ("lower extremity", side) for letters, side in (("r", "right"), ("l", "left"), ("b", "bilateral"))
} | {letters + "ue": ("upper extremity", side) for letters, side in (("r", "right"), ("l", "left"), ("b", "bilateral"))}
_BRACKETS = re.compile(r"\s*\[[^\]]*\]")
_SIDE = re.compile(
    r"\b(?:unspecified )?(right|left|bilateral)\b|\bunspecified(?= (?!sites?\b|joint\b|limb\b|parts?\b|region\b))"
)
Sites = dict[str, dict[str, dict[str, str]]]


def site_families(displays: Mapping[str, str], billable: frozenset[str]) -> Sites:
    """ "Unspecified site" code → site → side ("" unsaid) → code, from titles that differ only in these."""
    data = table("sites")
    phrases = [*data["open"], *data["named"]]
    escaped = [re.escape(p).replace(r"\$", "$") for p in sorted(phrases, key=len, reverse=True)]
    site = re.compile(rf"\b(?:{'|'.join(escaped)})(?!\w)")
    opens = {p.rstrip("$") for p in data["open"]}
    groups: defaultdict[str, dict[str, dict[str, str]]] = defaultdict(dict)
    for code in sorted(billable):
        if code[0] in "OPQSTVWXYZ" or len(code) == 8:
            continue
        title = _BRACKETS.sub("", displays[code].lower()).replace(",", "")
        side = _SIDE.search(title)
        rest = " ".join(_SIDE.sub(" ", title).split())
        found = site.findall(rest)
        if len(found) != 1:
            continue
        shape = code[:3] + " ".join(
            w for w in site.sub("*", rest).split() if w not in ("of", "in", "the", "at", "skin")
        )
        name = "" if found[0] in opens else found[0]
        groups[shape].setdefault(name, {}).setdefault((side[1] or "") if side else "", code)
    families: Sites = {
        group[""][""]: {name: codes for name, codes in group.items() if name}
        for group in groups.values()
        if "" in group.get("", {}) and len(group) > 1
    }
    for code, own in data["families"].items():
        families[code] = {**families.get(code, {}), **own}
    return families


def site_after(text: str) -> list[tuple[str, str, int]]:
    """(site, side, end) of the sites that the words right after a mention name: "of the right knee and left hip"."""
    found: list[tuple[str, str, int]] = []
    words = [(m[0], m.end()) for m in _WORD.finditer(text)]
    i, side, fresh = 0, "", True
    while i < len(words):
        word = words[i][0]
        if word in _LIMBS:
            found.append((*_LIMBS[word], words[i][1]))
            i, fresh = i + 1, False
            continue
        name, size = _named(words, i)
        if name:
            found.append((name, side, words[i + size - 1][1]))
            i, fresh = i + size, False
            if i < len(words) and not side and words[i][0] in SIDES and len(words[i][0]) > 2:
                found[-1] = (name, SIDES[words[i][0]], words[i][1])
                i += 1
            continue
        if word in SIDES:
            if not fresh and not found:
                break
            side, fresh = SIDES[word], True
        elif word in ("and", ",", "&"):
            fresh = True
        elif word not in LINKS or (found and not fresh):
            break
        i += 1
    return found


def site_before(text: str) -> tuple[str, str, int] | None:
    """(site, side, start) of the site that stands right before a mention: "right knee", "severe left shoulder"."""
    words = [(m[0], m.start()) for m in _WORD.finditer(text)]
    while words and words[-1][0] in ("joint", "primary", "moderate", "severe", "mild", "advanced", "acute", "chronic"):
        words.pop()
    if words and words[-1][0] in _LIMBS:
        return (*_LIMBS[words[-1][0]], words[-1][1])
    if words and (region := region_of(words[-1][0])):
        return region, "", words[-1][1]
    for size in (3, 2, 1):
        if len(words) >= size:
            name = " ".join(w for w, _ in words[-size:])
            if name in _called():
                before = words[-size - 1][0] if len(words) > size else ""
                side = SIDES.get(before, "")
                return name, side, words[-size - bool(side)][1]
    return None


def region_of(level: str) -> str:
    """The region of the spine of a level or a pair of levels: "l4-5" is lumbar, "l5-s1" lumbosacral; "" of none."""
    match = _LEVEL.fullmatch(level)
    if match is None:
        return ""
    first, second = match[1], match[3] or match[1]
    return _REGIONS.get(first if first == second else first + second, "")


def _named(words: list[tuple[str, int]], i: int) -> tuple[str, int]:
    if region := region_of(words[i][0]):
        return region, 1
    for size in (3, 2, 1):
        name = " ".join(w for w, _ in words[i : i + size])
        if i + size > len(words):
            continue
        for known in (name, name.removesuffix("s")):
            if known in _called():
                return known, size
    return "", 0


def at_site(family: Mapping[str, Mapping[str, str]], name: str, side: str) -> str | None:
    """The code of a family for a site as clinicians call it; without the side's code the one that leaves it open."""
    for site in _called()[name]:
        sides = family.get(site)
        if sides is not None:
            code = sides.get(side) or sides.get("")
            if code is not None:
                return code
    return None


def both_sides(family: Mapping[str, Mapping[str, str]], name: str, side: str) -> list[str]:
    """The codes of a site; both sides' where it is bilateral and no code says so (I.B.13)."""
    one = at_site(family, name, side)
    if one is None and side == "bilateral":
        return [code for each in ("right", "left") if (code := at_site(family, name, each)) is not None]
    if one is None or side != "bilateral" or at_site(family, name, "") != one:
        return [] if one is None else [one]
    pair = [at_site(family, name, each) for each in ("right", "left")]
    return [code for code in pair if code is not None and code != one] or [one]


def placed() -> list[tuple[str, str]]:
    """Pain by place, as clinicians say it: (phrase, code without a side)."""
    families = table("sites")["families"]
    rows = []
    for name in _called():
        family = next((key for key in ("M25.50", "M79.609") if at_site(families[key], name, "")), None)
        code = at_site(families[family], name, "") if family is not None else None
        if family is not None and code is not None:
            rows += [(f"{name} pain", code), (f"pain in {name}", code), (f"pain in the {name}", code),
                     (f"pain of the {name}", code), (f"painful {name}", code),
                     (f"pain in both {name}", family)]  # fmt: skip
            for side in ("right", "left"):
                sided = next((c for key in ("M25.50", "M79.609") if (c := at_site(families[key], name, side))), None)
                if sided is not None:
                    rows += [(f"pain in {side} {name}", sided), (f"pain in the {side} {name}", sided),
                             (f"{side} {name} pain", sided)]  # fmt: skip
    return rows


def only_site(phrase: str) -> bool:
    """True when a phrase names nothing but a place on the body."""
    return all(w in _site_words() for w in phrase.split())


@cache
def _site_words() -> frozenset[str]:
    called = {w for name in _called() for w in name.split()}
    return frozenset(called | SIDES.keys() | {"and", "joint", "region", "the", "of"})


@cache
def _called() -> dict[str, list[str]]:
    names: dict[str, list[str]] = table("sites")["called"]
    return names
