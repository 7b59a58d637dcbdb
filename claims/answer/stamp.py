"""What an answer rests on: rules, releases of tables, and the rules that were not run for want of a table."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import orjson

from claims.edit import Edits
from fhir_profiles.systems import EDIT_RUN, RULES_NOT_RUN, TABLE_RELEASE

Json = dict[str, Any]


@dataclass(frozen=True)
class Stamp:
    """The rules and tables of an answer; `prices` are the tables that prices rest on, with their releases."""

    edits: Edits
    prices: Mapping[str, str]

    @cached_property
    def releases(self) -> dict[str, str]:
        """Table → release of everything that was asked."""
        asked = {name for rule in self.edits.active for name in rule.tables}
        return dict(sorted({**{name: self.edits.tables[name].release for name in asked}, **self.prices}.items()))

    @cached_property
    def fingerprint(self) -> str:
        """The same for the same rules, tables and releases."""
        rules = [(r.id, r.severity, r.scope, r.sentence, r.element, r.breaks, r.carc) for r in self.edits.rules]
        return hashlib.sha256(orjson.dumps([rules, list(self.releases.items())])).hexdigest()[:32]

    @cached_property
    def not_run(self) -> list[tuple[tuple[str, ...], list[str]]]:
        """(tables that are not loaded, rules that need them), by tables."""
        grouped: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
        for rule, tables in self.edits.not_run.items():
            grouped[tables].append(rule)
        return sorted(grouped.items())

    @cached_property
    def brief(self) -> list[Json]:
        """The extension that names the fingerprint."""
        return [{"url": EDIT_RUN, "valueString": self.fingerprint}]

    @cached_property
    def whole(self) -> list[Json]:
        """The extensions that tell everything."""
        found = list(self.brief)
        for table, release in self.releases.items():
            parts = [{"url": "table", "valueCode": table}, {"url": "release", "valueString": release}]
            found.append({"url": TABLE_RELEASE, "extension": parts})
        for tables, rules in self.not_run:
            parts = [{"url": "table", "valueCode": table} for table in tables]
            parts += [{"url": "rule", "valueCode": rule} for rule in rules]
            found.append({"url": RULES_NOT_RUN, "extension": parts})
        return found

    def told(self) -> Json:
        """The same for machines that read no FHIR."""
        not_run = [{"tables": list(tables), "rules": rules} for tables, rules in self.not_run]
        return {
            "fingerprint": self.fingerprint,
            "rules": len(self.edits.rules),
            "active": len(self.edits.active),
            "tables": self.releases,
            "not_run": not_run,
        }
