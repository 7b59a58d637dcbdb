"""What goes wrong with a device or graft in the body: by the device, what happened to it, and its side (I.C.19.g)."""

from __future__ import annotations

import re
from functools import cache
from typing import Any, NamedTuple

from extractors.coding.case import Case, Rule, around
from extractors.coding.clauses import bounds
from extractors.coding.shorthand import spelled
from extractors.coding.tables import table
from extractors.findings.cues import Cued

DEVICE = Rule("device-complication", "I.C.19.g", "A complication of a device or graft by what happened to it, first")
_SIDE = re.compile(r"\b(right|left)\b")
_DENIED = re.compile(
    r"\b(?:no|not|without|w/o|denies|negative for|rule out|r/o|prevent\w*|risk of|history of|h/o"
    r"|prophyla\w+)\b[^.;\n]*$"
)


class Device(NamedTuple):
    """A row of the table, ready to run."""

    named: Cued
    harms: tuple[tuple[re.Pattern[str], Any], ...]
    data: dict[str, Any]


@cache
def devices() -> tuple[Device, ...]:
    """The devices in order: what is named exactly stands before what is vague."""
    harms = table("devices")["harms"]
    return tuple(
        Device(
            around(row["named"], row["cues"]),
            tuple((re.compile(harms.get(harm, harm)), codes) for harm, codes in row["harms"].items()),
            row,
        )
        for row in table("devices")["devices"]
    )


def device_complications(case: Case) -> None:
    """The first harm that the clause of a device names; codes of the words alone and of the mere presence fall."""
    for device in devices():
        if not case.seen.may(device.named):
            continue
        for match in case.near(device.named):
            if _harmed(case, device, match):
                break


def _harmed(case: Case, device: Device, match: re.Match[str]) -> bool:
    low, high = bounds(case.text, *match.span())
    low, high = max(low, match.start() - 60), min(high, match.end() + 60)
    for harm, codes in device.harms:
        said = harm.search(case.text, low, high)
        if said is None or _DENIED.search(case.text, low, said.start()):
            continue
        side = _SIDE.search(spelled(case.text[low:high]))
        code = codes if isinstance(codes, str) else codes.get(side[1] if side else "", codes[""])
        start, end = min(said.start(), match.start()), max(said.end(), match.end())
        new = case.add(code, start, end, DEVICE, DEVICE.does)
        if new is None:
            return False
        new.rank = min(new.rank, -1)
        for candidate in case.accepted(*device.data.get("drop", ()), "T84", "T85.9"):
            if candidate.code != code and low <= candidate.start < high and candidate.rule != DEVICE.id:
                case.reject(candidate, DEVICE, f"{code} says it")
        also = device.data.get("also", {}).get(code)
        if also:
            case.add(also, start, end, DEVICE, "What the complication is stands beside it")
        return True
    return False


_STATUS = (("T84.0", "Z96.6"), ("T84.5", "Z96.6"), ("T82.1", "Z95.0"), ("T82.1", "Z95.810"), ("T82.8", "Z95.5"))


def no_status(case: Case) -> None:
    """The presence of a device is said by the code of what went wrong with it (I.C.21.c.3)."""
    for complication, status in _STATUS:
        for candidate in case.accepted(status) if case.has(complication) else ():
            case.reject(candidate, DEVICE, "The complication says it")


FIRST = (device_complications,)  # an organism stands beside its infection
LAST = (no_status,)
