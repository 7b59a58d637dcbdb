"""What apps find out before they ask: the SMART configuration and that of OpenID Connect.

https://hl7.org/fhir/smart-app-launch/STU2.2/conformance.html
"""

from __future__ import annotations

from typing import Any

from fhir_profiles.systems import RESTFUL_SECURITY_SERVICE, SMART_OAUTH_URIS

from .assertions import ALGORITHMS as ASSERTED
from .signing import ALGORITHM

CAPABILITIES = (
    "launch-ehr", "launch-standalone", "authorize-post", "client-public", "client-confidential-symmetric",
    "client-confidential-asymmetric", "sso-openid-connect", "context-banner", "context-style", "context-ehr-patient",
    "context-ehr-encounter", "context-standalone-patient", "context-standalone-encounter", "permission-offline",
    "permission-online", "permission-patient", "permission-user", "permission-v1", "permission-v2",
)  # fmt: skip
SCOPES = (
    "openid", "fhirUser", "profile", "launch", "launch/patient", "launch/encounter", "offline_access", "online_access",
    "patient/*.cruds", "user/*.cruds", "system/*.cruds",
)  # fmt: skip
METHODS = ("client_secret_basic", "private_key_jwt")


def urls(issuer: str) -> dict[str, str]:
    """The endpoints of the server whose FHIR base this is."""
    root = issuer.removesuffix("/fhir")
    return {
        "authorization_endpoint": f"{root}/auth/authorize",
        "token_endpoint": f"{root}/auth/token",
        "introspection_endpoint": f"{root}/auth/introspect",
        "revocation_endpoint": f"{root}/auth/revoke",
        "registration_endpoint": f"{root}/auth/register",
        "management_endpoint": f"{root}/auth/manage",
        "jwks_uri": f"{root}/auth/jwks",
    }


def smart_configuration(issuer: str) -> dict[str, Any]:
    """`/.well-known/smart-configuration`."""
    return {
        "issuer": issuer,
        **urls(issuer),
        "grant_types_supported": ["authorization_code", "client_credentials"],
        "token_endpoint_auth_methods_supported": list(METHODS),
        "token_endpoint_auth_signing_alg_values_supported": list(ASSERTED),
        "scopes_supported": list(SCOPES),
        "response_types_supported": ["code"],
        "code_challenge_methods_supported": ["S256"],
        "capabilities": list(CAPABILITIES),
    }


def told_security(issuer: str) -> dict[str, Any]:
    """`rest.security` of the CapabilityStatement: where apps of SMART 1.0 look for the endpoints."""
    ours = urls(issuer)
    found = {
        name: ours[f"{key}_endpoint"]
        for name, key in (
            ("authorize", "authorization"), ("token", "token"), ("introspect", "introspection"),
            ("revoke", "revocation"), ("register", "registration"), ("manage", "management"),
        )
    }  # fmt: skip
    return {
        "cors": True,
        "service": [
            {
                "coding": [{"system": RESTFUL_SECURITY_SERVICE, "code": "SMART-on-FHIR"}],
                "text": "OAuth2 by SMART App Launch",
            }
        ],
        "extension": [
            {"url": SMART_OAUTH_URIS, "extension": [{"url": name, "valueUri": url} for name, url in found.items()]}
        ],
    }


def openid_configuration(issuer: str) -> dict[str, Any]:
    """`/.well-known/openid-configuration`."""
    return {
        **smart_configuration(issuer),
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [ALGORITHM],
        "claims_supported": ["iss", "sub", "aud", "exp", "iat", "nonce", "auth_time", "fhirUser"],
        "claims_parameter_supported": False,
        "request_uri_parameter_supported": False,
    }
