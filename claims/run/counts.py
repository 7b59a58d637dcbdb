"""What became of claims, in numbers that add up over chunks."""

from __future__ import annotations

import msgspec


class Broken(msgspec.Struct):
    """What a rule found; `charged` are the cents of the lines it is about, or of the whole claims."""

    findings: int = 0
    claims: int = 0
    charged: int = 0


class Counts(msgspec.Struct):
    """What became of a chunk, or of all. Money is in cents."""

    lines: int = 0
    claims: int = 0
    rejected: int = 0
    findings: int = 0
    errors: int = 0
    clean: int = 0
    priced: int = 0
    charged: int = 0
    allowed: int = 0
    held: int = 0
    """Lines of claims that have a price; what all lines charge, what those with a price are allowed, and what claims
    with errors charge."""
    rules: dict[str, Broken] = msgspec.field(default_factory=dict)

    def add(self, other: Counts) -> None:
        """Add those of another chunk."""
        for name in self.__struct_fields__:
            if name != "rules":
                setattr(self, name, getattr(self, name) + getattr(other, name))
        for rule, more in other.rules.items():
            mine = self.rules.setdefault(rule, Broken())
            mine.findings += more.findings
            mine.claims += more.claims
            mine.charged += more.charged

    def top(self) -> list[tuple[str, Broken]]:
        """The rules that found something, those about most money first."""
        return sorted(self.rules.items(), key=lambda one: (-one[1].charged, -one[1].claims, one[0]))
