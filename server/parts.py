"""The server below HTTP, for the server and the workers: interactions, what follows their writes, operations."""

from __future__ import annotations

from dataclasses import dataclass

from fhir_profiles import bindings
from server.interactions.fhir import Fhir
from server.jobs import intake
from server.jobs.claiming.follow import Follow
from server.jobs.intake import Intake
from server.jobs.unaided import Unaided
from server.operations import (
    accounts,
    benefit,
    break_glass,
    claims,
    closure,
    code,
    correct,
    deidentify,
    document,
    everything,
    export,
    figures,
    graphql,
    lastn,
    later,
    match,
    meta,
    pages,
    preauth,
    reindex,
    remittance,
    reprocess,
    second_look,
    specificity,
    submit_bulk,
    task,
    terminology,
    validate,
    x12,
)
from server.operations.correct import Bills
from server.operations.house import House
from server.operations.import_ import operations as import_operations
from server.operations.later import Deferred
from server.operations.registry import Operations
from server.operations.subscriptions import operations as subscription_operations
from server.policy.holds import keep_held
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
    house: House


def join(store: Store, settings: Settings) -> Parts:
    """The parts over an open store."""
    bindings.tell(open_bindings())
    fhir = Fhir(store, settings)
    jobs = intake.attach(fhir, settings)
    submit = claims.Submit(fhir)
    unaided = Unaided(fhir, settings, submit.expected)
    fhir.on_write += [keep_held, Bills(fhir), Outbox(fhir), Follow(fhir), unaided]
    deferred = Deferred(fhir, jobs.jobs)
    house = House(fhir)
    operations = Operations(
        [
            *code.operations(fhir, settings),
            *pages.operations(fhir, settings),
            *task.operations(fhir, jobs),
            *later.operations(deferred),
            *break_glass.operations(fhir),
            *export.operations(fhir, deferred),
            *subscription_operations(fhir),
            *import_operations(fhir, jobs.jobs),
            *reindex.operations(deferred),
            *everything.operations(fhir),
            *meta.operations(fhir),
            *lastn.operations(fhir),
            *figures.operations(fhir, house),
            *document.operations(fhir),
            *deidentify.operations(fhir, settings),
            *graphql.operations(fhir),
            *match.operations(fhir),
            *validate.operations(fhir),
            *terminology.operations(fhir),
            *closure.operations(fhir),
            *claims.operations(fhir, submit),
            *submit_bulk.operations(fhir, jobs.jobs),
            *reprocess.operations(fhir, deferred),
            *remittance.operations(fhir),
            *benefit.operations(fhir),
            *correct.operations(fhir),
            *preauth.operations(fhir),
            *x12.operations(fhir),
            *specificity.operations(fhir),
            *second_look.operations(fhir),
            *accounts.operations(fhir),
        ]
    )
    fhir.operations = operations.declared()
    return Parts(fhir, jobs, operations, deferred, house)
