"""Images by part, views and contrast, with side and component (CPT 70010-77086)."""

from __future__ import annotations

import re
from functools import cache

from extractors.coding.case import Case, Rule, asked
from extractors.coding.clauses import bounds
from extractors.coding.done import add_service, done_here
from extractors.coding.place import component_of, place_of
from extractors.coding.tables import table
from extractors.findings.cues import Cued

XRAY = Rule(
    "xray-views",
    "CPT, radiology by number of views",
    "An x-ray is coded by its part and number of views, with its side",
)
SCAN = Rule("scan-contrast", "CPT, radiology by contrast", "CT and MRI are coded by part and contrast")
SOUND = Rule("ultrasound-kind", "CPT, diagnostic ultrasound", "Ultrasound is coded by part, complete or limited")
BREAST = Rule("mammogram-kind", "CPT 77065-77067", "A mammogram is screening, or diagnostic of one side or both")
EXTENT = Rule("ultrasound-extent", "CPT, diagnostic ultrasound", "Asks whether an ultrasound was complete or limited")
VIEWS = Rule("views", "CPT, radiology by number of views", "Asks how many views were taken")
CONTRAST = Rule("contrast", "CPT, radiology by contrast", "Asks whether contrast was given")
_XRAY_CUES = ("x-ray", "xray", "radiograph", "cxr", "film", "kub", "views of")
_XRAY = asked(r"\b(?:x-?rays?|radiographs?|cxr|plain films?|films?|kub|views of (?:the )?(?:right|left))\b", _XRAY_CUES)
_VIEWS = re.compile(
    r"\b(\d|one|two|three|four|five|six|single) ?(?:-|or more )?(?:views?|vws?|v)\b|\bviews?: ?(\d)\b"
    r"|\b((?:(?:pa|ap|lateral|lat|obliques?|mortise|sunrise|odontoid|frog[- ]leg|axillary|scapular y|standing"
    r"|open[- ]mouth)"
    r"(?:, and | and |, | & |/|\b))+)"
)
_COUNT = {"one": "1", "single": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6"}
_PROJECTIONS = re.compile(
    r"\b(?:pa|ap|lat(?:eral)?|obliques?|mortise|sunrise|odontoid|frog[- ]leg|axillary|scapular y|open[- ]mouth)\b"
)
_SCAN = asked(r"\b(ct|cat scan|mri)\b(?! angio)", ("ct", "cat scan", "mri"))
_AGENT = r"(?:(?:iv|intravenous|oral and iv|oral|gad\w*) (?:and iv )?)?(?:contrast|gad(?:olinium)?|omnipaque|isovue)"
_BOTH = re.compile(
    rf"(?:without|w/o)(?: contrast)?,? (?:and|then|&|followed by) (?:then )?with {_AGENT}"
    rf"|(?:with|w/?)(?: contrast)? (?:and|&) (?:without|w/o) {_AGENT}|\bw/?wo {_AGENT}|\bw ?/ ?w ?/? ?o {_AGENT}"
    rf"|(?:before|pre)[- ]?(?: and |/)(?:after|post)[- ]?{_AGENT}"
)
_NONE = re.compile(rf"(?:without|w/o|no) {_AGENT}|\bnon-?con(?:trast)?\b|\bunenhanced\b")
_WITH = re.compile(
    rf"(?:with|w/) ?{_AGENT}|\b(?:contrast|gadolinium)[- ]enhanced|{_AGENT} (?:given|administered)|post[- ]contrast"
)
_SOUND = asked(r"\b(?:ultrasound|sonogram|sonography|biophysical profile|tvus)\b")
_SHORT_CUES = (
    "renal", "kidney", "abd", "pelvi", "thyroid", "transvaginal", "breast", "scrotal", "testicular", "ruq", "ob us",
    "liver", "gallbladder", "neck", "us",
)  # fmt: skip
_SOUND_SHORT = asked(
    r"\b(?:renal|kidneys?|abd\w*|pelvi[cs]|thyroid|transvaginal|breast|scrotal|testicular|ruq|ob|liver"
    r"|gallbladder|neck) us\b"
    r"|\bus,? (?:of |complete |limited )*(?:the |both )?(?:renal|kidney|abd|pelvi|thyroid|transvag|breast|scrot"
    r"|testic|ruq"
    r"|liver|gallbladder|neck)",
    _SHORT_CUES,
)
_BREAST = asked(r"\b(screening|diagnostic)?[ ,]*(?:bilateral )?mammogra(?:m|phy)\b")


def images(case: Case) -> None:
    """Every image that was taken or read here."""
    if case.setting != "outpatient":
        return
    if case.says("x-ray", "xray", "radiograph", "cxr", "film", "kub", "views of"):
        _xrays(case)
    if case.says("ct ", "mri", "cat scan"):
        _scans(case)
    if case.says("ultrasound", "sonogra", "biophysical", "tvus"):
        _sounds(case, _SOUND)
    if case.says(" us ", " us,", " us.", " us:") or case.text.startswith("us "):
        _sounds(case, _SOUND_SHORT)
    if case.says("mammogra"):
        _breasts(case)


_ALSO = {
    "foot": "foot|feet", "lumbar spine": "l(?:umbar)?[- ]spine", "cervical spine": "c(?:ervical)?[- ]spine",
    "thoracic spine": "t(?:horacic)?[- ]spine", "lumbosacral spine": "(?:lumbosacral|ls|l/s)[- ]spine",
    "tibia and fibula": "tibia (?:and|&|/) fibula|tib[-/ ]?fib", "abdomen": "abdomen|kub",
}  # fmt: skip


@cache
def _parts() -> list[tuple[str, re.Pattern[str]]]:
    names = sorted(table("services")["xray"], key=len, reverse=True)
    return [(name, re.compile(rf"\b(?:{_ALSO.get(name, name)})s?\b")) for name in names]


def _xrays(case: Case) -> None:
    for match in case.search(_XRAY):
        if not done_here(case, *match.span()):
            continue
        low, high = bounds(case.text, *match.span())
        clause = case.text[low:high]
        part = "chest" if match[0] == "cxr" else next((name for name, words in _parts() if words.search(clause)), None)
        if part is None:
            continue
        count = _views(clause)
        if not count:
            case.ask(VIEWS, "How many views were taken?", *match.span())
            continue
        numbers = table("services")["xray"][part]
        code = numbers.get(count) or (numbers[max(numbers)] if count > max(numbers) else None)
        if code is None:
            continue
        sides = place_of(case, *match.span()) if part in table("services")["sided"] else ()
        add_service(
            case, code, match.span(), XRAY, f"{count} views", modifiers=(*component_of(case, *match.span()), *sides)
        )


def _views(clause: str) -> str:
    """How many views the clause names, by number or one by one; "" when it names none."""
    said = _VIEWS.search(clause)
    if said is None:
        return ""
    if said[1] or said[2]:
        return _COUNT.get(said[1] or said[2], said[1] or said[2])
    count = len(_PROJECTIONS.findall(clause))
    return str(count) if count > 1 or "chest" in clause or "cxr" in clause else ""


def _scans(case: Case) -> None:
    for match in case.search(_SCAN):
        if not done_here(case, *match.span()):
            continue
        low, high = bounds(case.text, *match.span())
        clause = case.text[low:high]
        parts = table("services")["scans"]["mri" if match[1] == "mri" else "ct"]
        codes = next((codes for words, codes in parts.items() if re.search(rf"\b(?:{words})\b", clause)), None)
        if codes is None:
            continue
        at = 2 if _BOTH.search(clause) else 0 if _NONE.search(clause) else 1 if _WITH.search(clause) else None
        if at is None:
            case.ask(CONTRAST, "Was contrast given?", *match.span())
            continue
        if not codes[at]:
            continue  # no loaded table holds the number
        sides = place_of(case, *match.span()) if codes[0] in ("73721", "73221") else ()
        add_service(
            case,
            codes[at],
            match.span(),
            SCAN,
            "Part and contrast are named",
            modifiers=(*component_of(case, *match.span()), *sides),
        )


def _sounds(case: Case, named: Cued) -> None:
    for match in case.search(named):
        low, high = bounds(case.text, *match.span())
        clause = case.text[low:high]
        if "guid" in clause or "minutes" in clause or not done_here(case, *match.span()):
            continue
        for words, kinds in table("services")["ultrasound"].items():
            if re.search(rf"\b(?:{words})\b", clause):
                kind = next((k for k in kinds if k and k in clause), "")
                code = kinds.get(kind) or kinds.get("")
                if code is None:
                    case.ask(
                        EXTENT,
                        "Complete or limited?",
                        *match.span(),
                    )
                else:
                    add_service(
                        case,
                        code,
                        match.span(),
                        SOUND,
                        "Part and extent are named",
                        modifiers=component_of(case, *match.span()),
                    )
                break


def _breasts(case: Case) -> None:
    for match in case.search(_BREAST):
        low, high = bounds(case.text, *match.span())
        clause = case.text[low:high]
        if not re.search(
            r"\b(?:performed|done|obtained|today|interpretation|completed|read)\b", clause
        ) or not done_here(case, *match.span()):
            continue
        sides = place_of(case, *match.span())
        if match[1] == "screening":
            add_service(
                case,
                "77067",
                match.span(),
                BREAST,
                "A screening mammogram was taken",
                modifiers=component_of(case, *match.span()),
            )
        elif sides:
            code = "77066" if sides == ("50",) else "77065"
            more = () if code == "77066" else sides
            add_service(
                case,
                code,
                match.span(),
                BREAST,
                "A diagnostic mammogram",
                modifiers=(*component_of(case, *match.span()), *more),
            )


RULES = (images,)
