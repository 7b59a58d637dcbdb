"""The formulas of prices written out with Decimals, a claim at a time: slow and plain, to hold the kernel against."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, localcontext
from typing import Any

from campaigns.claiming.price_line import PAYS, Answer, Book, Line, Row

D = Decimal
TECHNICAL = {"4": D("0.5"), "6": D("0.75"), "7": D("0.8")}


def prices(record: Row, book: Book) -> list[Answer]:
    """The prices of the lines of a claim."""
    with localcontext() as context:
        context.prec = 60
        lines = [Line(record["claim"], line, book) for line in record["lines"]]
        for group in _by(lines, lambda x: x.day):
            injections(group)
        for group in _by(lines, lambda x: (x.day, bool(set(x.mods) & {"80", "81", "82", "AS"}))):
            surgery(group)
            therapy(group)
            for policy in ("4", "6", "7"):
                tests(group, policy)
        for line in lines:
            if line.method == "physician" and not line.why and not line.units_paid:
                line.units_paid = [line.fee * line.sides] * line.units
        return [line.answer() for line in lines]


def _by(lines: list[Line], key: Callable[[Line], Any]) -> list[list[Line]]:
    groups: dict[Any, list[Line]] = {}
    for line in lines:
        groups.setdefault(key(line), []).append(line)
    return list(groups.values())


def injections(group: list[Line]) -> None:
    """Status T is bundled when anything else is paid."""
    paid = [x for x in group if x.method == "physician" and not x.why]
    if any(x.rvu["status"] != "T" for x in paid):
        for x in paid:
            if x.rvu["status"] == "T":
                x.why = "bundled"


def surgery(group: list[Line]) -> None:
    """Multiple procedures, endoscopies of a family as one."""
    bases = {x.rvu["endo_base"] for x in group if x.live("3") and x.rvu["endo_base"] not in ("", None, x.line["code"])}
    for x in group:
        if x.method == "physician" and not x.why and x.line["code"] in bases:
            x.why = "endoscopy"
    families: dict[str, list[Line]] = {}
    items: list[tuple[Decimal, int, list[tuple[Line, Decimal]], bool]] = []
    for n, x in enumerate(group):
        if x.live("3") and x.rvu["endo_base"]:
            base = x.row("", x.rvu["endo_base"])
            if base is None or base["status"] not in PAYS:
                x.why = "endoscopy-base"
            else:
                x.base_fee = x.amount(base)  # type: ignore[attr-defined]
                families.setdefault(x.rvu["endo_base"], []).append(x)
        elif x.live("1", "2", "3"):
            one = x.fee * x.sides
            items += [(one, n, [(x, one)], x.rvu["multiple"] == "1")] * x.units
    for members in families.values():
        dearest = max(members, key=lambda x: x.fee * x.sides)
        parts = []
        for x in members:
            for unit in range(x.units):
                full = x.fee * x.sides
                less = max(full - x.base_fee, D(0))  # type: ignore[attr-defined]
                parts.append((x, full if x is dearest and unit == 0 else less))
        items.append((sum((p for _, p in parts), D(0)), group.index(members[0]), parts, False))
    items.sort(key=lambda item: (-item[0], item[1]))
    for place, (_, _, parts, first_policy) in enumerate(items):
        percents = ("1", "0.5", "0.25", "0.25", "0.25") if first_policy else ("1", "0.5", "0.5", "0.5", "0.5")
        for x, amount in parts:
            if place > 4:
                x.why = "sixth"
            else:
                x.units_paid.append(amount * D(percents[place]))


def therapy(group: list[Line]) -> None:
    """One unit with the highest practice expense in full."""
    lines = [x for x in group if x.live("5")]
    if not lines:
        return
    expense = {id(x): D(x.rvu[f"pe_{x.setting}"]) / 100 * x.gpci["pe"] * x.factor for x in lines}
    dearest = max(lines, key=lambda x: expense[id(x)])
    for x in lines:
        for unit in range(x.units):
            off = D(0) if x is dearest and unit == 0 else expense[id(x)] / 2
            x.units_paid.append((x.fee - off) * x.sides)


def tests(group: list[Line], policy: str) -> None:
    """Technical parts after the first, and readings of images after the first."""
    lines = [x for x in group if x.live(policy) and (policy != "4" or x.rvu["family"] == "88")]
    technical = [x for x in lines if x.technical is not None]
    reading = [x for x in lines if x.reading is not None] if policy == "4" else []
    first_tc = max(technical, key=lambda x: x.lower(x.technical or D(0)), default=None)
    first_pc = max(reading, key=lambda x: x.reading or D(0), default=None)
    for x in lines:
        for unit in range(x.units):
            cut_tc = x.technical is not None and not (x is first_tc and unit == 0)
            cut_pc = policy == "4" and x.reading is not None and not (x is first_pc and unit == 0)
            if not cut_tc and not cut_pc:
                x.units_paid.append(x.fee * x.sides)
                continue
            tc = D(0) if x.technical is None else x.lower(x.technical * (TECHNICAL[policy] if cut_tc else 1))
            pc = D(0) if x.reading is None else x.reading * (D("0.95") if cut_pc else 1)
            x.units_paid.append((tc + pc) * x.sides)
