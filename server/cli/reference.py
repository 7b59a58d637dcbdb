"""Writes docs/settings.md and docs/cli.md from the code: `python -m server.cli.reference` from the repository root."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, get_args, get_origin

import annotated_types
import typer

from server.cli.exits import MEANING
from server.cli.main import COMMANDS, load_command
from server.settings import Settings

BOUNDS: dict[type, tuple[str, str]] = {
    annotated_types.Ge: ("ge", "≥"),
    annotated_types.Gt: ("gt", ">"),
    annotated_types.Le: ("le", "≤"),
    annotated_types.Lt: ("lt", "<"),
    annotated_types.MinLen: ("min_length", "length ≥"),
    annotated_types.MaxLen: ("max_length", "length ≤"),
}
KINDS: dict[Any, str] = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
    Path: "path",
    tuple: "JSON list of texts",
    dict: "JSON object of texts",
}


def settings_page() -> str:
    """docs/settings.md: one row per field of `Settings`."""
    lines = [
        "# Settings",
        "",
        "Every setting is an environment variable; options of the command line win over it. This page is generated",
        "from `server/settings.py` by `python -m server.cli.reference`.",
        "",
        "| variable | default | may be | what it does |",
        "|---|---|---|---|",
    ]
    for name, field in Settings.model_fields.items():
        default = "" if field.default is None else f"`{_shown(field.default)}`"
        meaning = (field.description or "").replace("|", "\\|")
        lines.append(f"| `FHIRWRIGHT_{name.upper()}` | {default} | {_range(field)} | {meaning} |")
    return "\n".join(lines) + "\n"


def cli_page() -> str:
    """docs/cli.md: each command's help, and the exit codes."""
    lines = [
        "# Command line",
        "",
        "Results go to stdout, everything else to stderr. This page is generated from the code by",
        "`python -m server.cli.reference`.",
        "",
        "## Exit codes",
        "",
        "| code | meaning |",
        "|---|---|",
        *(f"| {code.value} | {meaning} |" for code, meaning in MEANING.items()),
    ]
    for name in COMMANDS:
        command = load_command(name)
        lines += ["", f"## fhirwright {name}", "", (command.help or "").strip(), "", *_parameters(command)]
        if lines[-1]:
            lines.append("")
        for part, inner in getattr(command, "commands", {}).items():
            lines += [f"### fhirwright {name} {part}", "", (inner.help or "").strip(), "", *_parameters(inner), ""]
    return "\n".join(lines) + "\n"


def _parameters(command: Any) -> list[str]:
    """A table of what a command takes."""
    rows = ["| argument or option | what it does |", "|---|---|"]
    for parameter in command.params:
        if parameter.param_type_name == "argument":
            names = f"`{parameter.metavar or parameter.name.upper()}`"
        else:
            names = ", ".join(f"`{name}`" for name in (*parameter.opts, *parameter.secondary_opts))
        rows.append(f"| {names} | {(parameter.help or '').replace('|', chr(92) + '|')} |")
    return rows if len(rows) > 2 else []


def _range(field: Any) -> str:
    """What a field may hold, in words."""
    kind = field.annotation
    if get_origin(kind) is Literal:
        return ", ".join(f"`{option}`" for option in get_args(kind))
    if get_origin(kind) is UnionType:
        kind = next(option for option in get_args(kind) if option is not NoneType)
    bounds = [
        f"{sign} {getattr(item, name)}"
        for item in field.metadata
        for name, sign in (BOUNDS.get(type(item), ("", "")),)
        if sign
    ]
    return " ".join((KINDS[get_origin(kind) or kind], ", ".join(bounds))).strip()


def _shown(value: Any) -> str:
    if isinstance(value, bool | tuple):
        return json.dumps(value)
    return str(value)


PAGES = {"settings.md": settings_page, "cli.md": cli_page}

if __name__ == "__main__":
    for name, page in PAGES.items():
        Path("docs", name).write_text(page())
        typer.echo(f"wrote docs/{name}", file=sys.stderr)
