"""The settings of the other doors in, and of the ledger that they share; a part of `server.settings`."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, Field


class Doors(BaseModel):
    """What comes in by other doors than HTTP, and how long it is remembered."""

    # Other doors in
    doors_keep_days: int = Field(
        400,
        description="Days for which the ledger of the doors knows what came, so that a message that is sent again has "
        "no second effect.",
        ge=1,
        le=36_500,
    )
    doors_quarantine_days: int = Field(
        90, description="Days that what could not be used lies in quarantine.", ge=1, le=3650
    )
    doors_quarantine: int = Field(
        10_000,
        description="Most messages and files in quarantine; with more, what cannot be used is no longer taken.",
        ge=1,
        le=10_000_000,
    )

    # HL7 v2 over MLLP
    mllp_systems: dict[str, str] = Field(
        {},
        description="Assigning authorities of HL7 v2 (a name or an OID) → the identifier system that is written; "
        "others get a URI of their OID or name.",
        max_length=10_000,
    )
    mllp_time_zone: str = Field(
        "UTC",
        description="Time zone of times in HL7 v2 messages that name none, such as `America/Chicago`.",
        max_length=64,
    )
    mllp_senders: dict[str, str] = Field(
        {"127.0.0.0/8": "", "::1/128": ""},
        description="Who may send HL7 v2: an address or network, or `cn:NAME` of a client certificate → the tenant it "
        "sends to, empty for the server itself. A certificate decides before an address.",
        max_length=10_000,
    )
    mllp_message_bytes: int = Field(
        32 * 1024 * 1024, description="Largest HL7 v2 message in bytes.", ge=1024, le=1024 * 1024 * 1024
    )
    mllp_connections: int = Field(200, description="Most MLLP connections at a time.", ge=1, le=10_000)
    mllp_idle_seconds: float = Field(
        600.0, description="Seconds without a whole message after which an MLLP connection is closed.", gt=0, le=86_400
    )
    mllp_certificate: Path | None = Field(
        None, description="PEM file with certificate and chain: MLLP over TLS; needs `mllp_key`."
    )
    mllp_key: Path | None = Field(None, description="PEM file with the key of `mllp_certificate`.")
    mllp_clients: Path | None = Field(
        None, description="PEM file with the authorities whose client certificates are asked for and believed."
    )
