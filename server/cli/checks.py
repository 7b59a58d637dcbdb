"""What `fhirwright doctor` looks at; each check answers one line and never raises."""

from __future__ import annotations

import platform
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version

from server.place import strangers
from server.settings import Settings

VERSIONS = ("fhirwright", "fastapi", "uvicorn", "sqlalchemy", "psycopg", "dbos", "fhir.resources", "medspacy")
LEAST_FREE_BYTES = 512 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at: how it is, and what to do when it is not well."""

    name: str
    ok: bool
    text: str


def run_checks(settings: Settings) -> Iterator[Check]:
    """Every check in the order a person would look."""
    for name, look in _LOOKS.items():
        try:
            yield Check(name, True, look(settings))
        except Exception as error:
            yield Check(name, False, str(error) or type(error).__name__)


def _python(_: Settings) -> str:
    if sys.version_info < (3, 11):
        raise RuntimeError(f"Python {platform.python_version()} is too old: 3.11 or newer is needed.")
    return f"Python {platform.python_version()}"


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
    from server.store import schema_state

    have, want = schema_state(settings.database_url)
    if have != want:
        raise RuntimeError(f"The database is at revision {have or 'none'}, not {want}: run `fhirwright migrate`.")
    return f"reachable, at revision {have}"


def _terminology(settings: Settings) -> str:
    from terminology import open_terminology

    systems = open_terminology(settings.data).systems()
    if not systems:
        raise RuntimeError("The terminology is not built: run `fhirwright serve` or `fhirwright load` once.")
    return f"{len(systems)} code systems"


def _tesseract(_: Settings) -> str:
    from extractors.pages.ocr import engines

    return ", ".join(engines())


def _versions(_: Settings) -> str:
    return ", ".join(f"{name} {version(name)}" for name in VERSIONS)


_LOOKS: dict[str, Callable[[Settings], str]] = {
    "python": _python,
    "packages": _packages,
    "data directory": _disk,
    "database": _database,
    "terminology": _terminology,
    "tesseract": _tesseract,
    "versions": _versions,
}
