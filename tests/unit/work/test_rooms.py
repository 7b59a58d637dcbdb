"""The table of pages: what roles see follows from their grants, and the page that tells it is up to date."""

from __future__ import annotations

from pathlib import Path

from server.access.grants import read_scope
from server.access.roles import Role
from server.http.work.roles_page import roles_page
from server.http.work.rooms import EVERYTHING, ROOMS, allowed


def _role(name: str, *scopes: str, admin: bool = False) -> dict[str, Role]:
    grants = tuple(grant for scope in scopes if (grant := read_scope(scope)) is not None)
    assert len(grants) == len(scopes)
    return {name: Role(name, name, grants, admin)}


def test_the_page_of_roles_is_up_to_date() -> None:
    """docs/workbench-roles.md is what the data says: make it anew with python -m server.http.work.roles_page."""
    assert (Path(__file__).parents[3] / "docs" / "workbench-roles.md").read_text("utf-8") == roles_page()


def test_a_role_of_an_operator_finds_its_pages() -> None:
    """Grants decide, not names: reading Tasks, documents and Conditions opens the queue, deciding needs more."""
    own = _role("trainee", "user/Task.rs", "user/DocumentReference.rs", "user/Condition.rs")
    may = allowed(own, ["trainee"])
    assert {"home", "queue", "operations", "console"} <= may
    assert not {"queue:take", "review", "people", "audit"} & may


def test_a_grant_with_a_filter_opens_no_page() -> None:
    """Whoever may see only some Tasks has no queue: its numbers would be wrong."""
    own = _role("some", "user/Task.rs?status=ready", "user/DocumentReference.rs", "user/Condition.rs")
    assert "queue" not in allowed(own, ["some"])


def test_everything_is_not_every_audit() -> None:
    """`user/*` does not name AuditEvent, and no grant makes an administrator."""
    may = allowed(_role("all", "user/*.cruds"), ["all"])
    assert "audit" not in may and "people" not in may and "review:decide" in may


def test_whoever_has_no_role_has_no_page() -> None:
    """A role that is not known, or gives nothing, opens nothing; an open server opens all."""
    assert allowed({}, ["coder"]) == frozenset()
    assert allowed(_role("patient"), ["patient"]) == frozenset()
    assert {room.name for room in ROOMS} <= EVERYTHING
