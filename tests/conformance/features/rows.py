"""The features by which FHIR servers are compared, one row each, and the tests that show ours.

`python tests/conformance/features/rows.py` writes docs/conformance.md. A row without a test says why.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
PAGE = Path(__file__).parents[3] / "docs" / "conformance.md"


@dataclass(frozen=True)
class Row:
    """A feature: its name, which is that of its tests, what it means and whether it must not be missing."""

    name: str
    text: str
    must: bool = False
    elsewhere: tuple[str, ...] = ()
    """Tests that stand in another folder: its path below tests/, `::` and the name."""
    missing: str = ""
    """Why there is no test: what is not there yet."""


ROWS = (
    Row("crud_vread_instance_history", "create, read, vread, update, delete, history of a resource", must=True),
    Row("type_and_system_history", "history of a type and of the whole server", must=True),
    Row("conditional_create", "conditional create (`If-None-Exist`)", must=True),
    Row("conditional_update", "conditional update", must=True),
    Row("conditional_delete", "conditional delete, of one and of several", must=True),
    Row("conditional_read", "conditional read (`If-None-Match`, `If-Modified-Since`)", must=True),
    Row("json_patch", "JSON Patch", must=True),
    Row("fhirpath_patch", "FHIRPath Patch", must=True),
    Row("conditional_patch", "conditional patch, and patches in a transaction", must=True),
    Row("batch", "batch", must=True),
    Row("transaction", "transaction", must=True),
    Row("search_string", "search by string", must=True),
    Row("search_token", "search by token", must=True),
    Row("search_reference", "search by reference", must=True),
    Row("search_date", "search by date with every prefix", must=True),
    Row("search_number", "search by number", must=True),
    Row("search_quantity", "search by quantity, across UCUM units", must=True),
    Row("search_uri", "search by URI", must=True),
    Row("search_composite", "search by composite parameters"),
    Row("search_near", "special parameters: `Location?near`"),
    Row("chaining", "chained parameters", must=True),
    Row("reverse_chaining", "`_has`, nested and with a chain inside", must=True),
    Row("include_and_revinclude", "`_include`, `_revinclude`, wildcards", must=True),
    Row("include_iterate", "`:iterate`", must=True),
    Row(
        "modifiers",
        "`:missing :not :exact :contains :text :in :not-in :below :above :identifier :of-type :[type]`",
        must=True,
    ),
    Row("sort", "`_sort`, several keys, either way", must=True),
    Row("total", "`_total=none|estimate|accurate`", must=True),
    Row("summary_and_elements", "`_summary` and `_elements`", must=True),
    Row("filter", "`_filter`"),
    Row("list", "`_list`"),
    Row("full_text", "`_text` and `_content`"),
    Row("compartment_search", "search in a compartment"),
    Row("system_search", "search over several types, `POST _search`"),
    Row("custom_search_parameter", "`SearchParameter` resources of one's own, with reindex"),
    Row("paging", "pages that neither repeat nor skip while others write"),
    Row(
        "unknown_parameters_are_never_silent",
        "an unknown parameter is refused, or reported and left out of the self link",
        must=True,
    ),
    Row("patient_everything", "`Patient/$everything`", must=True),
    Row("validate_with_profiles", "`$validate` with profiles", must=True),
    Row("validate_code", "`$validate-code` of CodeSystem and ValueSet", must=True),
    Row("expand", "`ValueSet/$expand`", must=True),
    Row("lookup", "`CodeSystem/$lookup`", must=True),
    Row("graphql", "`$graphql`"),
    Row(
        "bulk_export",
        "Bulk Data `$export`",
        must=True,
        elsewhere=(
            "integration/asynchronous/test_export.py::test_a_system_export_has_everything_once",
            "integration/asynchronous/test_export.py::test_a_killed_export_goes_on_without_losing_or_doubling",
        ),
    ),
    Row(
        "bulk_import",
        "Bulk Data `$import`",
        must=True,
        elsewhere=("integration/asynchronous/test_import.py::test_lines_keep_their_ids_and_bad_ones_are_told",),
    ),
    Row(
        "rest_hook_subscription",
        "R4 Subscription by rest-hook",
        elsewhere=(
            "integration/asynchronous/test_subscriptions.py::test_a_match_is_sent_as_the_resource_and_nothing_else_is",
        ),
    ),
    Row(
        "topic_subscription",
        "topic-based Subscription by the R5 backport",
        elsewhere=("integration/asynchronous/test_topics.py::test_a_topic_is_told_in_numbered_bundles",),
    ),
    Row("provenance", "Provenance for everything that the pipeline writes"),
    Row(
        "audit_event",
        "AuditEvent for every access",
        missing="an audit row is written with each change; AuditEvent resources come with authorization",
    ),
    Row(
        "multi_tenancy",
        "tenants",
        elsewhere=("integration/access/test_tenants.py::test_tokens_ids_cursors_and_jobs_end_at_the_wall",),
    ),
    Row(
        "smart_and_oauth",
        "SMART App Launch 2.2.0 and OAuth 2.0, [each demand](smart-conformance.md)",
        elsewhere=(
            "conformance/security/test_disc.py::test_disc_03_each_capability_has_its_test",
            "conformance/security/test_smart.py::test_each_requirement_is_decided_once",
        ),
    ),
    Row("xml", "XML in and out, lossless"),
    Row("etag_if_match_prefer", "`ETag`, `If-Match`, `Prefer`", must=True),
    Row(
        "respond_async",
        "`Prefer: respond-async`",
        elsewhere=("integration/asynchronous/test_later.py::test_a_search_is_answered_later_as_a_batch_response",),
    ),
    Row("document", "`Composition/$document`"),
    Row("match", "`Patient/$match`, the index of a master patient index"),
    Row("lastn", "`Observation/$lastn`"),
    Row("meta_operations", "`$meta`, `$meta-add`, `$meta-delete`"),
    Row("embedded_database", "an embedded database, and PostgreSQL, from one code path"),
)


def tests() -> dict[str, str]:
    """Every test of this folder: its name without `test_`, and the first line of its promise."""
    found = {}
    for path in sorted(HERE.glob("test_*.py")):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                found[node.name.removeprefix("test_")] = path.name
    return found


def tests_of(row: Row) -> list[str]:
    """The tests of a row, by file and name: the one that bears its name, and those that stand elsewhere."""
    files = tests()
    own = [f"conformance/features/{files[row.name]}::test_{row.name}"] if row.name in files else []
    return own + [name for name in row.elsewhere if _is_there(name)]


def _is_there(name: str) -> bool:
    path, _, function = name.partition("::")
    return f"def {function}(" in (HERE.parents[1] / path).read_text()


def page() -> str:
    """docs/conformance.md."""
    lines = [
        "# Conformance",
        "",
        "The rows by which FHIR servers are compared, and the tests that show what this one does: each runs on SQLite",
        "and on PostgreSQL with `make test`; files stand in `tests/conformance/features` unless a path is given. A",
        "star marks what nobody should have to ask for. Generated by `python tests/conformance/features/rows.py`.",
        "",
        "| feature | | shown by |",
        "|---|---|---|",
    ]
    for row in ROWS:
        names = "<br>".join(f"`{name.removeprefix('conformance/features/')}`" for name in tests_of(row))
        shown = f"not there yet: {row.missing}" if row.missing else names
        lines.append(f"| {row.text.replace('|', chr(92) + '|')} | {'★' if row.must else ''} | {shown} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page())
