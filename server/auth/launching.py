"""Launches by an EHR: the app is opened with a value that stands for the context, once, for a few minutes.

https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html#launch-app-ehr-launch
"""

from __future__ import annotations

from urllib.parse import urlsplit

from fhir_profiles.errors import Category, FhirError
from server.store import Store

from . import keep
from .model import Client, Context, Launch
from .secrets import digest, new_token
from .wire import with_pairs

SECONDS = 300
"""How long a launch waits for its app."""

MOST = 50
ROLES = frozenset({"launch"})
"""Roles that need no URI."""


def prepare_launch(store: Store, client: str, context: Context, seconds: int = SECONDS) -> str:
    """Prepare a launch: the value of its parameter `launch`, good once."""
    check_context(context)
    token = new_token()
    one = Launch(hash=digest(token), client=client, context=context, expires=keep.now() + seconds * 1000)
    store.write_sync(lambda tx: keep.put_launch(tx, one))
    return token


def check_context(context: Context) -> None:
    """FhirError when an app would not understand what else is open."""
    if len(context.fhir_context) > MOST:
        raise _wrong(f"fhirContext has at most {MOST} entries.")
    for one in context.fhir_context:
        role, reference = one.get("role", "launch"), one.get("reference")
        if not {"reference", "canonical", "identifier"} & set(one) or not isinstance(reference, str | None):
            raise _wrong("An entry of fhirContext has a reference, a canonical or an identifier.")
        if not isinstance(role, str) or not (role in ROLES or urlsplit(role).scheme):
            raise _wrong("A role of fhirContext is launch, or an absolute URI.")
        kind = reference.partition("/")[0] if reference else one.get("type")
        if role == "launch" and kind in ("Patient", "Encounter"):
            raise _wrong("The patient and the encounter that are open stand beside fhirContext, not in it.")


def _wrong(text: str) -> FhirError:
    return FhirError.of(Category.INCORRECT, "value", text)


def launch_url(client: Client, issuer: str, launch: str) -> str | None:
    """Where the browser goes to launch the app; None when the client has no place for that."""
    if client.launch_uri is None:
        return None
    return with_pairs(client.launch_uri, (("iss", issuer), ("launch", launch)))
