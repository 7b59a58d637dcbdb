"""The settings of who may ask, how people sign in, and how what is stored is kept; a part of `server.settings`."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field


class Security(BaseModel):
    """Who may ask, how people sign in, and how what is stored is kept."""

    # Who may ask
    open: bool = Field(False, description="Run without authorization; allowed on a loopback address only.")
    open_network: bool = Field(
        False,
        description="DANGER: also run without authorization on an address other machines can reach. "
        "For containers, where the published port decides who may connect.",
    )
    server_names: tuple[str, ...] = Field(
        (),
        description="Names or addresses, beside those of the machine itself, `host` and `base_url`, by which clients "
        "call a server that runs open or has no `base_url`; a request to any other is answered with 421.",
        max_length=100,
    )
    trusted_issuer: str | None = Field(
        None,
        description="Another authorization server whose tokens (JWTs for this FHIR base) are taken too; needs "
        "`trusted_jwks` and `base_url`.",
        pattern=r"^https?://[^\s?#]+$",
        max_length=2048,
    )
    trusted_jwks: str | None = Field(
        None,
        description="The URL of the key set of `trusted_issuer`.",
        pattern=r"^https?://[^\s#]+$",
        max_length=2048,
    )

    # People who sign in
    session_idle_minutes: int = Field(
        15, description="Minutes without a request after which whoever signed in is signed out.", ge=1, le=1440
    )
    session_hours: int = Field(10, description="Hours after which everybody has to sign in again.", ge=1, le=168)
    second_factor: Literal["required", "optional"] = Field(
        "required", description="Whether everybody who signs in needs a code of an authenticator app."
    )
    sign_in_attempts: int = Field(
        5,
        description="Attempts to sign in by one name from one address that are free; from then on each doubles the "
        "wait. For a name as a whole, and for an address as a whole, it is twenty times as many.",
        ge=1,
        le=100,
    )
    auth_rate: float = Field(
        10.0,
        description="Calls of `/auth` per second that one client, or one browser, at one address may make in the long "
        "run; an address as a whole ten times as many. Beginning an authorization counts as ten, a refused call too. "
        "An address may show as many bad access tokens to FHIR as its refused calls may be.",
        gt=0,
        le=100_000,
    )
    auth_burst: int = Field(
        1000, description="Calls of `/auth` that may come at once before `auth_rate` holds.", ge=10, le=10_000_000
    )
    fhir_rate: float = Field(
        1000.0,
        description="FHIR requests per second that one client may send to one process in the long run; more are "
        "answered with 429. 0 is no limit; an open server has none.",
        ge=0,
        le=1_000_000,
    )
    fhir_burst: int = Field(
        100_000, description="FHIR requests that may come at once before `fhir_rate` holds.", ge=1, le=100_000_000
    )
    proxies: tuple[str, ...] = Field(
        (),
        description="Addresses and networks of reverse proxies whose X-Forwarded-For is believed when attempts are "
        "counted by address.",
    )

    # What is stored
    encryption: Literal["off", "file", "environment", "command"] = Field(
        "off",
        description="Encrypt what is stored, with keys from a file, an environment variable or a command. A database "
        "that holds data in clear is converted by `fhirwright keys encrypt` first.",
    )
    encryption_keys: str | None = Field(
        None,
        description="The path of the file, the name of the environment variable, or the command line that prints the "
        "keys; each is `VERSION:BASE64` of 32 bytes, and the highest version wraps what is new.",
        min_length=1,
        max_length=4096,
    )

    tenants: dict[str, str] = Field(
        {},
        description="Tenants, each a server of its own behind its host name: host → database URL, empty for SQLite in "
        '`tenants/HOST` of the data dir, such as `{"mercy.example": "", "north.example": "postgresql://…"}`.',
        max_length=100,
    )
    break_glass_minutes: int = Field(
        30, description="Longest time in minutes for which `$break-glass` opens a record.", ge=1, le=1440
    )
    break_glass_patients: int = Field(
        5, description="Most records that one token may have open by `$break-glass` at a time.", ge=1, le=100
    )

    # What is kept of who did what
    audit_directory: Path | None = Field(
        None,
        description="Where the audit keeps its spool, its checkpoints and their key; when empty, beside the SQLite "
        "file, or in the data directory.",
    )
    audit_sync: bool = Field(
        False,
        description="Have events of reads on the disk itself before a read is answered: they then outlive a loss of "
        "power and not only of the process. Costs each read a sync of the disk.",
    )
    audit_checkpoint_events: int = Field(
        1000, description="Events of the audit after which a checkpoint is signed.", ge=1, le=10_000
    )
    audit_checkpoint_seconds: float = Field(
        10.0, description="Seconds after which a checkpoint is signed when there are new events.", gt=0, le=86_400
    )
    audit_checkpoint_command: str | None = Field(
        None,
        description="Shell command that gets each checkpoint as a line on stdin, to take it to another machine.",
        max_length=4096,
    )
    audit_checkpoint_url: str | None = Field(
        None, description="URL that each checkpoint is posted to.", pattern=r"^https?://", max_length=2048
    )
