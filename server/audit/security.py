"""Events about access itself: who signed in, what was granted, which tokens were given and ended, which keys changed.

https://profiles.ihe.net/ITI/IUA/ (3.71.5: security audit considerations)
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from server.store.ledger import Line

from .event import Event, line_of

if TYPE_CHECKING:
    from server.auth.model import Authorization, Token


def granted(one: Authorization) -> Line:
    """Somebody agreed, a service was given what it may do, or the glass was broken for a patient."""
    if one.broken:
        last = one.broken[-1]
        return _about(one, "break-glass", patients=(last.patient,), purpose=last.reason)
    patients = (one.context.patient,) if one.context.patient else ()
    return _about(one, "consent", patients=patients, detail=" ".join(one.scopes)[:2000])


def given(token: Token, one: Authorization | None) -> Line:
    """A token was given."""
    if one is None:
        return line_of(Event(_now(), "token", 200, detail=token.kind, token=token.authorization))
    return _about(one, "token", detail=token.kind)


def ended(what: str, name: str) -> Line:
    """An authorization, a token or all that a person gave is worth nothing any more."""
    who, token = (name, "") if what == "person" else ("", name if what == "authorization" else "")
    return line_of(Event(_now(), "revoke", 200, who=who, token=token, detail=what))


def signed_in(who: str, address: str, *, right: bool) -> Line:
    """Somebody signed in, or did not get in: then only what kind of name was tried is told by the attempt itself."""
    return line_of(Event(_now(), "login", 200 if right else 401, who=who, address=address))


def rotated(kid: str) -> Line:
    """A new key signs from now on."""
    return line_of(Event(_now(), "key-rotation", 200, who="fhirwright", detail=kid))


def refused(code: str, status: int, request: str, address: str, server: str) -> Event:
    """An endpoint of the authorization server refused a call."""
    return Event(_now(), code, status, who="nobody", request=request, address=address, server=server, method="POST")


def _about(
    one: Authorization, code: str, *, patients: tuple[str, ...] = (), detail: str = "", purpose: str = ""
) -> Line:
    event = Event(
        _now(), code, 200, patients=patients, who=one.person or one.client, client=one.client,
        user=one.fhir_user or "", token=one.id, purpose=purpose or one.purpose or "", detail=detail,
    )  # fmt: skip
    return line_of(event)


def _now() -> int:
    return time.time_ns() // 1000
