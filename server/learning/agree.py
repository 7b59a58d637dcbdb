"""Tell MLflow what became of the versions, after each change; a server that is away holds nothing up."""

from __future__ import annotations

import os

import structlog

from fhir_profiles.errors import FhirError
from server.jobs.kinds import Kind, Work
from server.learning import registry
from server.learning.tracking import follow
from server.store.texts import View

log = structlog.get_logger("fhirwright.learning")


def agree(view: View, uri: str) -> None:
    """Let MLflow's registry say what ours does: each version's state, which codes, which is tried.

    A version that MLflow was never told of is registered. Raises as `log_run` does.
    """
    follow(uri, registry.versions(view), registry.champion(view))


def told(view: View) -> bool:
    """The same where MLFLOW_TRACKING_URI is set; False, and a line in the log, where it could not be told."""
    if uri := os.environ.get("MLFLOW_TRACKING_URI"):
        try:
            agree(view, uri)
        except FhirError:
            log.warning("learning.not-tracked")
            return False
    return True


def _run(work: Work) -> bool:
    return bool(work.step("told", lambda: told(work.fhir.store)))


KIND = Kind("learn-agree", _run)
