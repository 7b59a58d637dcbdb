"""The settings of reviewing: which documents are coded unaided; of `server.settings`."""

from __future__ import annotations

from pydantic import BaseModel, Field


class Reviewing(BaseModel):
    """Which documents people code without seeing what the machine suggests."""

    unaided_percent: float = Field(
        0.0,
        description="Percent of new documents that coders code unaided, without the machine's suggestions, "
        "by a hash of their ids; 100 for the whole site.",
        ge=0,
        le=100,
    )
    unaided_custodians: tuple[str, ...] = Field(
        (),
        description="Custodians, such as `Organization/north`, all of whose new documents are coded unaided.",
        max_length=1000,
    )
