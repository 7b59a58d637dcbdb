"""From the Authorization header of a request to who calls (https://datatracker.ietf.org/doc/html/rfc6750)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from fhir_profiles.errors import Category, FhirError
from server.access.caller import Caller
from server.access.glass import live, patients
from server.access.grants import read_scopes
from server.access.roles import Role, grants_of, is_admin, may_break, may_look, purpose_of
from server.store import Store

from . import keep
from .memo import memo_of
from .model import Authorization, Token
from .secrets import digest

LONGEST = 4096
EMERGENCY = "BTG"
"""The purpose of use for which the glass is broken, of the value set v3-PurposeOfUse."""

ADMIN, WORKBENCH = "fhirwright/admin", "fhirwright-workbench"
"""The scope without which no token looks after the server, whoever it speaks for."""


Outside = Callable[[str, Mapping[str, Role]], Caller]
"""From a token of another issuer to who calls; NotAuthorizedError for one that is not good."""


class NotAuthorizedError(FhirError):
    """401: no token, or one that is worth nothing."""

    def __init__(self, code: str, text: str, error: str | None = None) -> None:
        super().__init__(Category.FORBIDDEN, *FhirError.of(Category.FORBIDDEN, code, text).problems)
        told = f'Bearer realm="fhir"{f", error={chr(34)}{error}{chr(34)}" if error else ""}'
        self.headers = ((b"www-authenticate", told.encode()),)


class Identify:
    """Finds who calls by the access token; what has expired, or was revoked in this process, is nobody's."""

    def __init__(self, store: Store, roles: Callable[[], Mapping[str, Role]], outsiders: Outside | None = None) -> None:
        self._store = store
        self._roles = roles
        self._outsiders = outsiders
        self._memo = memo_of(store.engine)

    async def __call__(self, header: bytes | None) -> Caller:
        """Who calls; NotAuthorizedError (401) when the header shows nobody."""
        if self._outsiders is not None and header is not None and header.count(b".") == 2:
            return await self._store.run(self._outsiders, _bearer(header), self._roles())
        known = None if header is None else self._memo.find(header)
        if known is None:
            turn = self._memo.turn
            token, granted = await self._look_up(digest(_bearer(header)))
            known = caller_of(token, granted, self._roles())
            self._memo.keep(header or b"", turn, known, token, granted)
        return known

    async def authorization(self, header: bytes | None) -> Authorization:
        """What the token in the header rests on; NotAuthorizedError (401) when it shows nobody."""
        return (await self._look_up(digest(_bearer(header))))[1]

    async def _look_up(self, hashed: str) -> tuple[Token, Authorization]:
        if self._store.reader.inline:
            found = keep.live_token(self._store, hashed)
        else:
            found = await self._store.run(keep.live_token, self._store, hashed)
        if found is None:
            text = "The access token has expired, was revoked, or is none of this server's."
            raise NotAuthorizedError("expired", text, "invalid_token")
        return found


def _bearer(header: bytes | None) -> str:
    """The token in an Authorization header."""
    if not header:
        text = "Send an access token: Authorization: Bearer and the token. The smart-configuration tells where."
        raise NotAuthorizedError("login", text)
    scheme, _, token = header.partition(b" ")
    token = token.strip()
    if scheme.lower() != b"bearer" or not token or len(token) > LONGEST or not token.isascii():
        raise NotAuthorizedError("login", "The Authorization header must be Bearer and a token.", "invalid_request")
    return token.decode("ascii")


def caller_of(token: Token, granted: Authorization, roles: Mapping[str, Role]) -> Caller:
    """Who a token speaks for, and what that one may do."""
    person = granted.person is not None
    broken = live(granted)
    return Caller(
        who=granted.person or granted.client,
        grants=read_scopes(token.scopes),
        patient=granted.context.patient,
        role=grants_of(roles, granted.roles) if person else (),
        client=granted.client,
        user=granted.fhir_user,
        token=granted.id,
        purpose=EMERGENCY if broken else granted.purpose,
        usual=purpose_of(roles, granted.roles) if person else None,
        emergency=person and may_break(roles, granted.roles),
        looks=person and granted.client == WORKBENCH and may_look(roles, granted.roles),
        broken=patients(broken),
        admin=ADMIN in token.scopes and (not person or is_admin(roles, granted.roles)),
    )
