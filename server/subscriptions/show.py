"""The state of a subscription as people see it: status and error of the resource, written with the row beside it."""

from __future__ import annotations

from typing import Any

import orjson

from server.interactions import update
from server.interactions.fhir import Fhir
from server.store import Tx
from server.subscriptions import states
from server.subscriptions.outbox import WHO
from server.subscriptions.states import State

_LONGEST = 1000


def show_state(fhir: Fhir, tx: Tx, state: State, shown: str, error: str | None, **values: Any) -> None:
    """Change the row and, where status or error differ, the resource; `error` None leaves what it says.

    Nothing is done when the owner has written or deleted the Subscription since `state` was read.
    """
    if not states.change(tx, state.id, state.version, **{"state": shown, **values}):
        return
    current = tx.current("Subscription", state.id)
    if current is None or current.deleted:
        return
    resource = orjson.loads(current.body)
    before = (resource.get("status"), resource.get("error"))
    resource["status"] = shown
    if error is not None:
        resource.pop("error", None)
        resource |= {"error": error[:_LONGEST]} if error else {}
    if (resource.get("status"), resource.get("error")) != before:
        update.put(fhir, tx, resource, WHO)
