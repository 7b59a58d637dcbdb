"""The settings of an external policy; a part of `server.settings`."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field


class Policy(BaseModel):
    """Who else is asked before a request is answered."""

    # External policy
    policy_url: str | None = Field(
        None,
        description="URL of a decision that is asked before each FHIR request that our own rules allow, as Open Policy "
        "Agent has it: `http://127.0.0.1:8181/v1/data/fhirwright/allow`. No answer is no.",
        pattern=r"^https?://[^\s?#]+$",
        max_length=2048,
    )
    policy_token: str | None = Field(
        None, description="Bearer token for the policy's endpoint.", min_length=1, max_length=4096
    )
    policy_seconds: float = Field(1.0, description="Seconds within which the policy must have answered.", gt=0, le=30)
    policy_keep_seconds: float = Field(
        5.0, description="Seconds for which a decision counts for the same question; 0 asks each time.", ge=0, le=3600
    )

    # Consents
    consent: Literal["honour", "ignore"] = Field(
        "honour",
        description="Whether active Consent resources of privacy take away from what callers see: `honour`, or "
        "`ignore`, which stores and finds them only.",
    )
