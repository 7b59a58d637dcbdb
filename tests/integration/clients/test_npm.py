"""Clients in JavaScript that others wrote, as black boxes against a server that listens."""


def test_fhir_kit_client(live, node):
    """Create, read, search in pages and by POST, patch, history at three levels, bundles, compartments, delete."""
    seen = node("fhir_kit_client.mjs", f"{live.base}/fhir")
    assert seen == {
        "version": "4.0.1",
        "read": True,
        "pages": 3,
        "found": 5,
        "posted": 5,
        "patched": [True, "2"],
        "vread": True,
        "history": 3,
        "typeHistory": "history",
        "systemHistory": "history",
        "transaction": ["201", "201"],
        "batch": True,
        "compartment": 1,
        "everything": 2,
        "gone": 410,
    }


def test_medplum_core(live, node):
    """Create, conditional create, search in pages, patch, history, bundles, GraphQL, errors with their place."""
    seen = node("medplum.mjs", live.base)
    assert seen == {
        "read": True,
        "pages": 3,
        "found": 5,
        "one": "No3",
        "total": 5,
        "patched": [True, "2"],
        "updated": "3",
        "once": True,
        "history": 3,
        "version": True,
        "transaction": ["201", "201"],
        "everything": 2,
        "graphql": True,
        "invalid": "Patient.gender",
        "gone": "deleted",
    }
