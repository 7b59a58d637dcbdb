"""What the authorization server knows: people, clients, launches, grants and tokens, as they are kept.

https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html
"""

from __future__ import annotations

import time
from typing import Any, Literal

import msgspec

Method = Literal["none", "client_secret_basic", "client_secret_post", "private_key_jwt"]
Kind = Literal["code", "access", "refresh"]


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who signs in. Passwords are kept as argon2id hashes; times in milliseconds."""

    id: str
    name: str
    password: str
    roles: tuple[str, ...] = ()
    fhir_user: str | None = None
    """`Practitioner/1`, `Patient/2` …: who that is among the resources."""

    patients: tuple[str, ...] = ()
    """Ids of the Patients that the person may choose where that is not everyone: of a patient or a relative."""

    totp: str | None = None
    totp_step: int = -1
    """The step of the last code that was taken: each is good once."""

    recovery: tuple[str, ...] = ()
    """Hashes of the codes that stand in for a second factor that was lost, each good once."""

    disabled: bool = False


class Client(msgspec.Struct, frozen=True, kw_only=True):
    """An app or a service. `scopes` is the most it can be given; of a backend service it is approved beforehand."""

    id: str
    title: str
    method: Method = "none"
    secret: str | None = None
    """The argon2id hash of the secret."""

    redirects: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    """Origins from which browsers may call the token endpoint and the FHIR base."""

    scopes: tuple[str, ...] = ()
    jwks: dict[str, Any] | None = None
    jwks_uri: str | None = None
    launch_uri: str | None = None
    grants: tuple[str, ...] = ("authorization_code", "refresh_token")
    post_secret: bool = False
    """Whether the secret may stand in the body, which SMART does not have."""

    approved: bool = True
    """False: registered by itself and not yet approved by an administrator."""

    registered: int = 0
    """When it registered itself, in milliseconds."""

    owner: str | None = None
    """The hash of the token by which whoever registered it looks after it."""


class Context(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The launch context of an authorization, as it stands beside the token."""

    patient: str | None = None
    encounter: str | None = None
    fhir_context: tuple[dict[str, Any], ...] = ()
    need_patient_banner: bool | None = None
    smart_style_url: str | None = None
    intent: str | None = None
    tenant: str | None = None
    """An opaque name of the organization that launched the app."""


class Broken(msgspec.Struct, frozen=True):
    """A patient whose record was opened in an emergency, until when in milliseconds, and why."""

    patient: str
    until: int
    reason: str


class Authorization(msgspec.Struct, frozen=True, kw_only=True):
    """What one consent, or one call of a backend service, gave: all tokens of the family rest on it."""

    id: str
    client: str
    person: str | None
    scopes: tuple[str, ...]
    context: Context = Context()
    roles: tuple[str, ...] = ()
    fhir_user: str | None = None
    session: str | None = None
    """The session in which it was given: `online_access` ends with it."""

    purpose: str | None = None
    """Why the glass was broken, where it was."""

    broken: tuple[Broken, ...] = ()
    """What was opened in an emergency since."""

    made: int = 0
    """When it was given, in milliseconds."""


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """A code, an access token or a refresh token as it is kept: never itself, only its hash."""

    hash: str
    kind: Kind
    authorization: str
    expires: int
    """Milliseconds since 1970."""

    used: bool = False
    revoked: bool = False
    scopes: tuple[str, ...] = ()
    """What this token carries: a part of what was authorized, or all."""

    data: dict[str, Any] = {}
    """Of a code: redirect_uri, code_challenge, nonce."""


class Launch(msgspec.Struct, frozen=True, kw_only=True):
    """A launch that an EHR has prepared: the value of `launch` stands for it once, until it expires."""

    hash: str
    client: str
    context: Context
    expires: int


class Pending(msgspec.Struct, frozen=True, kw_only=True):
    """A request for authorization that waits for a person: its parameters as they came, and what it may be given."""

    hash: str
    expires: int
    pairs: tuple[tuple[str, str], ...]
    client: str
    scopes: tuple[str, ...]
    """What was asked for, as far as the client may have it."""

    context: Context = Context()
    launched: bool = False
    """Whether an EHR launched the app: then the context is the launch's."""

    chosen: Context | None = None
    """The context after somebody chose what it lacked."""

    session: str | None = None
    """The session in which that was chosen: no other goes on from there."""

    without_encounter: bool = False
    """Whether somebody chose to go on without an encounter."""


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A browser that somebody signed in with; `seen` is the last request, for the logoff after idle time."""

    hash: str
    person: str
    began: int
    seen: int
    csrf: str
    idle: int = 15 * 60_000
    """Milliseconds without a request after which it ends."""

    longest: int = 10 * 3_600_000
    """Milliseconds after which it ends in any case."""

    whole: bool = True
    """False until the second factor that is asked for has been set up: nothing else may be done."""

    enrolling: str | None = None
    """The key of a second factor that is being set up."""

    @property
    def ended(self) -> bool:
        """Whether it has been idle, or has lasted, for too long."""
        now = time.time_ns() // 1_000_000
        return now - self.seen > self.idle or now - self.began > self.longest
