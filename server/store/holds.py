"""The table of legal holds: patients whose data must be kept, whatever somebody asks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import BigInteger, Column, Table, Text

from fhir_profiles.errors import Category, FhirError

from .schema import metadata

legal_hold = Table(
    "legal_hold",
    metadata,
    Column("patient", Text, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("at", BigInteger, nullable=False),  # milliseconds since 1970
)

Query = Callable[[str, Sequence[Any]], list[tuple[Any, ...]]]


def refuse_held(query: Query, patient: str) -> None:
    """FhirError CONFLICT when a patient is on hold."""
    if query("SELECT 1 FROM legal_hold WHERE patient = ?", (patient,)):
        text = "The data of this patient are on legal hold and stay as they are until it is released."
        raise FhirError.of(Category.CONFLICT, "conflict", text)
