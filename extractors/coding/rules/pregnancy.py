"""A condition of a pregnant woman is a condition of the pregnancy unless the text says otherwise (I.C.15.a.1)."""

from __future__ import annotations

import re

from extractors.coding.case import Case, Rule, asked
from extractors.coding.tables import table

PREGNANT = Rule(
    "condition-in-pregnancy", "I.C.15.a.1, I.C.15.c-g", "A condition in pregnancy takes the code of chapter 15 first"
)
KIND = Rule("preeclampsia-kind", "I.C.15", "Preeclampsia by how severe it is")
_PREGNANT = asked(
    r"\bpregnan(?:t|cy)\b|\bgravid\b|\bweeks?(?:'|s')?(?: of)?[ -]gestation\b|\biup\b"
    r"|\bintrauterine pregnancy\b|\bprenatal\b|\bg\d{1,2} ?p\d[^.;\n]{0,12}\b(?:at )?\d{1,2} ?w|\bpnv\b"
)
_NOT = re.compile(
    r"\b(?:not|denies|no|never|prevent\w*|history of|prior|previous|last|planning|wants|test|if|postpartum"
    r"|after|ectopic|"
    r"first)\b[^.;\n]{0,14}$"
)
_TEST = re.compile(r"^[^.;\n]{0,3}(?:test|prevention)|^ (?:\(|in )(?:19|20)\d\d\b")  # or one of a past year


_PARITY = tuple(f"g{n}p" for n in range(1, 10))


def pregnant(case: Case) -> bool:
    """True when the patient is pregnant now."""
    if not case.says("pregnan", "gestation", "gravid", "prenatal", "iup", "pnv", *_PARITY):
        return False
    return any(
        not _NOT.search(case.text, max(0, m.start() - 30), m.start())
        and not _TEST.match(case.text[m.end() : m.end() + 16])
        for m in case.each(_PREGNANT)
    )


def condition_in_pregnancy(case: Case) -> None:
    """Put the chapter 15 code first; the disease stays beside it where the chapter asks for it."""
    if not pregnant(case) or case.has("Z33.1", "Z38") or case.says("liveborn infant"):
        return
    for row in table("pregnancy")["rows"]:
        for candidate in case.accepted(*row["from"]):
            if case.accepted(row["code"][:5]) or candidate.printed or _own_code(case, candidate.code):
                continue
            why = "A condition in pregnancy is presumed to complicate it"
            if row["keep"]:
                case.add(row["code"], candidate.start, candidate.end, PREGNANT, why, finding=candidate.finding)
            else:
                case.replace(candidate, row["code"], PREGNANT, why)


def _own_code(case: Case, code: str) -> bool:
    """Diabetes or hypertension that the pregnancy brought has a code of its own."""
    return (code.startswith("E") and case.has("O24")) or (
        code.startswith("I1") and case.has("O10", "O11", "O13", "O14", "O16")
    )


def preeclampsia_kind(case: Case) -> None:
    """Mild and severe preeclampsia have codes of their own."""
    for candidate in case.accepted("O14.9"):
        before = case.text[max(0, candidate.start - 20) : candidate.end + 30]
        kind = "O14.1" if "severe" in before else "O14.0" if re.search(r"\bmild\b|\bmoderate\b", before) else ""
        if kind:
            case.replace(candidate, f"{kind}{candidate.code[5:]}", KIND, "The words say how severe it is")


RULES = (preeclampsia_kind, condition_in_pregnancy)
