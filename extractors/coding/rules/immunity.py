"""An infection that is named for its vaccine, or for immunity against it, is no infection of the patient."""

from __future__ import annotations

import re

from extractors.coding.case import Candidate, Case, Rule
from fhir_profiles.systems import CPT

IMMUNITY = Rule(
    "vaccine-named", "I.C.21.c.2, IV.I", "The name of a vaccine or of immunity is not a code of the infection"
)
_INFECTIONS = ("A", "B", "J09", "J10", "J11", "J13", "U07.1")
_AFTER = re.compile(
    r"[ -]?(?:\(?\w+\)? )?(?:(?:conjugate |toxoid |live |inactivated |zoster )*"
    r"(?:vaccin|booster|toxoid|shot|immuni[sz]|immune\b|titers?\b|series\b|prophylaxis|up to date|utd\b|status\b)"
    r"|#\s?\d|(?:virus )?(?:surface |core )?(?:ab|antibod(?:y|ies)|igg)\b"
    r"|\((?:[a-z]+vax|havrix|vaqta|prevnar|recombivax|engerix))"
)
_BEFORE = re.compile(
    r"\b(?:(?:vaccin\w+|immuni[sz]\w+|booster|prophylaxis|protection|immunity|immune)(?: \w+)? (?:for|against|to)"
    r"|(?:up to date|due|utd) (?:on|for|with))(?: the)?(?: [a-z0-9/-]+,?){0,3} $"
    r"|\blast $"
)
_GIVEN = tuple(f"90{n}" for n in (*range(476, 480), *range(48, 76)))
_INFECTED = re.compile(r"\b(?:infection|positive|reactive|acute|chronic|carrier|illness)\b")


def vaccine_named(case: Case) -> None:
    """Reject infections that are the name of a vaccine, of a given dose, or of an antibody."""
    infections = case.accepted(*_INFECTIONS)
    if not infections:
        return
    given = [(c.start, c.end) for c in case.candidates if c.system == CPT and c.code.startswith(_GIVEN)]
    for candidate in infections:
        if any(a < candidate.end and candidate.start < b for a, b in given) or _about_immunity(case, candidate):
            case.reject(candidate, IMMUNITY, "It names a vaccine or immunity")


def _about_immunity(case: Case, candidate: Candidate) -> bool:
    """True where the words beside it speak of a vaccine or an antibody, and none of an infection."""
    after = case.text[candidate.end : candidate.end + 44]
    after = re.split(r"[.;\n]", after, maxsplit=1)[0]
    if _INFECTED.search(after) and "immune" not in after and "vaccin" not in after:
        return False
    return bool(_AFTER.match(after) or _BEFORE.search(case.text, max(0, candidate.start - 60), candidate.start))


RULES = (vaccine_named,)
