"""What was changed or deleted around the moment of an export, from the history."""

from __future__ import annotations

from collections.abc import Iterator

from fhir_profiles.errors import FhirError
from server.jobs.exporting.asked import Asked
from server.jobs.exporting.pages import Change, Pages
from server.jobs.exporting.walks import is_inside

_FEW = 8  # types that are asked for one by one and not among all


def versions_then(pages: Pages, types: tuple[str, ...], moment: str) -> list[tuple[str, str, int]]:
    """Type, id and number of the versions that stood at the moment, of resources that were changed after it."""
    first: dict[tuple[str, str], int] = {}
    for change in _changes(pages, types, moment):
        if change.updated > moment:
            key = (change.type, change.id)
            first[key] = min(change.version, first.get(key, change.version))
    return sorted((kind, name, version - 1) for (kind, name), version in first.items() if version > 1)


def deleted_since(pages: Pages, asked: Asked, members: frozenset[str] | None, moment: str) -> list[tuple[str, str]]:
    """Type and id of what was deleted after `_since` and was gone at the moment."""
    newest: dict[tuple[str, str], Change] = {}
    for change in _changes(pages, asked.types, asked.since or ""):
        if (asked.since or "") < change.updated <= moment:
            newest.setdefault((change.type, change.id), change)
    gone = [change for change in newest.values() if change.deleted and _was_inside(pages, asked, members, change)]
    return sorted((change.type, change.id) for change in gone)


def _changes(pages: Pages, types: tuple[str, ...], since: str) -> Iterator[Change]:
    if len(types) <= _FEW:
        for name in types:
            yield from pages.changes((name,), since)
        return
    wanted = frozenset(types)
    yield from (change for change in pages.changes((), since) if change.type in wanted)


def _was_inside(pages: Pages, asked: Asked, members: frozenset[str] | None, change: Change) -> bool:
    """Whether the last version before the deletion was one that the export wants."""
    if asked.level == "system":
        return True
    try:
        line = pages.version(change.type, change.id, change.version - 1)
    except FhirError:
        return False
    return is_inside(asked, members, line)
