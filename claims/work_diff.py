"""What changed between two answers to a claim: findings by rule, and the expected price."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from fhir_profiles.systems import ADJUDICATION, CLAIM_RULE, FINDING_RULE, RULES_NOT_RUN, TABLE_RELEASE

Json = Mapping[str, Any]


class Difference(msgspec.Struct):
    """What became of claims; money in cents of those claims that have a price. Adds up over claims and pages.

    `claims` were looked at, `answered` have a new answer, `changed` differ in findings or price, `first` had no answer
    before, `unread` cannot be read as claims. `clean` counts claims without an error.
    """

    claims: int = 0
    answered: int = 0
    changed: int = 0
    first: int = 0
    unread: int = 0
    clean_before: int = 0
    clean_after: int = 0
    before: int = 0
    after: int = 0
    gained: dict[str, int] = msgspec.field(default_factory=dict)
    lost: dict[str, int] = msgspec.field(default_factory=dict)

    def add(self, other: Difference) -> None:
        """Add that of others."""
        for name in self.__struct_fields__:
            mine, more = getattr(self, name), getattr(other, name)
            setattr(self, name, dict(Counter(mine) + Counter(more)) if isinstance(mine, dict) else mine + more)

    @property
    def differs(self) -> bool:
        """Whether findings or price are not what they were."""
        return bool(self.gained or self.lost or self.before != self.after)


def compare(before: Json | None, after: Json) -> Difference:
    """The difference that a new answer (ClaimResponse) makes; findings of a claim without one before are gained."""
    old, new = found_rules(before or {}), found_rules(after)
    one = Difference(claims=1, gained=dict(new - old), lost=dict(old - new), after=expected(after))
    one.clean_after = int(after.get("outcome") != "error")
    if before is None:
        one.first = 1
    else:
        one.before, one.clean_before = expected(before), int(before.get("outcome") != "error")
    one.changed = int(one.differs)
    return one


def found_rules(response: Json) -> Counter[str]:
    """How often each rule was found broken: errors, warnings and notes."""
    errors = (c.get("code") for error in response.get("error") or () for c in _codings(error.get("code")))
    return Counter(str(code) for code in (*errors, *_noted(response)) if code)


def expected(response: Json) -> int:
    """The expected price of all lines that have one, in cents."""
    for total in response.get("total") or ():
        codings = (total.get("category") or {}).get("coding") or ()
        if any(c.get("system") == ADJUDICATION and c.get("code") == "eligible" for c in codings):
            return round(Decimal(str((total.get("amount") or {}).get("value") or 0)) * 100)
    return 0


def rests_on(response: Json) -> dict[str, str]:
    """Table → release of all that an answer asked."""
    found = {}
    for parts in _extensions(response, TABLE_RELEASE):
        said = {part.get("url"): part.get("valueCode") or part.get("valueString") for part in parts}
        found[str(said.get("table"))] = str(said.get("release"))
    return found


def not_run(response: Json) -> tuple[set[str], set[str]]:
    """The rules that were not run, and the tables for want of which they were not."""
    rules, tables = set(), set()
    for parts in _extensions(response, RULES_NOT_RUN):
        rules |= {str(part.get("valueCode")) for part in parts if part.get("url") == "rule"}
        tables |= {str(part.get("valueCode")) for part in parts if part.get("url") == "table"}
    return rules, tables


def _codings(concept: Json | None) -> Iterator[Json]:
    return (c for c in (concept or {}).get("coding") or () if c.get("system") == CLAIM_RULE)


def _noted(response: Json) -> Iterator[str | None]:
    """Rules of notes: once for the claim, or once for each line that names the note."""
    named = Counter(number for item in response.get("item") or () for number in item.get("noteNumber") or ())
    for note in response.get("processNote") or ():
        for parts in _extensions(note, FINDING_RULE):
            code = next((p["valueCoding"].get("code") for p in parts if "valueCoding" in p), None)
            yield from [code] * max(named[note.get("number")], 1)


def _extensions(part: Json, url: str) -> Iterator[list[Json]]:
    return (one.get("extension") or [] for one in part.get("extension") or () if one.get("url") == url)
