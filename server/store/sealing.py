"""What the store seals and opens: bodies of resources where they go in and out, and other columns that hold PHI.

With encryption off there is no Sealing, and nothing here runs.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Any
from weakref import WeakKeyDictionary

import structlog
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from prometheus_client import Counter

from fhir_profiles.errors import Category, FhirError, Problem
from server.phi import blind as blinding  # by its module, as that needs this package: either may be imported first
from server.phi.envelope import BODY, HEAD, OVERHEAD, Broken, is_sealed, number_of, place, seal, unseal
from server.phi.keys import Keys

from .ring import AUDIT, INDEX, NOBODY, Destroyed, Ring, Writes
from .version import Query as Asks
from .version import Version

DAMAGED = Counter("fhirwright_integrity_failures_total", "Stored values that did not open: changed, or moved.")
TEXT = "sealed:"
log = structlog.get_logger("fhirwright.integrity")


class Gone(FhirError):
    """What is asked for was sealed with a key that has been destroyed."""

    def __init__(self) -> None:
        super().__init__(Category.NOT_FOUND, Problem("error", "deleted", "The data was destroyed with its key."))


class Sealing:
    """The seals of one database and tenant; `mixed` also reads what is not sealed yet, while that is being changed."""

    overhead = OVERHEAD

    def __init__(self, keys: Keys, dialect: str, tenant: str = "", *, mixed: bool = False) -> None:
        self.ring = Ring(keys, dialect)
        self.tenant = tenant
        self.mixed = mixed
        self._blind: blinding.Blind | None = None
        self._audit: AESGCM | None = None

    def prepare(self, ask: Asks) -> None:
        """Read the keys of the index and of the audit trail."""
        secret, audit = self.ring.secret(ask, INDEX), self.ring.secret(ask, AUDIT)
        if secret is None or audit is None:
            raise Broken
        self._blind = blinding.Blind(secret, self.tenant)
        self._audit = AESGCM(audit)

    @property
    def blind(self) -> blinding.Blind:
        """The hashes of the index."""
        assert self._blind is not None
        return self._blind

    def open(self, ask: Asks, where: bytes, data: bytes) -> bytes:
        """A value as it was before it was sealed for a place; an empty one is nothing."""
        if not data or (self.mixed and not is_sealed(data)):
            return data
        try:
            return unseal(self.ring.key(ask, number_of(data)), where, data)
        except Destroyed:
            raise Gone from None
        except Broken:
            raise damaged() from None

    def body(self, ask: Asks, kind: str, name: str, version: int, data: bytes) -> bytes:
        """The body of a version."""
        if (key := self.ring.at_hand(data)) is not None:  # of nearly all: most of a read is what is not done here
            try:
                return key.decrypt(
                    data[HEAD:BODY],
                    data[BODY:],
                    data[:HEAD] + f"{self.tenant}\x1f{kind}\x1f{name}\x1f{version}\x1fbody".encode(),
                )
            except InvalidTag:
                raise damaged() from None
        return self.open(ask, self.of_body(kind, name, version), bytes(data))

    def version(self, ask: Asks, row: Sequence[Any]) -> Version:
        """A version from a row in the order of its columns."""
        rid, kind, name, number, updated, change, patient, data = row
        return Version(rid, kind, name, number, updated, change, patient, self.body(ask, kind, name, number, data))

    def of_body(self, kind: str, name: str, version: int) -> bytes:
        """The place of a body, whether it is the newest or of the history."""
        return place(self.tenant, kind, name, version, "body")

    def seal_bodies(
        self, tx: Writes, rows: Sequence[tuple[str, str, int, str | None, bytes]], number: Callable[[], int]
    ) -> list[bytes]:
        """The bodies of (type, id, version, patient, body), sealed with the keys of those whose they are."""
        owners = [owner_of(kind, name, patient) for kind, name, _, patient, body in rows if body]
        keys = self.ring.of_owners(tx, owners, number) if owners else {}
        sealed: list[bytes] = []
        for kind, name, version, patient, body in rows:
            if not body:
                sealed.append(body)
                continue
            of, key = keys[owner_of(kind, name, patient)]
            sealed.append(seal(key, of, self.of_body(kind, name, version), body))
        return sealed

    def seal(self, tx: Writes, owner: str, number: Callable[[], int], where: Sequence[str | int], data: bytes) -> bytes:
        """A value of a column, sealed for its place with the key of an owner."""
        of, key = self.ring.of_owners(tx, (owner,), number)[owner]
        return seal(key, of, place(self.tenant, *where), data)

    def read(self, ask: Asks, where: Sequence[str | int], data: bytes) -> bytes:
        """Such a value as it was."""
        return self.open(ask, place(self.tenant, *where), data)

    def hide(self, where: Sequence[str | int], text: str) -> str:
        """Text of an event or of a job's step, sealed without asking the database."""
        assert self._audit is not None
        return as_text(seal(self._audit, 0, place(self.tenant, *where), text.encode()))

    def reveal(self, where: Sequence[str | int], text: str) -> str:
        """Such a text as it was."""
        assert self._audit is not None
        try:
            return unseal(self._audit, place(self.tenant, *where), from_text(text)).decode()
        except Broken:
            raise damaged() from None

    def read_text(self, ask: Asks, where: Sequence[str | int], text: str) -> str:
        """The same for a column of text."""
        if self.mixed and not text.startswith(TEXT):
            return text
        return self.read(ask, where, from_text(text) or b"?").decode()


def as_text(sealed: bytes) -> str:
    """A sealed value for a column of text."""
    return TEXT + base64.b64encode(sealed).decode()


def from_text(text: str) -> bytes:
    """The sealed value in a column of text; nothing when there is none."""
    try:
        return base64.b64decode(text.removeprefix(TEXT), validate=True) if text.startswith(TEXT) else b""
    except (binascii.Error, ValueError):
        return b""


def owner_of(kind: str, name: str, patient: str | None) -> str:
    """Whose key seals a version: the patient's; of a Binary that is no patient's, its own."""
    if patient is not None:
        return f"Patient/{patient}"
    return f"Binary/{name}" if kind == "Binary" else NOBODY


def damaged() -> FhirError:
    """The error for a value that does not open; it is counted and logged, for somebody has to look."""
    DAMAGED.inc()
    log.error("integrity.failed")
    text = "Stored data failed its integrity check and is not shown. The operator was alerted."
    return FhirError.of(Category.FAULT, "exception", text)


_sealings: WeakKeyDictionary[Any, Sealing] = WeakKeyDictionary()


def remember(engine: object, sealing: Sealing) -> None:
    """Say how the database behind an engine is sealed."""
    _sealings[engine] = sealing


def sealing_of(engine: object) -> Sealing | None:
    """How it is sealed; None when it is not."""
    return _sealings.get(engine) if engine is not None else None
