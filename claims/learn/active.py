"""The active model of a data directory, opened when it is first asked for and again when it was changed."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fhir_profiles.errors import FhirError
from fhir_profiles.systems import LEARNED_SCORE

if TYPE_CHECKING:
    from claims.answer.response import Result
    from claims.learn.score import Scorer
    from claims.rules.rule import Rule

ACTIVE = "learned.json"
"""The file in `claims/` of a data directory that a server scores with."""


def active_path(data: Path) -> Path:
    """Where the active model of a data directory stands."""
    return data / "claims" / ACTIVE


class ActiveModel:
    """What claims are scored with, if anything. It never raises: a model that cannot be read is told, and no more."""

    def __init__(self, data: Path) -> None:
        self._path = active_path(data)
        self._lock = threading.Lock()
        self._stamp: tuple[int, int] | None = None
        self._scorer: Scorer | None = None
        self._why = ""

    def name(self) -> str:
        """The name of the model, for the id of an answer that rests on it; empty where there is none."""
        scorer = self._open()
        return scorer.model.name if scorer is not None else self._why and "damaged"

    def extensions(self, result: Result, active: Iterable[Rule]) -> list[dict[str, Any]]:
        """The score of a claim as an extension, or why there is none; empty without a model."""
        scorer = self._open()
        if scorer is not None:
            from claims.learn.answer import extensions

            return extensions(scorer, result, active)
        if self._why:
            return [{"url": LEARNED_SCORE, "extension": [{"url": "not-scored", "valueString": self._why}]}]
        return []

    def _open(self) -> Scorer | None:
        try:
            found = self._path.stat()
        except OSError:
            stamp = None
        else:
            stamp = found.st_mtime_ns, found.st_size
        with self._lock:
            if stamp != self._stamp:
                self._scorer, self._why, self._stamp = None, "", stamp
                if stamp is not None:
                    self._read()
            return self._scorer

    def _read(self) -> None:
        from claims.learn.score import Scorer

        try:
            self._scorer = Scorer.open(self._path)
        except (FhirError, OSError) as error:
            self._why = str(error) if isinstance(error, FhirError) else "The model cannot be read"
