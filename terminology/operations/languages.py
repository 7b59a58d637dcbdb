"""The languages that a caller wants, best first (https://www.rfc-editor.org/rfc/rfc9110#section-12.5.4).

They stand in the call, in the value set, in the header of the request, in the language of the value set, in this order.
"""

from __future__ import annotations

import re
from typing import Any

from fhir_profiles.errors import Category
from terminology.operations.call import Call
from terminology.operations.issues import issue, refused
from terminology.operations.plan import Plan

Json = dict[str, Any]
ANY = "*"
_RANGE = re.compile(r"(\*|[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*)(?:\s*;\s*q\s*=\s*([01](?:\.\d{0,3})?))?")


class Languages:
    """Ranges of languages with weights. `*;q=0` leaves out every language that is not named."""

    def __init__(self, text: str | None) -> None:
        parts = [part.strip() for part in (text or "").split(",") if part.strip()]
        found = [match for part in parts if (match := _RANGE.fullmatch(part)) is not None]
        weighed = [(match[1], min(float(match[2] or 1), 1.0)) for match in found]
        self.readable = len(found) == len(parts)
        even = ", ".join(f"{m[1]}; q={m[2]}" if m[2] else m[1] for m in found)
        self.text = (even if any(m[2] for m in found) else text) or "--"
        self.wanted = [name for name, weight in sorted(weighed, key=lambda one: -one[1]) if weight > 0]
        self.only = (ANY, 0.0) in weighed

    def __bool__(self) -> bool:
        return bool(self.wanted) and ANY not in self.wanted

    def covers(self, language: str) -> bool:
        """Whether a language is wanted; a name without a language is in any."""
        return not self or not language or any(covers(w, language) for w in self.wanted)


def covers(wanted: str, language: str) -> bool:
    """Whether a language is the one wanted, a variant of it, or what it is a variant of."""
    w, have = wanted.lower(), language.lower()
    return w == have or have.startswith(f"{w}-") or w.startswith(f"{have}-")


def spoken(call: Call, plan: Plan | None = None) -> Languages:
    """The languages of a call; FhirError when it names what is none."""
    asked = call.text("displayLanguage")
    if asked:
        found = Languages(asked)
        if not found.readable:
            raise refused(Category.INCORRECT, issue("INVALID_DISPLAY_NAME", asked))
        return found
    own = plan.parameter("displayLanguage") if plan is not None else None
    return Languages(own or call.language or (plan.resource.get("language") if plan is not None else None))
