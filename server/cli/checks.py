"""What `fhirwright doctor` looks at; each check answers one line and never raises."""

from __future__ import annotations

import platform
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version

from server.cli import checks_database, checks_outside, checks_work
from server.cli.findings import Wrong
from server.place import strangers
from server.settings import Settings

VERSIONS = ("fhirwright", "fastapi", "uvicorn", "sqlalchemy", "psycopg", "dbos", "fhir.resources", "medspacy")
LEAST_FREE_BYTES = 512 * 1024 * 1024
MOST_UNPUBLISHED = 100_000


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at: how it is, and what to do when it is not well."""

    name: str
    ok: bool
    text: str
    why: str = ""
    """Why what was found matters, empty where all is well."""

    do: str = ""
    """What to do about it, empty where `text` says so."""


def run_checks(settings: Settings, backups: str | None = None) -> Iterator[Check]:
    """Every check in the order a person would look; what hangs on the database only where that can be used."""
    usable = True
    looks: dict[str, Callable[[Settings], str]] = {**_LOOKS}
    looks["backups"] = lambda own: checks_outside.backups(backups, own)
    for name, look in looks.items():
        if name in _OF_DATABASE and not usable:
            continue
        try:
            yield Check(name, True, look(settings))
        except Wrong as wrong:
            yield Check(name, False, str(wrong), wrong.why, wrong.do)
        except Exception as error:
            usable = usable and name != "database"
            yield Check(name, False, str(error) or type(error).__name__)


def _python(_: Settings) -> str:
    if sys.flags.optimize:
        raise RuntimeError("Python runs with -O: checks that the server relies on are off. Start it without.")
    return f"Python {platform.python_version()} at {sys.prefix}"


def _packages(_: Settings) -> str:
    if wrong := strangers():
        places = ", ".join(f"{name} from {place}" for name, place in wrong.items())
        raise RuntimeError(f"Another distribution is in the way: {places}. Use an environment of its own.")
    return "all packages lie beside each other"


def _disk(settings: Settings) -> str:
    import shutil

    settings.data.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=settings.data) as file:
        file.write(b"fhirwright")
    free = shutil.disk_usage(settings.data).free
    if free < LEAST_FREE_BYTES:
        raise RuntimeError(
            f"{settings.data} has {free >> 20} MB free; at least {LEAST_FREE_BYTES >> 20} MB are needed."
        )
    return f"{settings.data} is writable, {free >> 30} GB free"


def _database(settings: Settings) -> str:
    from server.store.floor import floor_of, revision, suits
    from server.store.migrate import HEAD, engine_for
    from server.store.store import require

    require(settings.database_url)
    engine = engine_for(settings.database_url)
    try:
        with engine.connect() as connection:
            have, floor = revision(connection), floor_of(connection)
    finally:
        engine.dispose()
    if not suits(have, floor, HEAD):
        raise RuntimeError(f"The database is at revision {have or 'none'}, not {HEAD}: run `fhirwright migrate`.")
    return f"reachable, at revision {have}"


def _search_index(settings: Settings) -> str:
    from server.phi.keys import keys_of
    from server.search.reindex import is_current
    from server.store import open_store

    store = open_store(settings.database_url, create=False, keys=keys_of(settings))
    try:
        if not is_current(store):
            text = "Rows of an earlier version: newer searches miss what they stand for. Run `fhirwright reindex`."
            raise RuntimeError(text)
    finally:
        store.close()
    return "made by the rules of this version"


def _terminology(settings: Settings) -> str:
    from terminology import open_terminology

    return f"{len(open_terminology(settings.data).systems)} code systems"


def _guides(settings: Settings) -> str:
    from fhir_profiles.conform import Own, Profiles
    from fhir_profiles.packages import open_all

    packages = open_all(settings.data)  # raises at the first that is damaged
    known = Profiles([Own(), *packages])
    if missing := [url for url in settings.required_profiles if known.find(url) is None]:
        raise RuntimeError(f"required_profiles names what no package holds: {', '.join(missing)}. Load its package.")
    loaded = [package.index for package in packages]
    return ", ".join(f"{one.name} {one.version}" for one in loaded) or "none are loaded"


def _tesseract(settings: Settings) -> str:
    import tesserocr

    from extractors.pages.ocr import second_reader
    from extractors.pages.ocr.binary import Binary
    from extractors.pages.ocr.tessdata import tessdata

    second = second_reader(settings.second_reader)
    names = f"tesserocr {tesserocr.tesseract_version().split()[1]}, {Binary().name}, language data in {tessdata()}"
    return f"{names}, second reader {second.name if second else 'off'}"


def _streams(settings: Settings) -> str:
    if not settings.stream_brokers:
        return "off"
    from server.phi.keys import keys_of
    from server.store import open_store
    from server.streaming.client import describe_brokers
    from server.streaming.counts import published

    told = describe_brokers(settings)
    store = open_store(settings.database_url, create=False, keys=keys_of(settings))
    try:
        _, waiting = published(store)
    finally:
        store.close()
    if waiting > MOST_UNPUBLISHED:
        raise RuntimeError(f"{waiting} events wait to be published: run `fhirwright stream out`, and look at its log.")
    return f"{told}, {waiting} events wait to be published"


def _versions(_: Settings) -> str:
    return ", ".join(f"{name} {version(name)}" for name in VERSIONS)


_LOOKS: dict[str, Callable[[Settings], str]] = {
    "python": _python,
    "packages": _packages,
    "data directory": _disk,
    "database": _database,
    "search index": _search_index,
    "terminology": _terminology,
    "implementation guides": _guides,
    "tesseract": _tesseract,
    "streams": _streams,
    "settings": checks_outside.contradictions,
    "telemetry": checks_outside.telemetry,
    "certificates": checks_outside.certificates,
    "claims tables": checks_outside.tables,
    "clock": checks_database.clock,
    "replica": checks_database.replica,
    "audit checkpoints": checks_database.checkpoints,
    "workers": checks_work.slots,
    "queue": checks_work.queue,
    "failed documents": checks_work.failed,
    "quarantine": checks_work.quarantine,
    "versions": _versions,
}
_OF_DATABASE = frozenset({"clock", "audit checkpoints", "workers", "queue", "failed documents", "quarantine"})
"""What says nothing more where the database is away or of another version."""
