"""Findings with their codes, and those that tell the same put together."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence

from extractors.model import Code, Finding

Told = tuple[Finding, Sequence[Code]]
Group = Sequence[Told]  # one fact, however often the document tells it; the first one is emitted, all are evidence


def together(told: Iterable[Told], same: Callable[[Finding], Hashable]) -> list[list[Told]]:
    """Findings with equal keys, in the order in which each key was first seen."""
    groups: dict[Hashable, list[Told]] = {}
    for finding, codes in told:
        groups.setdefault(same(finding), []).append((finding, codes))
    return list(groups.values())
