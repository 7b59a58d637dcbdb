"""The last gate: nothing leaves that still names somebody whom we know."""

from __future__ import annotations

from extractors.deid.identify import Identifiers
from fhir_profiles.errors import Category, FhirError


def may_leave(text: str, identifiers: Identifiers) -> str:
    """The text itself, when no known identifier stands in it in any form; FhirError (forbidden) when one does.

    It looks again by itself and believes nothing of what was done before; the error names kinds, never values.
    """
    found = identifiers.find(text)
    if found:
        kinds = ", ".join(sorted({mention.kind for mention in found}))
        raise FhirError.of(
            Category.FORBIDDEN,
            "suppressed",
            f"A known identifier would have left the server ({kinds}); nothing was sent.",
        )
    return text
