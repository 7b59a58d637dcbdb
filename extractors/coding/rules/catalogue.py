"""Every rule of coding in one list: what `docs/coding-rules.md` is written from."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from types import ModuleType

from extractors.coding import rules
from extractors.coding.case import Rule
from extractors.coding.rules import questions, worded

HEAD = """# Rules of coding

Written from the code by `python -m extractors.coding.rules.catalogue`; a test holds it true. A rule that changes the
codes leaves its id and section in the reason of each code that it touched. A rule that lacks something asks: then
`Coded.gaps` has its id, the question, and the words that raise it. Sections I to IV are those of the ICD-10-CM Official
Guidelines for Coding and Reporting, FY2026. [How well they do](results/coding-rules.md).

| rule | what it does | section |
|---|---|---|
"""


def every() -> list[Rule]:
    """The rules of all modules and tables, by id; an id has one meaning."""
    found: dict[str, Rule] = {}
    for rule in _all():
        known = found.setdefault(rule.id, rule)
        assert known == rule, rule.id
    return [found[id] for id in sorted(found)]


def _all() -> Iterable[Rule]:
    for module in vars(rules).values():
        if isinstance(module, ModuleType):
            yield from (value for value in vars(module).values() if isinstance(value, Rule))
    yield from (row.rule for row in worded.rows())
    yield from (row[0] for row in questions.rows())


def page() -> str:
    """The catalogue as Markdown."""
    return HEAD + "".join(f"| `{r.id}` | {r.does} | {r.cites} |\n" for r in every())


if __name__ == "__main__":
    sys.stdout.write(page())
