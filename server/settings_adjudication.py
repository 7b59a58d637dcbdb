"""The settings of the language model that is asked about suggested codes; a part of `server.settings`."""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, Field

MIB = 1024 * 1024
_INNER = re.compile(r"[a-z0-9-]+|.+\.(internal|local|localhost|svc)")


class Adjudication(BaseModel):
    """Whether a language model is asked about suggested codes, which, about what, and what that may cost."""

    adjudication: Literal["off", "on", "replay"] = Field(
        "off",
        description="Whether a language model is asked about suggested codes: `on` sends de-identified text to "
        "`adjudication_url`; `replay` takes answers that were kept and never uses the network.",
    )
    adjudication_url: str | None = Field(
        None,
        description="Base of an endpoint that speaks OpenAI's chat completions, such as `http://127.0.0.1:11434/v1`; "
        "https, unless it stands on this machine or in the own network.",
        pattern=r"^https?://[^\s?#@]+$",
        max_length=2048,
    )
    adjudication_model: str | None = Field(
        None, description="Name of the model at the endpoint.", pattern=r"^[\w.:/@+-]+$", max_length=200
    )
    adjudication_key_file: Path | None = Field(
        None, description="File with the key of the endpoint; without one none is sent."
    )
    adjudication_form: Literal["auto", "schema", "tool"] = Field(
        "auto",
        description="How the form of the answer is asked for: by a JSON `schema`, by a `tool` call, or `auto`: by a "
        "schema until the endpoint refuses it.",
    )
    adjudication_low: float = Field(
        0.15, description="Suggested codes with less confidence are not asked about.", ge=0, le=1
    )
    adjudication_high: float = Field(
        0.9, description="Suggested codes with this confidence or more are not asked about.", ge=0, le=1
    )
    adjudication_codes: int = Field(40, description="Most codes of a document that are asked about.", ge=1, le=500)
    adjudication_characters: int = Field(
        12_000,
        description="Most characters of a document that are sent; of a longer one the lines around the codes.",
        ge=200,
        le=1_000_000,
    )
    adjudication_answer_tokens: int = Field(4000, description="Longest answer in tokens.", ge=100, le=100_000)
    adjudication_seconds: float = Field(
        60.0, description="Longest time for the question about a document, all attempts.", ge=0.1, le=3600
    )
    adjudication_attempt_seconds: float = Field(30.0, description="Longest time for one attempt.", ge=0.1, le=3600)
    adjudication_attempts: int = Field(
        3, description="Attempts when the endpoint is busy, fails or cannot be reached.", ge=1, le=10
    )
    adjudication_at_once: int = Field(4, description="Questions of one process under way at once.", ge=1, le=256)
    adjudication_failures: int = Field(
        5, description="Questions in a row without an answer after which nobody asks for a while.", ge=1, le=1000
    )
    adjudication_rest_seconds: float = Field(
        60.0, description="Seconds of that while; then one question tries.", ge=0.1, le=86_400
    )
    adjudication_price_sent: float = Field(
        0.0, description="Dollars for a million tokens that are sent.", ge=0, le=100_000
    )
    adjudication_price_answered: float = Field(
        0.0, description="Dollars for a million tokens that are answered.", ge=0, le=100_000
    )
    adjudication_document_tokens: int = Field(
        30_000, description="Most tokens for one document, all attempts.", ge=1, le=100_000_000
    )
    adjudication_document_dollars: float = Field(0.1, description="Most dollars for one document.", ge=0, le=10_000)
    adjudication_day_tokens: int = Field(
        5_000_000, description="Most tokens for one day (UTC), of all processes of the data dir.", ge=1, le=10**12
    )
    adjudication_day_dollars: float = Field(
        10.0, description="Most dollars for one day (UTC), of all processes of the data dir.", ge=0, le=10**6
    )
    adjudication_cache_bytes: int = Field(
        256 * MIB, description="Most bytes of answers kept for replay.", ge=MIB, le=1024 * 1024 * MIB
    )

    def adjudication_wrong(self) -> str | None:
        """What of these settings does not go together, None when all does."""
        if self.adjudication_low >= self.adjudication_high:
            return "adjudication_low must be less than adjudication_high"
        if self.adjudication == "off":
            return None
        if self.adjudication_model is None:
            return "adjudication needs adjudication_model"
        if self.adjudication == "on" and self.adjudication_url is None:
            return "adjudication needs adjudication_url"
        if self.adjudication_url and not _may_be_asked(self.adjudication_url):
            return "adjudication_url must be https unless it stands on this machine or in the own network"
        return None


def _may_be_asked(url: str) -> bool:
    """Whether an endpoint is reached by https, or by http without leaving the house."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    if parts.scheme == "https" and host:
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return bool(_INNER.fullmatch(host))
    return address.is_loopback or address.is_private
