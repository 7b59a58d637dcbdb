"""The packages of this distribution carry plain names: make sure that all five come from one place."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

PACKAGES = ("server", "extractors", "claims", "terminology", "fhir_profiles")


def strangers() -> dict[str, str]:
    """Packages that do not lie beside `server`, with where they lie instead; empty when all is well."""
    home = Path(__file__).resolve().parent.parent
    return {name: place for name in PACKAGES if (place := _place(name)) != str(home / name)}


def _place(name: str) -> str:
    """The directory a package would be imported from, without importing it."""
    spec = find_spec(name)
    return str(Path(spec.origin).resolve().parent) if spec and spec.origin else "nowhere"
