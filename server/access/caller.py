"""Who calls, and what that one was given; made once for a request and carried by all that follows from it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import quote

import msgspec

from server.audit.trace import NOWHERE, Trace

from .grants import Grant

SHARED = frozenset({"Location", "Medication", "Organization", "Practitioner"})
"""Types that are no patient's: a grant at patient level that names them, or `*`, gives them to read."""


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """One who calls. Without grants nothing may be done; `grants` of None is everything, for the server itself.

    `patient` is the id of the Patient that grants at patient level are about. Grants at user level hold as far as one
    of `role` does too; a `role` of None does not limit them.
    """

    who: str
    """The subject of the token, a client or a user, as it goes into audit rows; never a name."""

    grants: tuple[Grant, ...] | None = ()
    patient: str | None = None
    role: tuple[Grant, ...] | None = None
    client: str | None = None
    """The id of the client that acts."""

    user: str | None = None
    """`Type/id` of the person at the client, who is told in the audit."""

    token: str | None = None
    """What the token is known as, never the token."""

    purpose: str | None = None
    """Why a rule was broken in an emergency, as it goes into the audit."""

    usual: str | None = None
    """The purpose of use that the roles of a person have, of v3-PurposeOfUse; Consents may name it."""

    admin: bool = False
    """Whether operations that look after the server itself are open."""

    emergency: bool = False
    """Whether this one may break the glass."""

    looks: bool = False
    """Whether this one takes second looks: a person whose role does so, at the workbench."""

    broken: tuple[str, ...] = ()
    """Ids of the Patients whose compartments are open to be read for now, because the glass was broken."""

    trace: Trace = NOWHERE
    """The request on the wire that this one called by, for the audit."""

    @property
    def whole(self) -> bool:
        """Whether nothing is kept from this caller."""
        return self.grants is None

    @property
    def key(self) -> str:
        """What jobs, files and subscriptions belong to: this one at this client, about this patient."""
        parts = [quote(self.who, safe=":/#")]
        if self.client:
            parts.append(quote(self.client, safe=":#"))  # without a slash, which a patient has
        if self.patient:
            parts.append(f"Patient/{quote(self.patient, safe='')}")
        return " ".join(parts)

    def holds(self, other: Caller) -> bool:
        """Whether what was made for another caller may be given to this one: the same, given no less than that."""
        if self.key != other.key:
            return False
        return self.grants is None or (other.grants is not None and {*other.grants} <= {*self.grants})


NOBODY = Caller(who="nobody")
"""Who has shown nothing."""

ANYBODY = Caller(who="anonymous", grants=None, admin=True)
"""Everyone, where the server runs open."""

SYSTEM = Caller(who="fhirwright", grants=None, admin=True)
"""The server itself."""


def server_as(who: str) -> Caller:
    """The server itself, told apart in the audit."""
    return Caller(who=who, grants=None, admin=True)


Identify = Callable[[bytes | None, MutableMapping[str, Any]], Awaitable[Caller]]
"""From the Authorization header, and the ASGI scope it came in, to who calls; FhirError (401) when it shows nobody."""


async def anybody(_header: bytes | None, _scope: MutableMapping[str, Any]) -> Caller:
    """Everyone may do everything: of a server that runs open."""
    return ANYBODY
