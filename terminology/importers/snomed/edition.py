"""Which edition the files of a release are: the module and the day in its version (https://hl7.org/fhir/R4/snomedct.html)."""

from __future__ import annotations

import re
from datetime import date
from typing import NoReturn

from fhir_profiles.systems import SNOMED
from terminology import sctid
from terminology.importers.given import Given, refusal
from terminology.importers.snomed.files import CONCEPT, MEMBER, Release, Table

_DEPENDENCY = (*MEMBER, "sourceEffectiveTime", "targetEffectiveTime")
_VERSION = re.compile(re.escape(SNOMED) + r"/(\d{6,18})/version/(\d{8})")


def version_of(given: Given, release: Release) -> str:
    """`http://snomed.info/sct/MODULE/version/YYYYMMDD`: said by the person, else by the files; refused when neither."""
    said = given.version
    if said and _VERSION.fullmatch(said):
        return said
    if said and not sctid.is_valid(said):
        raise refusal(f"--version takes the identifier of a module, or {SNOMED}/MODULE/version/YYYYMMDD")
    return f"{SNOMED}/{said or _module(release)}/version/{release.day:%Y%m%d}"


def day_of(version: str) -> date:
    """The day in a version."""
    found = _VERSION.fullmatch(version)
    assert found is not None
    return date(int(found[2][:4]), int(found[2][4:6]), int(found[2][6:]))


def _module(release: Release) -> str:
    """Of the modules that have concepts, the one on which no other of them depends."""
    table = Table(release["concepts"], CONCEPT, release.day, sctid.CONCEPT)
    owning = {fields[3] for _, _, fields in table.rows()}
    own = owning - {sctid.CORE_MODULE, sctid.MODEL_MODULE}
    if not own:
        return sctid.CORE_MODULE
    if len(own) > 1:
        own -= _needed(release, own)
    if len(own) != 1:
        _undecided(own)
    return own.pop()


def _needed(release: Release, among: set[str]) -> set[str]:
    """The modules on which others depend."""
    table = Table(release["dependencies"], _DEPENDENCY, release.day)
    return {fields[5] for _, _, fields in table.rows() if fields[2] == "1" and fields[3] in among - {fields[5]}}


def _undecided(modules: set[str]) -> NoReturn:
    named = ", ".join(sorted(modules)[:5])
    raise refusal(f"The files hold concepts of several modules ({named}): say which edition by --version MODULE")
