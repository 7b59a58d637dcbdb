"""The event of a notification: what a subscriber is told leaves the server as an answer does.

https://hl7.org/fhir/R4/subscription.html#safety
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from server.access.caller import Caller
from server.store import Store
from server.store.ledger import Line

from .event import by, line_of
from .interaction import named
from .trace import NOWHERE


async def keep_told(
    store: Store, owner: Caller, subscription: str, about: Iterable[tuple[str, str]], body: bytes
) -> None:
    """Chain the event of one notification before it is sent: each try is one. `about`: the resources it tells of."""
    line = await store.run(_told, store, owner, subscription, tuple(about), body)
    await store.write(lambda tx: tx.audit(line))


def _told(store: Store, owner: Caller, subscription: str, about: tuple[tuple[str, str], ...], body: bytes) -> Line:
    versions = [store.read(kind, name) for kind, name in about]
    patients = [one.id if one.type == "Patient" else one.patient for one in versions if one is not None]
    first = tuple(dict.fromkeys(patient for patient in patients if patient))
    caller = msgspec.structs.replace(owner, trace=NOWHERE)
    return line_of(by(caller, "operation", 200, ("Subscription", subscription, 0), named(body, first), detail="notify"))
