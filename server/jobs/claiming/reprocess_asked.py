"""Which stored claims `Claim/$reprocess` is about, by what is searched for and by what their last answer says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from claims.work_diff import found_rules, not_run, rests_on
from server.interactions.exchange import Request
from server.jobs.exporting.pages import Pairs
from server.operations.parameters import Arguments, read_arguments, wrong

Json = Mapping[str, Any]
OUTCOMES = ("complete", "partial", "error", "none")
MOST_VALUES = 100
_REFERENCE = re.compile(r"Organization/[A-Za-z0-9\-.]{1,64}")
_KNOWN = ("rule", "release", "payer", "status", "state", "outcome", "date", "claim", "dryRun")


class Asked(msgspec.Struct, frozen=True):
    """A kick-off, understood: what is searched for, and what the claims that are found must fulfil."""

    pairs: Pairs
    rules: frozenset[str]
    releases: tuple[tuple[str, str], ...]
    payers: frozenset[str]
    states: frozenset[str]
    outcomes: frozenset[str]
    dry: bool

    def wants(self, answer: Json | None) -> bool:
        """Whether a claim with this last answer is meant."""
        if self.outcomes and ("none" if answer is None else answer.get("outcome")) not in self.outcomes:
            return False
        if not self.rules and not self.releases:
            return True
        if answer is None:
            return False
        rules, tables = not_run(answer)
        if self.rules and not self.rules & {*found_rules(answer), *rules}:
            return False
        rests = rests_on(answer)
        return not self.releases or any(
            rests.get(table) == release if release else table in rests or table in tables
            for table, release in self.releases
        )


def read_asked(request: Request) -> Asked:
    """What a kick-off asks for; FhirError for what is not understood."""
    arguments = read_arguments(request)
    arguments.only(*_KNOWN)
    payers = _all(arguments, "payer")
    outcomes = _all(arguments, "outcome")
    if not {*outcomes} <= {*OUTCOMES}:
        raise wrong(f"outcome is one of {', '.join(OUTCOMES)}.", "outcome")
    pairs: list[tuple[str, str]] = [("use", "claim"), ("status", ",".join(_all(arguments, "status")) or "active")]
    pairs += [("created", value) for value in _all(arguments, "date")]
    named = [one.removeprefix(f"{request.base_url}/").removeprefix("Claim/") for one in _all(arguments, "claim")]
    pairs += [("_id", ",".join(named))] if named else []
    stored = [one for one in payers if _REFERENCE.fullmatch(one)]
    if stored and len(stored) < len(payers):
        raise wrong("Name payers by references or by their identifiers, not by both.", "payer")
    pairs += [("insurer", ",".join(stored))] if stored else []
    releases = tuple(
        (table, release) for table, _, release in (one.partition("|") for one in _all(arguments, "release"))
    )
    return Asked(
        tuple(pairs), frozenset(_all(arguments, "rule")), releases, frozenset(payers) - frozenset(stored),
        frozenset(_all(arguments, "state")), frozenset(outcomes), arguments.flag("dryRun"),
    )  # fmt: skip


def _all(arguments: Arguments, name: str) -> list[str]:
    """The values of a parameter, given one by one or with commas."""
    references = [
        value["reference"]
        for key, value in arguments.values
        if key == name and isinstance(value, dict) and isinstance(value.get("reference"), str)
    ]
    values = [one for text in (*arguments.all(name), *references) for one in text.split(",") if one]
    if len(values) > MOST_VALUES:
        raise wrong(f"{name} has at most {MOST_VALUES} values.", name)
    return values
