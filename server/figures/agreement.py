"""How far two codings of one document agree: of second looks, and of the machine with what was coded unaided."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from server.figures.families import chapter
from server.figures.model import Figure, grouped, share
from server.figures.rows import Look, Paired

MOST_CODES = 30
"""Codes that are told one by one: those of the most documents."""
NONE = "(none)"
_WAYS: tuple[tuple[str, Callable[[Paired], str]], ...] = (
    ("chapter", lambda one: chapter(one.system, one.code)),
    ("section", lambda one: one.section or NONE),
)


def looked_again(pairs: Sequence[Paired]) -> list[Look]:
    """Codes of finished second looks: each code of either person, and whether both have it."""
    return [Look((one,), one.side == "both") for one in pairs]


def unaided(pairs: Sequence[Paired], dollars: Sequence[tuple[str, float, Paired]]) -> Iterator[Figure]:
    """Figures of finished comparisons: `pairs` are their codes, `dollars` what each side's claim is worth.

    Agreement is the share of codes that both have among those of either; by band of confidence it is the share that the
    coder has too of what the machine would have claimed.
    """
    yield Figure("unaided-documents", len({one.reference for one in pairs}), "documents", (), pairs)
    yield _agreed("unaided-agreement", (), pairs)
    for label, key in _WAYS:
        for name, some in sorted(grouped(pairs, key).items()):
            yield _agreed(f"unaided-agreement-by-{label}", ((label, name),), some)
    by_code = grouped(pairs, lambda one: one.code)
    for code, some in sorted(by_code.items(), key=lambda one: (-len(one[1]), one[0]))[:MOST_CODES]:
        yield _agreed("unaided-agreement-by-code", (("code", code),), some)
    machine = [one for one in pairs if one.side != "coder"]
    for name, some in sorted(grouped(machine, lambda one: one.band or NONE).items()):
        yield _agreed("unaided-agreement-by-band", (("band", name),), some)
    for side in ("machine", "coder"):
        told = [(value, row) for of, value, row in dollars if of == side]
        value = round(sum(value for value, _ in told), 2) if told else None
        yield Figure("unaided-dollars", value, "dollars", (("of", side),), [row for _, row in told])


def _agreed(name: str, labels: tuple[tuple[str, str], ...], some: Sequence[Paired]) -> Figure:
    value = share(sum(one.side == "both" for one in some), len(some))
    return Figure(name, None if value is None else round(value, 4), "share", labels, some)
