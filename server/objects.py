"""Who reads and writes at a path or URI: fsspec, and beside it what speaks to a store of objects.

https://filesystem-spec.readthedocs.io
"""

from __future__ import annotations

from typing import Any

from fhir_profiles.errors import Category, FhirError


def filesystem(given: str) -> tuple[Any, str]:
    """Who reads and writes at a path or URI, and the path as they call it."""
    try:
        import fsspec
    except ImportError as error:
        text = "Folders in bulk and stores of objects need fsspec: pip install 'fhirwright[bulk]'"
        raise FhirError.of(Category.UNSUPPORTED, "not-supported", text) from error
    try:
        found: tuple[Any, str] = fsspec.core.url_to_fs(given)
    except (ImportError, ValueError) as error:
        text = "No way to this kind of URI is installed: s3fs for s3, gcsfs for gs, adlfs for az and abfs"
        raise FhirError.of(Category.UNSUPPORTED, "not-supported", text) from error
    return found
