"""A client that others wrote, against the closed server: `fhirclient` for Python."""

from __future__ import annotations

import httpx
import pytest
from fhirclient import client
from fhirclient.models.observation import Observation
from fhirclient.models.patient import Patient

from tests.integration.auth.conftest import REDIRECT, Site


@pytest.mark.parametrize("scope", ["patient/*.rs", "patient/*.read offline_access"])
def test_it_gets_a_token_and_reads(site: Site, scope: str) -> None:
    """It finds the endpoints, asks with PKCE, redeems its code, and sees the patient it was given and no other."""
    settings = {"app_id": "public", "api_base": f"{site.base}/fhir", "redirect_uri": REDIRECT, "scope": scope}
    smart = client.FHIRClient(settings=settings)
    assert not smart.ready
    sent = httpx.get(smart.authorize_url)
    assert sent.status_code == 303, sent.text
    smart.handle_callback(site.agree(sent.headers["location"], [*scope.split(), "launch/patient"]))
    assert smart.ready
    assert smart.patient.name[0].family == "Quill"
    assert [one.id for one in Patient.where({}).perform_resources_iter(smart.server)] == ["A"]
    assert list(Observation.where({"patient": "B"}).perform_resources_iter(smart.server)) == []
    with pytest.raises(Exception, match="404"):
        Patient.read("B", smart.server)
