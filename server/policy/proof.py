"""A proof that something was done about a patient: signed with the key that also signs the audit trail's checkpoints.

https://www.rfc-editor.org/rfc/rfc8032 (Ed25519)
"""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any, Literal

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from server.audit.checkpoints import load_key, public


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """What was done, about whom, when (microseconds since 1970), and what was found afterwards."""

    what: Literal["access", "erasure"]
    patient: str
    at: int
    event: int
    """Up to which event the audit trail told of it."""

    found: dict[str, Any]
    """Counts, and hashes of files by their name."""

    signer: str = ""
    signature: str = ""


def sign(proof: Proof, folder: Path) -> bytes:
    """The proof as JSON, signed with the key in the audit directory."""
    folder.mkdir(parents=True, exist_ok=True)
    key = load_key(folder)
    named = msgspec.structs.replace(proof, signer=public(key))
    signature = base64.b64encode(key.sign(_payload(named))).decode()
    return msgspec.json.format(msgspec.json.encode(msgspec.structs.replace(named, signature=signature)), indent=2)


def read_proof(data: bytes, signer: str) -> Proof | None:
    """The proof, None unless the signer (public key in base64) has signed exactly this."""
    try:
        proof = msgspec.json.decode(data, type=Proof)
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(signer))
        key.verify(base64.b64decode(proof.signature), _payload(proof))
    except (InvalidSignature, ValueError):
        return None
    return proof if proof.signer == signer else None


def _payload(proof: Proof) -> bytes:
    return msgspec.json.encode(msgspec.structs.replace(proof, signature=""), order="sorted")
