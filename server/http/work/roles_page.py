"""What each role sees and does in the workbench, as a page: `python -m server.http.work.roles_page`."""

from __future__ import annotations

import sys

from server.access.roles import read_roles

from .rooms import ROOMS, allowed

HEAD = """# Who sees and does what in the workbench

Made by `python -m server.http.work.roles_page` from the grants of roles ([roles.toml](../server/access/roles.toml)) and
the table of pages; a test holds it, and walks every page with every role. A page opens where a role's grants cover what
the page reads; an act is offered where they cover what it writes. An operator's own roles find their pages the same
way. What a page shows is limited by the [reach](reach.md) of whoever looks at it, as for any client.

"""
SHOWN = ("coder", "unaided-coder", "auditor", "biller", "clinician", "admin")


def roles_page() -> str:
    """The page."""
    roles = read_roles()
    may = {name: allowed(roles, [name]) for name in SHOWN}
    lines = [HEAD + "| page | act | " + " | ".join(SHOWN) + " |", "|---|---|" + ":-:|" * len(SHOWN)]
    for room in ROOMS:
        lines.append(f"| {room.title} | see | {_marks(room.name, may)} |")
        lines += [f"| | {act} | {_marks(f'{room.name}:{act}', may)} |" for act in room.acts]
    lines += ["", "| role | |", "|---|---|"]
    lines += [f"| {name} | {roles[name].title} |" for name in SHOWN]
    return "\n".join(lines) + "\n"


def _marks(what: str, may: dict[str, frozenset[str]]) -> str:
    return " | ".join("✓" if what in may[name] else "" for name in SHOWN)


if __name__ == "__main__":
    sys.stdout.write(roles_page())
