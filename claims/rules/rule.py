"""Rules and the files that they stand in (TOML, https://toml.io).

    [[rule]]
    id = "DAT-003"
    severity = "error"
    scope = "line"
    sentence = "The service period ends before it starts"
    element = "servicedPeriod"
    breaks = "end < start"

`breaks` is true where the claim breaks the rule (docs/claims-rules.md tells the language). A user's file has this form.
`payer = ["medicare"]` says whose rule it is: no claim to another kind of payer is asked.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Any

from claims.expr.read import read
from claims.expr.tree import Among, Column, Logic, Lookup, Node, walk
from claims.sheet.schema import PAYERS, SCOPES
from fhir_profiles.errors import Category, FhirError

SEVERITIES = ("error", "warning", "information")
REQUIRED = ("id", "severity", "scope", "sentence", "element", "breaks")
OPTIONAL = ("x12", "carc", "source")
MAX_RULES = 2_000
MAX_BYTES = 4_000_000
_ID = re.compile(r"[A-Z]{2,5}-[0-9]{3,4}")
_PATHS = {
    "claim": "Claim", "line": "Claim.item", "diagnosis": "Claim.diagnosis", "team": "Claim.careTeam",
    "procedure": "Claim.procedure", "info": "Claim.supportingInfo", "insurance": "Claim.insurance",
}  # fmt: skip


@dataclass(frozen=True)
class Rule:
    """One edit. `element` is where the fault is, below the scope's part of the Claim."""

    id: str
    severity: str
    scope: str
    sentence: str
    element: str
    breaks: str
    x12: str = ""
    carc: str = ""
    source: str = ""
    payer: tuple[str, ...] = ()
    """The kinds of payers whose rule it is, of PAYERS; of all where there is none."""

    @property
    def category(self) -> str:
        """What kind of edit it is: the letters of its id."""
        return self.id.partition("-")[0]

    @cached_property
    def node(self) -> Node:
        """The expression, read and checked; asked of claims to its payers only."""
        said = read(self.breaks, self.scope)
        return Logic("flag", "and", (_paid_by(self.payer, self.scope), said)) if self.payer else said

    @cached_property
    def tables(self) -> frozenset[str]:
        """The tables without which it cannot run."""
        return frozenset(n.table for n in walk(self.node) if isinstance(n, Lookup))

    def where(self, sequence: int | None = None) -> str:
        """The FHIRPath of the fault; `sequence` is the number of the part of its scope."""
        base = _PATHS[self.scope] + (f".where(sequence = {sequence})" if sequence is not None else "")
        return f"{base}.{self.element}" if self.element else base


def read_rules(text: str, name: str) -> list[Rule]:
    """The rules of a file; FhirError that names the rule and what is wrong with it."""
    try:
        parsed = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _refused(f"{name}: {error}") from None
    listed = parsed.get("rule")
    if set(parsed) - {"rule"} or not isinstance(listed, list) or len(listed) > MAX_RULES:
        raise _refused(f"{name}: the file holds [[rule]] tables, at most {MAX_RULES}, and nothing else")
    rules = [_rule(one, f"{name}, rule {n}") for n, one in enumerate(listed, 1)]
    return unique(rules)


def _rule(one: Any, where: str) -> Rule:
    if not isinstance(one, dict):
        raise _refused(f"{where}: a rule is a table")
    one = dict(one)
    payers = one.pop("payer", [])
    wrong = [key for key in REQUIRED if not isinstance(one.get(key), str)]
    wrong += [key for key in one if key not in REQUIRED + OPTIONAL or not isinstance(one[key], str)]
    if wrong:
        raise _refused(f"{where}: {wrong[0]} is missing, unknown or no text")
    where = f"{where} ({one['id'][:12]})"
    if not _ID.fullmatch(one["id"]):
        raise _refused(f"{where}: an id is letters, a dash and a number, as in ABC-001")
    for key, allowed in (("severity", SEVERITIES), ("scope", tuple(SCOPES))):
        if one[key] not in allowed:
            raise _refused(f"{where}: {key} is one of {', '.join(allowed)}")
    if not isinstance(payers, list) or not all(isinstance(kind, str) and kind in PAYERS for kind in payers):
        raise _refused(f"{where}: payer is a list of {', '.join(PAYERS)}")
    rule = Rule(**one, payer=tuple(payers))
    try:
        _ = rule.node
    except FhirError as error:
        raise _refused(f"{where}: {error.problems[0].text}") from None
    return rule


def _paid_by(kinds: tuple[str, ...], scope: str) -> Node:
    """Whether a claim goes to a payer of these kinds."""
    of = "" if scope == "claim" else "claim"
    if kinds == ("medicare",):
        return Column("flag", of, "medicare")  # most often asked, and a flag is quicker than a text
    return Among("flag", Column("text", of, "payer_kind"), kinds)


def unique(rules: Iterable[Rule]) -> list[Rule]:
    """The rules, none of them twice."""
    found: dict[str, Rule] = {}
    for rule in rules:
        if found.setdefault(rule.id, rule) is not rule:
            raise _refused(f"Rule {rule.id} stands there twice")
    return list(found.values())


def _refused(text: str) -> FhirError:
    return FhirError.of(Category.INCORRECT, "invalid", text)


def own_rules() -> list[Rule]:
    """The rules that ship with the package."""
    folder = files("claims.rules") / "data"
    found = sorted((f for f in folder.iterdir() if f.name.endswith(".toml")), key=lambda f: f.name)
    return unique(rule for file in found for rule in read_rules(file.read_text("utf-8"), file.name))


def user_rules(path: Path) -> list[Rule]:
    """The rules of a user's file; FhirError where it is no text or holds more than 4 MB."""
    if path.stat().st_size > MAX_BYTES:
        raise _refused(f"{path.name}: a file of rules has at most {MAX_BYTES} bytes")
    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError:
        raise _refused(f"{path.name}: the file is not text in UTF-8") from None
    return read_rules(text, path.name)
