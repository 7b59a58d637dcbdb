"""The keys of stand-ins: one that stays, and the seal of maps that undo them; both of the secret of the data directory.

A tenant has a data directory of its own, so neither is known to another. https://doi.org/10.6028/NIST.SP.800-57pt1r5
"""

from __future__ import annotations

import base64
import binascii
from functools import cached_property

import msgspec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from extractors.deid.kept import Kept
from server.adjudication.secret import derived, open_secret
from server.operations.parameters import wrong
from server.phi.envelope import Broken, is_sealed, place, seal, unseal
from server.phi.keys import keys_of
from server.settings import Settings

_PLACE = place("deidentification", "map")
_NUMBER = 1  # of the one key that seals maps


class Seals:
    """The keys of one data directory, made when they are first needed."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @cached_property
    def _secret(self) -> bytes:
        return open_secret(self._settings.data / "adjudication", keys_of(self._settings))

    @cached_property
    def stable(self) -> bytes:
        """The key by which the same is always called the same."""
        return derived(self._secret, "stable stand-ins")

    @cached_property
    def _seal(self) -> AESGCM:
        return AESGCM(derived(self._secret, "maps of stand-ins"))

    def kept(self, kept: Kept) -> bytes:
        """A map that only this server opens."""
        return kept.sealed(lambda data: seal(self._seal, _NUMBER, _PLACE, data))

    def opened(self, text: str) -> Kept:
        """The map in base64; FhirError for one that was sealed elsewhere, or changed."""
        try:
            sealed = base64.b64decode(text, validate=True)
            if not is_sealed(sealed):
                raise Broken
            return Kept.opened(sealed, lambda data: unseal(self._seal, _PLACE, data))
        except (Broken, binascii.Error, ValueError, msgspec.MsgspecError):
            raise wrong("The map is none that this server sealed.", "map") from None
