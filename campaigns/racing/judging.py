"""Whether a round of a race ended as it must."""

from __future__ import annotations

import json

from campaigns.racing.rounds import NAMES, Done
from server.search.find import find_ids
from server.search.query import Limits
from server.search.reading import read_query
from server.store import Store, Version

TURNED_AWAY = {409, 412, 503}
"""Answers that ask the client to come again; a transaction may get one, an ordinary write must not."""


def wrongs(store: Store, kind: str, number: int, answers: list[Done]) -> list[str]:
    """What is not as it must be after a round."""
    statuses = sorted(done.status for done in answers)
    if kind in ("create", "update", "mixed"):
        return _one_resource(store, kind, number, statuses)
    if kind == "count":
        current = store.read("Patient", f"c{number}")
        value = json.loads(current.body)["multipleBirthInteger"] if current else 0
        return _unless(value == len(answers), "an update was lost") + _history(store, current)
    if kind == "cross":
        written = sum(done.status == 200 for done in answers)
        found = [store.read("Patient", f"x{number}-{n}") for n in range(NAMES)]
        versions = {version.version if version else 0 for version in found}
        known = all(status == 200 or status in TURNED_AWAY for status in statuses)
        return _unless(known, f"answers {statuses}") + _unless(versions == {written}, "a Bundle was done in part")
    current = store.read("Patient", f"d{number}")
    return _unless(set(statuses) <= {200, 201, 204}, f"answers {statuses}") + _history(store, current)


def _one_resource(store: Store, kind: str, number: int, statuses: list[int]) -> list[str]:
    query = read_query("Patient", (("identifier", f"urn:race|{number}"),), strict=True, limits=Limits())
    found = find_ids(store, query, limit=9)
    wrong = _unless(len(found) == 1, f"{len(found)} resources")
    if kind == "mixed":
        return wrong + _unless(set(statuses) <= {200, 201}, f"answers {statuses}")
    wrong += _unless(statuses == [200] * (len(statuses) - 1) + [201], f"answers {statuses}")
    if kind == "update" and found:
        current = store.read("Patient", found[0])
        wrong += _unless(current is not None and current.version == len(statuses), "an update was lost")
    return wrong


def _history(store: Store, current: Version | None) -> list[str]:
    """Every version is there, each later than the one before."""
    if current is None:
        return []
    versions = [store.read_version(current, number) for number in range(1, current.version + 1)]
    times = [version.updated for version in versions if version]
    return _unless(len(times) == current.version and times == sorted(set(times)), "the history has a gap")


def _unless(holds: bool, text: str) -> list[str]:
    return [] if holds else [text]
