"""Lines of Rich Release Format: fields that each end in a bar (https://www.nlm.nih.gov/research/umls/rxnorm/docs/techdoc.html).

Files have millions of lines: what is not asked for is counted by its bars and not taken apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NoReturn

from terminology.importers.given import Member, refuse


class Rrf:
    """A file of `fields`, in their order."""

    def __init__(self, member: Member, fields: Sequence[str]) -> None:
        self.member = member
        self.at = {name: place for place, name in enumerate(fields)}
        self._bars = len(fields)

    def lines(self, holding: str = "") -> Iterator[tuple[int, list[str]]]:
        """(number, fields) of the lines that hold a text; each line, taken or not, must have all its fields."""
        bars = self._bars
        number = 0
        for number, line in self.member.lines():
            if line.count("|") != bars or line[-1:] != "|":
                self._damaged(number, line)
            if holding in line:
                yield number, line.split("|")
        if not number:
            refuse(self.member, 1, 1, "the file is empty")

    def refuse(self, number: int, fields: list[str], name: str, why: str) -> NoReturn:
        """Refuse the file at a field of a line."""
        place = self.at[name]
        refuse(self.member, number, sum(len(f) + 1 for f in fields[:place]) + 1, f"{name}: {why}")

    def number(self, number: int, fields: list[str], name: str, most: int = 8) -> int:
        """A field that holds an identifier of RxNorm: up to so many digits."""
        text = fields[self.at[name]]
        if not (text.isdigit() and text.isascii() and len(text) <= most):
            self.refuse(number, fields, name, f"an identifier of one to {most} digits is expected")
        return int(text)

    def _damaged(self, number: int, line: str) -> NoReturn:
        found = line.count("|")
        if found == self._bars:
            refuse(self.member, number, len(line) + 1, "the line must end in a bar")
        column = len("|".join(line.split("|")[: self._bars])) + 2 if found > self._bars else len(line) + 1
        refuse(self.member, number, column, f"{self._bars} fields that end in bars are expected, this line has {found}")
