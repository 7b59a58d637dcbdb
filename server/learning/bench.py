"""The stages of a run that take long: freeze decisions, train, compare. Each is told all it needs and keeps nothing."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec

from extractors.learn import rows
from extractors.learn.corpus import Row
from extractors.learn.models import model_of, package_files
from extractors.learn.recount import more
from extractors.pipeline import Pipeline
from fhir_profiles.errors import Category, FhirError
from server.interactions.fhir import Fhir
from server.learning.comparing import Subject, answers, compared, seconds
from server.learning.dataset import Case, Frozen, freeze, print_of, split
from server.learning.decisions import decided_whole
from server.learning.stored import every, pages_of, text_of

Files = Mapping[str, bytes]
LEAST_TOLD = 0.9
"""Share of a dataset that must still be readable for a run to go on."""


class Bench:
    """Works on the decisions and documents of a server."""

    def __init__(self, fhir: Fhir, pipeline: Pipeline) -> None:
        self._fhir, self._pipeline = fhir, pipeline
        self._settings = fhir.settings

    def freeze(self) -> Frozen:
        """The decisions as they stand, the newest `learn_most` documents."""
        pages = pages_of(self._fhir)
        wholes, unfinished = decided_whole(every(pages, "Condition"), every(pages, "Provenance"))
        secret = self._fhir.store.cache_key() or b"fhirwright"
        frozen = freeze(wholes, unfinished, self._text, self._patients.get, secret)
        kept = frozen.cases[-self._settings.learn_most :]
        return msgspec.structs.replace(frozen, cases=kept)

    def train(self, frozen: Frozen) -> dict[str, bytes]:
        """The files of a version made of the training part."""
        told = self.told(split(frozen).train)
        return trained(told, self._pipeline, self._settings.learn_trainer)

    def compare(self, frozen: Frozen, champion: Files, challenger: Files) -> dict[str, Any]:
        """The report of a run: both on the held-back part, and on the fixed documents."""
        held = subjects(self.told(split(frozen).held))
        return measured(held, fixed(self._settings.learn_regression), self._pipeline, champion, challenger)

    def told(self, cases: Sequence[Case]) -> list[tuple[Case, str]]:
        """Cases with their texts; those whose document is gone, or reads otherwise now, are left out."""
        found = [(case, text) for case in cases if (text := self._text(case.document)) and print_of(text) == case.print]
        if len(found) < LEAST_TOLD * len(cases):
            text = "Too many documents of the dataset are gone or changed. Begin another run."
            raise FhirError.of(Category.CONFLICT, "conflict", text)
        return found

    def _text(self, document: str) -> str | None:
        return text_of(self._documents.get(document), self._pipeline)

    @cached_property
    def _documents(self) -> dict[str, dict[str, Any]]:
        return self._all("DocumentReference")

    @cached_property
    def _patients(self) -> dict[str, dict[str, Any]]:
        return self._all("Patient")

    def _all(self, kind: str) -> dict[str, dict[str, Any]]:
        bodies: Iterable[dict[str, Any]] = map(msgspec.json.decode, every(pages_of(self._fhir), kind))
        return {f"{kind}/{one['id']}": one for one in bodies}


def trained(told: Sequence[tuple[Case, str]], pipeline: Pipeline, trainer: str) -> dict[str, bytes]:
    """The files of a version: the counts of the package and of these documents. The same input gives the same bytes."""
    if trainer == "forest":
        from importlib.util import find_spec

        if find_spec("lightgbm") is None:
            raise FhirError.of(Category.UNAVAILABLE, "not-supported", "A forest needs the extra `learned`.")
    base = package_files()
    corpus, patients = [case.row(text) for case, text in told], [case.patient for case, _ in told]
    made = more(corpus, patients, pipeline, base, forest=trainer == "forest")
    source = msgspec.json.decode(base["learned_model.json"]).get("source", "")
    return made.files(f"{source}; decisions of this server's coders")


def subjects(told: Iterable[tuple[Case, str]]) -> list[Subject]:
    """What is measured with."""
    return [Subject(case.row(text), case.patient, {"age": case.age, "sex": case.sex}) for case, text in told]


def fixed(path: Path | None) -> list[Subject]:
    """The fixed documents: those of a file in the form of a corpus, or ours, which are invented."""
    own: list[Row] = rows(path if path is not None else Path(str(files("server.learning") / "data" / "fixed.jsonl")))
    return [Subject(row, row.id, {"age": "", "sex": ""}) for row in own]


def measured(
    held: Sequence[Subject], regression: Sequence[Subject], pipeline: Pipeline, champion: Files, challenger: Files
) -> dict[str, Any]:
    """Figures of both; only `times_slower` is of the clock, all else is the same for the same input."""
    before, after = model_of(champion), model_of(challenger)
    told = compared(answers(before, held, pipeline), answers(after, held, pipeline), held)
    kept = compared(answers(before, regression, pipeline), answers(after, regression, pipeline), regression)
    some = held[:50] or regression
    old, new = seconds(lambda: answers(before, some, pipeline), lambda: answers(after, some, pipeline))
    return {
        "held_back": told,
        "regression": {name: kept[name] for name in ("documents", "champion", "challenger", "gain")},
        "times_slower": round(new / max(old, 1e-9), 2),
        "made": {"fhirwright": version("fhirwright"), "python": platform.python_version()},
    }
