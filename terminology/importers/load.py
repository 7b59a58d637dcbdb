"""Read official files and write what they hold into a data directory, whole or not at all."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from terminology.build import install
from terminology.importers.given import Given, refusal
from terminology.importers.registry import Importer
from terminology.maps import install_map
from terminology.source import MapSource, Progress, Source

ACCEPTED = "accept-licence"
"""Among the options of what is given: the person has the licence that the importer asks for."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """One edition or map after a load; `written` is False when it was there already."""

    name: str
    version: str
    title: str
    written: bool


def load(dir: Path | str, importer: Importer, given: Given, progress: Progress | None = None) -> list[Loaded]:
    """Load everything that the files hold; FhirError, and nothing written, where one of them is damaged.

    All sources are read before the first is written, but for what only the writing reads: each edition by itself is
    whole or absent.
    """
    if importer.licence and ACCEPTED not in given.options:
        text = f"{importer.title} is licensed by {importer.licence}: say --accept-licence when you have the licence"
        raise refusal(text)
    sources = list(importer.read(given))
    if not sources:
        raise refusal(f"The files hold nothing of {importer.title}; expected: {importer.files}")
    return [_install(dir, source, progress) for source in _distinct(sources)]


def _distinct(sources: Iterable[Source | MapSource]) -> list[Source | MapSource]:
    found: dict[str, Source | MapSource] = {}
    for source in sources:
        if found.setdefault(_stem(source), source) is not source:
            raise refusal(f"{source.title} {source.version} stands in the files twice")
    return list(found.values())


def _stem(source: Source | MapSource) -> str:
    """The file name without its ending; of a version of SNOMED CT its module and day."""
    said = source.version.rpartition("/sct/")[2].replace("/version/", "-")
    return f"{source.name}@{said.rsplit('/', 1)[-1]}"


def _install(dir: Path | str, source: Source | MapSource, progress: Progress | None) -> Loaded:
    if isinstance(source, MapSource):
        path = install_map(dir, source, progress)
        return Loaded(source.name, source.version, source.title, path is not None)
    written = install(dir, _stem(source), [source], progress)
    return Loaded(source.name, source.version, source.title, written is not None)
