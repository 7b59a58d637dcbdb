"""The server below HTTP, for the server and the workers: interactions, what follows their writes, operations."""

from __future__ import annotations

from dataclasses import dataclass

from fhir_profiles import bindings
from server.interactions.fhir import Fhir
from server.jobs import intake
from server.jobs.intake import Intake
from server.operations import (
    claims,
    closure,
    code,
    document,
    everything,
    export,
    graphql,
    lastn,
    later,
    match,
    meta,
    reindex,
    task,
    terminology,
    validate,
)
from server.operations.import_ import operations as import_operations
from server.operations.later import Deferred
from server.operations.registry import Operations
from server.operations.subscriptions import operations as subscription_operations
from server.settings import Settings
from server.store import Store
from server.subscriptions.outbox import Outbox
from terminology.bindings import open_bindings


@dataclass(frozen=True, slots=True)
class Parts:
    """What a process that serves or works is made of."""

    fhir: Fhir
    intake: Intake
    operations: Operations
    deferred: Deferred


def join(store: Store, settings: Settings) -> Parts:
    """The parts over an open store."""
    bindings.tell(open_bindings())
    fhir = Fhir(store, settings)
    jobs = intake.attach(fhir, settings)
    fhir.on_write.append(Outbox(fhir))
    deferred = Deferred(fhir, jobs.jobs)
    operations = Operations(
        [
            *code.operations(fhir, settings),
            *task.operations(fhir, jobs),
            *later.operations(deferred),
            *export.operations(fhir, deferred),
            *subscription_operations(fhir),
            *import_operations(fhir, jobs.jobs),
            *reindex.operations(deferred),
            *everything.operations(fhir),
            *meta.operations(fhir),
            *lastn.operations(fhir),
            *document.operations(fhir),
            *graphql.operations(fhir),
            *match.operations(fhir),
            *validate.operations(fhir),
            *terminology.operations(fhir),
            *closure.operations(fhir),
            *claims.operations(fhir),
        ]
    )
    fhir.operations = operations.declared()
    return Parts(fhir, jobs, operations, deferred)
