"""The second factor: codes of six digits that change with time, and codes for when the device is lost.

https://datatracker.ietf.org/doc/html/rfc6238
"""

from __future__ import annotations

import io
import secrets
import time

import msgspec
import pyotp
import segno

from .model import Person
from .secrets import digest, same

STEP = 30
"""Seconds that a code is shown."""

ISSUER = "fhirwright"
RECOVERY_CODES = 10
_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"


def new_key() -> str:
    """A key of 160 bits, as authenticator apps take it."""
    return pyotp.random_base32()


def address_of(key: str, name: str) -> str:
    """The key as a URI that authenticator apps read."""
    return pyotp.TOTP(key).provisioning_uri(name=name, issuer_name=ISSUER)


def picture(uri: str) -> str:
    """The URI as a QR code: an SVG element without style and script, black on white in any colour scheme."""
    drawn = io.BytesIO()
    segno.make(uri, error="m", micro=False).save(
        drawn, kind="svg", scale=5, border=4, dark="#000", light="#fff", xmldecl=False, svgclass=None, lineclass=None
    )
    return drawn.getvalue().decode()


def step_of(key: str, code: str, after: int = -1) -> int | None:
    """The step that a code is of: the present one or a neighbour, and later than `after`; None when it is wrong."""
    digits = "".join(code.split())
    made = pyotp.TOTP(key)
    now = int(time.time()) // STEP
    found = None
    for step in (now - 1, now, now + 1):
        if same(made.generate_otp(step), digits) and step > after:
            found = step
    return found


def new_recovery_codes() -> tuple[str, ...]:
    """Codes of 80 bits, to print."""
    texts = ("".join(secrets.choice(_ALPHABET) for _ in range(16)) for _ in range(RECOVERY_CODES))
    return tuple("-".join(text[n : n + 4] for n in range(0, 16, 4)) for text in texts)


def kept_code(code: str) -> str:
    """What is kept of a recovery code, however it was written down."""
    return digest("".join(letter for letter in code.upper() if letter in _ALPHABET))


def after_code(person: Person, code: str) -> Person | None:
    """The person after a code was used, of the device or of those for recovery; None when it is wrong or was used."""
    if person.totp is None:
        return None
    step = step_of(person.totp, code, person.totp_step)
    if step is not None:
        return msgspec.structs.replace(person, totp_step=step)
    told = kept_code(code)
    if any(same(told, one) for one in person.recovery):
        return msgspec.structs.replace(person, recovery=tuple(one for one in person.recovery if one != told))
    return None
