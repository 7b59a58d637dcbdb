"""A stage of a run in a process of its own, which ends when it takes too long or when its caller is gone.

What it is told comes by its input and what it made goes by its output, so nothing of a patient lies in a file.
"""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import msgspec

from fhir_profiles.errors import Category, FhirError, Problem
from server.jobs.child import _die_with
from server.jobs.children import THREADS
from server.learning.dataset import Frozen, unpacked
from server.learning.registry import file, files_of
from server.settings import Settings


class Asked(msgspec.Struct):
    """A stage, and what it works on."""

    settings: str
    stage: str
    snapshot: str = ""
    champion: str = ""
    challenger: str = ""
    caller: int = 0


class Stages:
    """The stages of a run, each in its own process."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def freeze(self) -> Frozen:
        """The decisions as they stand."""
        return unpacked(self._run("freeze"))

    def train(self, snapshot: str) -> dict[str, bytes]:
        """The files of a version."""
        return msgspec.msgpack.decode(self._run("train", snapshot), type=dict[str, bytes])

    def compare(self, snapshot: str, champion: str, challenger: str) -> dict[str, Any]:
        """The report of two versions."""
        return msgspec.msgpack.decode(self._run("compare", snapshot, champion, challenger), type=dict[str, Any])

    def _run(self, stage: str, *names: str) -> bytes:
        snapshot, champion, challenger = (*names, "", "", "")[:3]
        asked = Asked(self._settings.model_dump_json(), stage, snapshot, champion, challenger, os.getpid())
        try:
            done = subprocess.run(
                [sys.executable, "-m", "server.learning.apart"],
                input=msgspec.msgpack.encode(asked),
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=self._settings.learn_seconds,
                env={**os.environ, **THREADS},
                check=False,
            )
        except subprocess.TimeoutExpired:
            text = "A stage of the run took longer than allowed. Raise learn_seconds, or lower learn_most."
            raise FhirError.of(Category.INCORRECT, "too-costly", text) from None
        if done.returncode == 0:
            return done.stdout
        try:
            category, problems = msgspec.msgpack.decode(done.stdout)
        except msgspec.DecodeError:
            text = "A stage of the run ended without an answer, most likely for want of memory."
            raise FhirError.of(Category.FAULT, "exception", text) from None
        raise FhirError(Category(category), *(Problem(*problem) for problem in problems))


class Here:
    """The stages in this process, on an open server."""

    def __init__(self, bench: Any, view: Any) -> None:
        self._bench, self._view = bench, view

    def freeze(self) -> Frozen:
        """The decisions as they stand."""
        found: Frozen = self._bench.freeze()
        return found

    def train(self, snapshot: str) -> dict[str, bytes]:
        """The files of a version."""
        files: dict[str, bytes] = self._bench.train(unpacked(file(self._view, snapshot)))
        return files

    def compare(self, snapshot: str, champion: str, challenger: str) -> dict[str, Any]:
        """The report of two versions."""
        models = (files_of(self._view, name) for name in (champion, challenger))
        report: dict[str, Any] = self._bench.compare(unpacked(file(self._view, snapshot)), *models)
        return report


def main() -> int:
    """Do the stage that the input names; 0, or 1 with what was wrong."""
    from extractors.pipeline import Pipeline
    from server.interactions.fhir import Fhir
    from server.learning.bench import Bench
    from server.phi.keys import keys_of
    from server.store import open_store

    asked = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Asked)
    _die_with(asked.caller)
    settings = Settings.model_validate_json(asked.settings)
    store = open_store(settings.database_url, keys=keys_of(settings))
    try:
        here = Here(Bench(Fhir(store, settings), Pipeline.open(settings.data)), store)
        if asked.stage == "freeze":
            answer = here.freeze().packed()
        elif asked.stage == "train":
            answer = msgspec.msgpack.encode(here.train(asked.snapshot))
        else:
            answer = msgspec.msgpack.encode(here.compare(asked.snapshot, asked.champion, asked.challenger))
    except FhirError as error:
        problems = [[p.severity, p.code, p.text, p.expression] for p in error.problems]
        sys.stdout.buffer.write(msgspec.msgpack.encode([error.category.value, problems]))
        return 1
    finally:
        store.close()
    sys.stdout.buffer.write(answer)
    return 0


if __name__ == "__main__":
    sys.exit(main())
