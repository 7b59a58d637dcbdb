"""What the references of a profiled element may lead to (https://hl7.org/fhir/R4/references.html)."""

from __future__ import annotations

from collections.abc import Callable

from fhir_profiles.conform.items import Item, referred
from fhir_profiles.conform.run import MAX_DEPTH, Run
from fhir_profiles.definitions import load
from fhir_profiles.references import target_type
from fhir_profiles.systems import STRUCTURE_DEFINITION

_ANY = frozenset({"Resource", "DomainResource"})
Check = Callable[[Item, Run], None]


def target_check(targets: tuple[str, ...], label: str) -> Check:
    """A check that a Reference names a type of one of the profiles and, if its target is at hand, that it meets one."""

    def check(item: Item, run: Run) -> None:
        value, _, of, place = item
        written = value.get("reference") if of == "Reference" else None
        if type(written) is not str:
            return
        allowed = {url: type_of(url, run) for url in targets}
        if not _ANY.isdisjoint(allowed.values()):
            return
        target = referred(value, run)
        named = target["resourceType"] if target else target_type(written, load())
        if not named:
            return
        fitting = [url for url, name in allowed.items() if name in (named, None)]
        if not fitting:
            names = " or ".join(sorted({name for name in allowed.values() if name}))
            text = f"{label}: a reference here must be to {names}."
            run.add("error", "value", text, f"{place}.reference")
        elif target is not None and not _meets_one(target, fitting, run):
            text = f"{label}: the resource referred to meets none of {', '.join(fitting)}."
            run.add("error", "value", text, f"{place}.reference")

    return check


def type_of(url: str, run: Run) -> str | None:
    """The type that a target profile constrains; None when the profile is not known."""
    name = url.partition("|")[0].removeprefix(STRUCTURE_DEFINITION)
    if name in load().types:
        return name
    profile = run.profiles.find(url)
    return profile.type if profile else None


def _meets_one(target: dict[str, object], urls: list[str], run: Run) -> bool:
    """Whether the target meets a profile; one that is not known, or lies too deep, is taken as met."""
    if run.depth >= MAX_DEPTH:
        return True
    name = str(target["resourceType"])
    for url in urls:
        checker = run.checker(url)
        if checker is None:
            return True
        inner = run.inside(target)
        checker((target, None, name, name), inner)
        if not inner.failed:
            return True
    return False
