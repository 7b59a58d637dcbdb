"""Erasing a patient: the keys are destroyed, and what then still could be read is counted: nothing, or it is no proof.

NIST SP 800-88 rev. 1 (cryptographic erase); Regulation (EU) 2016/679, article 17
"""

from __future__ import annotations

import time
from pathlib import Path

from fhir_profiles.errors import Category, FhirError
from server.audit.event import Event, line_of
from server.store import Store
from server.store.shredding import shred

from .proof import Proof, sign

_LEFT = {
    "versions that are not deletions": "SELECT count(*) FROM resource WHERE patient = ? AND change <> 'D'",
    "earlier versions with a body": "SELECT count(*) FROM history WHERE patient = ? AND length(body) > 0",
    "suggestions kept apart": "SELECT count(*) FROM unaided_apart WHERE owner = 'Patient/' || CAST(? AS TEXT)",
    "index rows": "SELECT count(*) FROM idx_token t JOIN resource r ON r.rid = t.rid WHERE r.patient = ?",
}
_KEYS = "SELECT count(*) FROM phi_key WHERE owner = ? AND length(wrapped) > 0"


def erase(store: Store, audit: Path, patient: str, who: str) -> bytes:
    """Destroy what is stored of a patient and prove it; FhirError CONFLICT on hold, or when something is left.

    Only a sealed database can do that: what was in clear stays in logs, backups and free pages.
    """
    if store.sealing is None:
        text = (
            "The database is not encrypted: what is deleted would stay in its log and backups. See `fhirwright keys`."
        )
        raise FhirError.of(Category.UNSUPPORTED, "not-supported", text)
    if not store.query("SELECT 1 FROM phi_key WHERE owner = ?", (f"Patient/{patient}",)):
        raise FhirError.of(Category.NOT_FOUND, "not-found", "Nothing was ever stored of a patient with this id.")
    done = shred(store, patient)
    left = {what: int(store.query(sql, (patient,))[0][0]) for what, sql in _LEFT.items()}
    left["keys"] = int(store.query(_KEYS, (f"Patient/{patient}",))[0][0])
    if any(left.values()):
        text = "Something of the patient came in while it was erased. Stop what writes it, then run this again."
        raise FhirError.of(Category.CONFLICT, "conflict", text)
    now = time.time_ns() // 1000
    event = Event(now, "erase", 200, "Patient", patient, patients=(patient,), who=who, detail=str(done.versions))
    store.write_sync(lambda tx: tx.audit(line_of(event)))
    seq = int(store.query("SELECT max(seq) FROM audit_event")[0][0])
    found = {"keys destroyed": done.keys, "versions destroyed": done.versions, "left": left}
    return sign(Proof(what="erasure", patient=patient, at=now, event=seq, found=found), audit)
