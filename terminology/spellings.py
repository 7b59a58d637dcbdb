"""Code systems in which a code can be written in several ways, and the one form that tells which are the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from fhir_profiles.systems import NDC
from terminology import ndc


class Form(NamedTuple):
    """`of(text)` is the one form of a spelling, None for what is no code; `property` is where an edition holds it."""

    of: Callable[[str], str | None]
    property: str


FORMS = {NDC: Form(ndc.normalise, "ndc11")}
"""By the URI of the system."""
