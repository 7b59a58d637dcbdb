"""Legal holds: as long as one stands, nothing of the patient is deleted, erased or let go by age."""

from __future__ import annotations

import time

import msgspec

from fhir_profiles.errors import Category, FhirError
from server.audit.event import Event, line_of
from server.store import Store, Tx, Written
from server.store.holds import refuse_held

LONGEST = 200
"""Characters of a reason."""


class Hold(msgspec.Struct, frozen=True):
    """Whose data are held, why, by whom, and since when (milliseconds since 1970)."""

    patient: str
    reason: str
    who: str
    at: int


def keep_held(tx: Tx, written: Written) -> None:
    """Refuse a deletion in the compartment of a patient on hold; put it in `Fhir.on_write`."""
    version = written.version
    if version.deleted:
        patient = version.id if version.type == "Patient" else version.patient
        if patient is not None:
            refuse_held(tx.query, patient)


def hold(store: Store, patient: str, reason: str, who: str) -> bool:
    """Put a patient on hold, with an event in the audit; False when it is; FhirError for a reason that is none."""
    if not 0 < len(reason) <= LONGEST:
        raise FhirError.of(Category.INCORRECT, "value", f"A reason has 1 to {LONGEST} characters.")

    def run(tx: Tx) -> bool:
        row = (patient, reason, who, time.time_ns() // 1_000_000)
        sql = "INSERT INTO legal_hold (patient, reason, who, at) VALUES (?, ?, ?, ?) ON CONFLICT (patient) DO NOTHING"
        return _told(tx, tx.execute(sql, row) > 0, "hold", patient, who)

    return store.write_sync(run)


def release(store: Store, patient: str, who: str) -> bool:
    """End the hold of a patient, with an event in the audit; False when there is none."""
    sql = "DELETE FROM legal_hold WHERE patient = ?"
    return store.write_sync(lambda tx: _told(tx, tx.execute(sql, (patient,)) > 0, "release", patient, who))


def holds(store: Store) -> list[Hold]:
    """All that stand, the oldest first."""
    return [Hold(*row) for row in store.query("SELECT patient, reason, who, at FROM legal_hold ORDER BY at, patient")]


def _told(tx: Tx, done: bool, code: str, patient: str, who: str) -> bool:
    if done:
        tx.audit(line_of(Event(time.time_ns() // 1000, code, 200, "Patient", patient, patients=(patient,), who=who)))
    return done
