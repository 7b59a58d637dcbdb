"""The code systems of the data directory, opened again when a load has changed them beneath a server."""

from __future__ import annotations

import time
from collections.abc import Hashable
from pathlib import Path

from fhir_profiles.errors import FhirError
from terminology import Terminology, open_terminology

KEEP_SECONDS = 2.0
"""How long what lies in the directory is taken for granted."""


class LoadedCodes:
    """What is loaded. A file is complete when it appears under its name, so names and times tell when to look again."""

    def __init__(self, data: Path) -> None:
        self._folder = data / "terminology"
        self._data = data
        self._until = 0.0
        self._stamp: Hashable = None
        self._open: Terminology | None = None

    def stamp(self) -> Hashable:
        """A value that changes when something is loaded or removed."""
        now = time.monotonic()
        if now >= self._until:
            stamp = tuple(sorted((p.name, p.stat().st_mtime_ns) for p in self._folder.rglob("*.sqlite")))
            if stamp != self._stamp:
                self._open = self._opened()
            self._stamp, self._until = stamp, now + KEEP_SECONDS
        return self._stamp

    def terminology(self) -> Terminology | None:
        """What is open; None when nothing is loaded: what needs it is reported as not checked."""
        self.stamp()
        return self._open

    def _opened(self) -> Terminology | None:
        try:
            return open_terminology(self._data)
        except (FhirError, LookupError):
            return None
