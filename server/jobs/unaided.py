"""Documents that are coded unaided: what the machine made of them lies apart from every resource until they are done.

A client has no road there: it is no resource, and what is stored of the run suggests no code. When the Claim becomes
active (https://hl7.org/fhir/R4/claim.html) it is held against what stands, in the same transaction, and told by a Task.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final, NamedTuple

from fhir_profiles import json
from fhir_profiles.errors import Category, FhirError
from fhir_profiles.systems import TASK_CODE
from server.access.caller import server_as
from server.interactions import update
from server.interactions.content import instant
from server.interactions.fhir import Fhir
from server.jobs.decided import decisions_about, read_one
from server.jobs.tasks import task_id
from server.review.gather import claim_of, references, review_of
from server.review.model import Json, Review
from server.review.read import reference_of
from server.review.unaided import is_wanted, parted
from server.review.unaided_task import CODE, Worth, compared, comparison_task
from server.settings import Settings
from server.store import Store, Tx, Written
from server.store.texts import opened, sealed

WHO: Final = "fhirwright-unaided"
APART, TOLD = "apart", "told"
_CALLER = server_as(WHO)
_BEGIN = "INSERT INTO unaided (document, claim, state) VALUES (?, ?, ?) ON CONFLICT (document) DO NOTHING"
_KEEP = (
    "INSERT INTO unaided_apart (document, owner, body) VALUES (?, ?, ?)"
    " ON CONFLICT (document) DO UPDATE SET owner = excluded.owner, body = excluded.body"
)
_OF_CLAIM = (
    "SELECT a.document, a.body FROM unaided u JOIN unaided_apart a ON a.document = u.document"
    " WHERE u.claim = ? AND u.state = ?"
)

Price = Callable[[Json], Decimal | None]
"""What fee schedules promise for a Claim, in dollars; None where that is not known."""


class Parting(NamedTuple):
    """A run's Bundle that may be stored, and what is to be kept apart of it; `apart` of None: not any more."""

    open: bytes
    apart: Json | None


class Unaided:
    """Begins and ends the unaided coding of documents as they are written; put it in `Fhir.on_write`."""

    def __init__(self, fhir: Fhir, settings: Settings, price: Price) -> None:
        self._fhir = fhir
        self._percent = settings.unaided_percent
        self._custodians = frozenset(settings.unaided_custodians)
        self._price = price

    def __call__(self, tx: Tx, written: Written) -> None:
        """Follow one new version; FhirError (403) where somebody else writes a comparison."""
        version, resource = written.version, written.resource
        match version.type:
            case "DocumentReference" if resource is None:  # one that is brought back is coded unaided still
                tx.execute("DELETE FROM unaided_apart WHERE document = ?", (version.id,))
            case "DocumentReference" if version.version == 1 and (self._percent or self._custodians):
                if is_wanted({**(resource or {}), "id": version.id}, self._percent, self._custodians):
                    tx.execute(_BEGIN, (version.id, _claim_id(version.id), APART))
            case "Claim" if resource is not None and resource.get("status") == "active":
                for document, body in tx.query(_OF_CLAIM, (version.id, APART)):
                    self._tell(tx, document, json.decode(opened(tx, "unaided_apart", document, body).encode()))
            case "Task" if resource is not None and not _is_ours(written) and _is_comparison(resource):
                text = "A comparison with what was coded unaided is made by the server alone."
                raise FhirError.of(Category.FORBIDDEN, "forbidden", text)

    def _tell(self, tx: Tx, document: str, bundle: Json) -> None:
        """Make the Task of the comparison; what lay apart is deleted, for the Task says what of it counts."""
        name = f"DocumentReference/{document}"
        resources = [entry["resource"] for entry in bundle["entry"] if "id" in entry["resource"]]
        machine = review_of({reference_of(one): one for one in resources}, name)
        coding, coder = self._coder(tx, document, name)
        rows, result = compared(machine, coder)
        worth = Worth(*(self._price(one.resources[one.claim]) if one.claim else None for one in (machine, coder)))
        now = instant(tx.now).decode()
        update.put(self._fhir, tx, comparison_task(document, coding, rows, result, worth, now), WHO)
        tx.execute("UPDATE unaided SET state = ? WHERE document = ?", (TOLD, document))
        tx.execute("DELETE FROM unaided_apart WHERE document = ?", (document,))

    def _coder(self, tx: Tx, document: str, name: str) -> tuple[Json, Review]:
        """The Task of the coding, and the review as it stands in the transaction."""
        coding = read_one(self._fhir, tx, _CALLER, ("Task", task_id(document))) or {}
        provenances = decisions_about(self._fhir, tx, _CALLER, name)
        names = dict.fromkeys([*references(coding, provenances), claim_of(name)])
        paths = (tuple(one.split("/", 1)) for one in names)
        found = [one for path in paths if (one := read_one(self._fhir, tx, _CALLER, path)) is not None]
        return coding, review_of({reference_of(one): one for one in found}, name)


def part(tx: Tx, document: str, bundle: bytes) -> Parting | None:
    """The Bundle of a run in two where the document with this id is coded unaided; None where it is not."""
    states = tx.query("SELECT state FROM unaided WHERE document = ?", (document,))
    if not states:
        return None
    made = parted(json.decode(bundle), f"DocumentReference/{document}")
    return Parting(json.encode(made.open), made.apart if states[0][0] == APART else None)


def keep(tx: Tx, document: str, apart: Json, patient: str | None) -> None:
    """Keep what the machine made apart, sealed with the key of the `patient` (a reference) where that is known."""
    owner = patient if patient and patient.startswith("Patient/") else ""
    text = json.encode(apart).decode()
    tx.execute(_KEEP, (document, owner, sealed(tx, "unaided_apart", document, text, owner)))


def refuse_unaided(store: Store, document: str) -> None:
    """FhirError (409) while the document with this id is coded unaided and its review is not finished."""
    if store.query("SELECT 1 FROM unaided WHERE document = ? AND state = ?", (document, APART)):
        text = "This document is coded unaided: what the machine suggests is told once its review is finished."
        raise FhirError.of(Category.CONFLICT, "business-rule", text)


def _claim_id(document: str) -> str:
    return claim_of(f"DocumentReference/{document}").partition("/")[2]


def _is_ours(written: Written) -> bool:
    return written.who == WHO and written.caller is not None and written.caller.whole


def _is_comparison(task: dict[str, Any]) -> bool:
    codings = (task.get("code") or {}).get("coding") or ()
    return any((one.get("system"), one.get("code")) == (TASK_CODE, CODE) for one in codings)
