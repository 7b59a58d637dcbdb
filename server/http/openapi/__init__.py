"""The FHIR routes as OpenAPI, made from the CapabilityStatement (https://spec.openapis.org/oas/v3.1.0)."""

from server.http.openapi.document import add_fhir, describe_fhir
from server.http.openapi.serve import openapi_router

__all__ = ["add_fhir", "describe_fhir", "openapi_router"]
