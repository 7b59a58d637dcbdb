"""Implementation guides as npm packages, in the data directory (https://hl7.org/fhir/packages.html)."""

from fhir_profiles.packages.archive import Limits, read_archive
from fhir_profiles.packages.file import Package, open_package
from fhir_profiles.packages.library import Library, Loaded, install, open_all

__all__ = ["Library", "Limits", "Loaded", "Package", "install", "open_all", "open_package", "read_archive"]
