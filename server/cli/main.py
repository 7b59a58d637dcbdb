"""The `fhirwright` command: a table of commands, each imported only when it is called."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from importlib import import_module
from keyword import iskeyword
from pathlib import Path
from typing import Any, NoReturn

import typer
from typer.core import TyperGroup

from server.cli.exits import Exit
from server.cli.terminal import note

# Command → what it does. Command `validate-code` is the function `validate_code` in server/cli/validate_code.py.
COMMANDS: dict[str, str] = {
    "serve": "Run the FHIR server, and one worker beside it.",
    "worker": "Run one worker that codes documents from the queue.",
    "code": "Code documents and print the result without storing it.",
    "train": "Learn codes from coded documents, or from coders' decisions.",
    "learn": "Make models from coders' decisions, watch drift, promote and roll back.",
    "eval": "Measure reading and coding on a corpus, and write a report.",
    "deidentify": "Replace the identifiers of a note or a resource by stand-ins.",
    "load": "Load a code system into the terminology, or a FHIR package of profiles.",
    "search": "Find codes by what a person says.",
    "validate-code": "Say whether a code exists, is billable and was in force on a date.",
    "migrate": "Bring the database to the schema of this version.",
    "reindex": "Make the search index of stored resources again.",
    "doctor": "Check that everything the server needs is in place.",
    "import": "Store the resources of NDJSON files.",
    "export": "Write the database to NDJSON files.",
    "backup": "Make and look after backups, beside a running server.",
    "restore": "Bring a backup back elsewhere, to its point or to a later moment, and prove it.",
    "keys": "Look after the keys that encrypt what is stored.",
    "patient": "Hold, copy, erase and let go the data of patients, with proof.",
    "audit": "Prove that the audit trail is whole; export it.",
    "claims": "Hold a file of claims to the edits of payers, and price it.",
    "bulk": "Code documents, scrub claims or reindex by the million, also on Ray.",
    "user": "The people who sign in.",
    "client": "The apps and services that may ask for access.",
    "launch": "Open apps as an EHR would.",
    "token": "What a token is worth, and an end to it.",
    "plan": "The machines that a load takes, from measured unit costs.",
    "stream": "Messages of Kafka in, changes out, and how both stand.",
    "doors": "Take HL7 v2, C-CDA and files; look after what could not be used.",
    "demo": "Code a generated fax on a running server and show the result.",
}


def load_command(name: str) -> Any:
    """The command `name` as Typer builds it from its function; imports its module."""
    place = f"{name}_" if iskeyword(name) else name.replace("-", "_")
    function: Callable[..., Any] | typer.Typer = getattr(import_module(f"server.cli.{place}"), place)
    if isinstance(function, typer.Typer):
        group = typer.main.get_command(function)
        group.name, group.short_help = name, COMMANDS[name]
        return group
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    app.command(name, short_help=COMMANDS[name])(function)
    return typer.main.get_command(app)


class LazyGroup(TyperGroup):
    """A group that lists commands from the table and imports one only when it is called."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002
        """All commands in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002
        """The command, or None when there is none of this name."""
        if cmd_name not in COMMANDS:
            return None
        if cmd_name != "doctor":  # which tells it among the rest
            _check_place()
        return load_command(cmd_name)

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002
        """The table itself, so that `--help` imports no command."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


def _check_place() -> None:
    """Refuse to run on packages of another distribution that happen to have our names."""
    from server.place import strangers

    if wrong := strangers():
        from server.settings import SettingsError

        raise SettingsError(f"Packages of another distribution are in the way: {wrong}. Use an environment of its own.")


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"fhirwright {version('fhirwright')}")
        raise typer.Exit(Exit.OK)


app = typer.Typer(cls=LazyGroup, add_completion=False, no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def fhirwright(
    version: bool = typer.Option(False, "--version", help="Print the version.", is_eager=True, callback=_version),
) -> None:
    """Clinical documents in, coded and billable FHIR R4 out.

    Settings come from FHIRWRIGHT_* variables (docs/settings.md); options win over them.
    """


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the command line and leave the process with one of the documented exit codes."""
    gc.set_threshold(50_000, 20, 20)  # a start imports thousands of modules: collecting among them took a tenth of it
    sys.exit(run(arguments))


def run(arguments: list[str] | None = None) -> int:
    """The exit code of one command line."""
    try:
        result = typer.main.get_command(app).main(args=arguments, prog_name="fhirwright", standalone_mode=False)
    except Exception as error:
        return _explain(error)
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    return result if isinstance(result, int) else Exit.OK


def _explain(error: Exception) -> int:
    """Say what went wrong in a line or two and choose the exit code."""
    from fhir_profiles.errors import Category, FhirError
    from server.settings import SettingsError

    if isinstance(error, typer.Abort):
        return Exit.INTERRUPTED
    if hasattr(error, "format_message"):  # what Typer raises for a wrong command line
        error.show()  # type: ignore[attr-defined]
        return Exit.USAGE
    if isinstance(error, SettingsError):
        note(f"error: {error}")
        return Exit.SETTINGS
    if isinstance(error, FhirError):
        for problem in error.problems:
            note(f"{problem.severity}: {problem.text}" + (f" ({problem.expression})" if problem.expression else ""))
        unavailable = error.category in (Category.UNAVAILABLE, Category.BUSY)
        return Exit.UNAVAILABLE if unavailable else Exit.REFUSED
    if isinstance(error, OSError) and error.filename and error.strerror:
        note(f"error: {error.filename}: {error.strerror}")
        return Exit.UNAVAILABLE
    from server.store.trouble import told

    if known := told(error):
        return _explain(known)
    if sys.flags.dev_mode:
        raise error
    note(f"error: {_unexpected(error)}")
    return Exit.FAILED


def _unexpected(error: Exception) -> str:
    """A fault of ours by its kind and place; its words may hold what patients told."""
    from traceback import extract_tb

    at = extract_tb(error.__traceback__)[-1]
    place = "/".join(Path(at.filename).parts[-3:])
    return f"unexpected {type(error).__name__} at {place} line {at.lineno}. PYTHONDEVMODE=1 shows the whole of it."
